//! What differs between two sets of definitions.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::model::Definitions;

/// One definition that differs between two sets of definitions.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// `scope_map` or `token`.
    pub kind: &'static str,
    /// The registry.
    pub registry: String,
    /// The name.
    pub name: String,
    /// The definition before; `None` = it is new.
    pub before: Option<Value>,
    /// The definition after; `None` = it is gone.
    pub after: Option<Value>,
}

impl Change {
    /// What differs between two sets of definitions, scope maps first, by registry and name. The hashes of passwords are left out.
    pub fn between(before: &Definitions, after: &Definitions) -> Vec<Self> {
        let mut sides = BTreeMap::<_, (Option<Value>, Option<Value>)>::new();
        for (key, value) in values(before) {
            sides.entry(key).or_default().0 = Some(value);
        }
        for (key, value) in values(after) {
            sides.entry(key).or_default().1 = Some(value);
        }
        let different = sides.into_iter().filter(|(_, (before, after))| before != after);
        different
            .map(|((kind, registry, name), (before, after))| Self {
                kind,
                registry: registry.to_owned(),
                name: name.to_owned(),
                before,
                after,
            })
            .collect()
    }
}

type Key<'a> = (&'static str, &'a str, &'a str);

fn values(definitions: &Definitions) -> impl Iterator<Item = (Key<'_>, Value)> {
    let maps = definitions
        .scope_maps
        .iter()
        .map(|map| (("scope_map", map.registry.as_str(), map.name.as_str()), value(map)));
    let tokens = definitions
        .tokens
        .iter()
        .map(|token| (("token", token.registry.as_str(), token.name.as_str()), value(token)));
    maps.chain(tokens)
}

fn value(definition: &impl Serialize) -> Value {
    // INVARIANT: definitions have no keys that are not texts
    let mut value = serde_json::to_value(definition).unwrap_or_default();
    let passwords = value.get_mut("passwords").and_then(Value::as_array_mut);
    for password in passwords.into_iter().flatten().filter_map(Value::as_object_mut) {
        password.remove("hash");
    }
    value
}
