//! Every revision of the policy: what the changes of many come to.

use std::collections::BTreeMap;

use super::Error;
use super::definition::{Definition, parse};
use crate::model::{DefinitionChange, ScopeMap};

/// What became of the definitions after a revision.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Changes {
    /// The revision that they lead to.
    pub revision: u64,
    /// What differs; each definition once, in its last form.
    pub definitions: Vec<DefinitionChange>,
}

/// The last form of each definition, by kind, registry and name; without a body it is gone.
#[derive(Debug, Default)]
pub(super) struct LastForms(BTreeMap<(String, String, String), Option<String>>);

impl LastForms {
    /// Takes note of a change, in the order of revisions.
    pub(super) fn add(&mut self, key: (String, String, String), after: Option<String>) {
        self.0.insert(key, after);
    }

    /// What they come to at `revision`.
    pub(super) fn changes(self, revision: u64) -> Result<Changes, Error> {
        let definitions = self
            .0
            .into_iter()
            .map(|((kind, registry, name), after)| change(&kind, &registry, &name, after))
            .collect::<Result<_, _>>()?;
        Ok(Changes { revision, definitions })
    }
}

fn change(
    kind: &str,
    registry: &str,
    name: &str,
    after: Option<String>,
) -> Result<DefinitionChange, Error> {
    fn key<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, Error> {
        text.parse().map_err(|error| Error::damaged("the history of the policy", error))
    }
    let is_map = kind == ScopeMap::TABLE;
    Ok(match after {
        Some(body) if is_map => DefinitionChange::ScopeMapPut(Box::new(parse(&body)?)),
        Some(body) => DefinitionChange::TokenPut(Box::new(parse(&body)?)),
        None if is_map => {
            DefinitionChange::ScopeMapGone { registry: key(registry)?, name: key(name)? }
        }
        None => DefinitionChange::TokenGone { registry: key(registry)?, name: key(name)? },
    })
}

/// Definitions that are rolled back from the present, by registry and name.
#[derive(Debug)]
pub(super) struct RollBack<T>(BTreeMap<(String, String), T>);

impl<T: Definition> RollBack<T> {
    /// Starts with the present.
    pub(super) fn from(present: Vec<T>) -> Self {
        let owned = |(registry, name): (&str, &str)| (registry.to_owned(), name.to_owned());
        Self(present.into_iter().map(|one| (owned(one.key()), one)).collect())
    }

    /// Takes back one change, in the order from the newest; without a body before, it was made.
    pub(super) fn undo(
        &mut self,
        key: (String, String),
        before: Option<&str>,
    ) -> Result<(), Error> {
        match before {
            Some(before) => self.0.insert(key, parse(before)?),
            None => self.0.remove(&key),
        };
        Ok(())
    }

    /// What is left, by registry and name.
    pub(super) fn into_past(self) -> Vec<T> {
        self.0.into_values().collect()
    }
}
