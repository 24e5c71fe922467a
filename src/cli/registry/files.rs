//! What a configuration file says of registries.

use serde::Serialize;
use serde_json::{Map, Value};

use super::{Failure, Row};
use crate::config::Config;
use crate::model::RegistryName;

/// One row a registry.
pub(super) fn rows(config: &Config) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    for registry in &config.registries {
        rows.push(Row {
            name: registry.name.to_string(),
            host: registry.host.clone(),
            driver: value(&registry.driver)?,
            service: registry.service.clone(),
        });
    }
    Ok(rows)
}

/// Everything that is configured for a registry.
pub(super) fn section(config: &Config, name: &RegistryName) -> Result<Map<String, Value>, Failure> {
    let section = config.registries.iter().find(|registry| registry.name == *name);
    let Value::Object(section) = value(section.ok_or_else(|| unknown(name))?)? else {
        return Err(Failure::failed("the registry cannot be shown"));
    };
    Ok(section.into_iter().map(|(key, value)| (camel_case(&key), value)).collect())
}

pub(in crate::cli) fn unknown(name: &RegistryName) -> Failure {
    Failure::failed(format!(
        "the configuration has no registry `{name}`: see dockpass registry list"
    ))
}

/// Anything as JSON.
pub(super) fn value<T: Serialize + ?Sized>(thing: &T) -> Result<Value, Failure> {
    serde_json::to_value(thing).map_err(|error| Failure::failed(error.to_string()))
}

/// `key_reference` as `keyReference`.
fn camel_case(key: &str) -> String {
    let mut words = key.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |text, word| {
        let (initial, rest) = word.split_at_checked(1).unwrap_or((word, ""));
        format!("{text}{}{rest}", initial.to_uppercase())
    })
}
