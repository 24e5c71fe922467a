//! How definitions are kept: the JSON of the model's types, a table for each kind.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Error;
use crate::model::{ScopeMap, Texts, Token};

/// A kind of definition that has a table of its own.
pub(super) trait Definition: Serialize + DeserializeOwned {
    /// The table, and the `kind` of the history.
    const TABLE: &str;
    /// The registry and the name.
    fn key(&self) -> (&str, &str);
    /// Makes its texts share the memory of equal ones.
    fn share_texts(&mut self, texts: &mut Texts);
}

impl Definition for ScopeMap {
    const TABLE: &str = "scope_map";
    fn key(&self) -> (&str, &str) {
        (self.registry.as_str(), self.name.as_str())
    }
    fn share_texts(&mut self, texts: &mut Texts) {
        self.share_texts(texts);
    }
}

impl Definition for Token {
    const TABLE: &str = "token";
    fn key(&self) -> (&str, &str) {
        (self.registry.as_str(), self.name.as_str())
    }
    fn share_texts(&mut self, texts: &mut Texts) {
        self.share_texts(texts);
    }
}

/// All definitions of a kind, as they are read.
pub(super) struct Loading<T> {
    all: Vec<T>,
    texts: Texts,
}

impl<T: Definition> Loading<T> {
    /// Room for so many: what a growing list leaves behind stays with the process.
    pub(super) fn of(count: i64) -> Self {
        let all = Vec::with_capacity(usize::try_from(count).unwrap_or_default());
        Self { all, texts: Texts::default() }
    }

    /// Adds a definition as it was kept.
    pub(super) fn add(&mut self, body: &str) -> Result<(), Error> {
        let mut definition: T = parse(body)?;
        definition.share_texts(&mut self.texts);
        self.all.push(definition);
        Ok(())
    }

    /// What was read.
    pub(super) fn end(self) -> Vec<T> {
        self.all
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
