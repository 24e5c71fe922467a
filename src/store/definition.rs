//! How definitions are kept: the JSON of the model's types, a table for each kind.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Error;
use crate::model::{ScopeMap, Token};

/// A kind of definition that has a table of its own.
pub(super) trait Definition: Serialize + DeserializeOwned {
    /// The table, and the `kind` of the history.
    const TABLE: &str;
    /// The registry and the name.
    fn key(&self) -> (&str, &str);
}

impl Definition for ScopeMap {
    const TABLE: &str = "scope_map";
    fn key(&self) -> (&str, &str) {
        (self.registry.as_str(), self.name.as_str())
    }
}

impl Definition for Token {
    const TABLE: &str = "token";
    fn key(&self) -> (&str, &str) {
        (self.registry.as_str(), self.name.as_str())
    }
}

/// A definition as it was kept.
pub(super) fn parse<T: Definition>(body: &str) -> Result<T, Error> {
    serde_json::from_str(body).map_err(|error| Error::damaged(T::TABLE, error))
}

/// A definition as it is kept.
pub(super) fn write<T: Definition>(definition: &T) -> Result<String, Error> {
    serde_json::to_string(definition)
        .map_err(|error| Error::Unavailable(format!("a {} cannot be written: {error}", T::TABLE)))
}
