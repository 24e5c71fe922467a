//! What an edit starts from: the newest definitions in force, and what it makes is called by.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::authority::Authority;
use super::target::{Noun, Place, Target};
use crate::broker::Error;
use crate::model::{RegistryName, ScopeMap, Token};
use crate::policy::{Change, Snapshot};

/// The newest definitions in force, and who changes them when.
#[derive(Clone, Debug)]
pub struct Present {
    /// The definitions.
    pub snapshot: Arc<Snapshot>,
    /// The policy revision that the change makes.
    pub revision: u64,
    /// The time of the change.
    pub now: Timestamp,
    /// Who changes, and how far that goes.
    pub authority: Authority,
}

impl Present {
    /// Who changes.
    pub fn actor(&self) -> &str {
        self.authority.actor()
    }

    /// The definition that a request means, for the event of its refusal; `None` where there is none.
    pub(super) fn before(&self, target: &Target<'_>) -> Option<Value> {
        let Place::Registry(registry) = target.place else { return None };
        match target.definition? {
            (Noun::ScopeMap, name) => self.snapshot.scope_map(registry, name).map(Change::recorded),
            (Noun::Token, name) => self.snapshot.token_named(registry, name).map(Change::recorded),
            (Noun::Registry, _) => None,
        }
    }

    /// Refuses a registry that is not configured.
    pub fn registry(&self, registry: &RegistryName) -> Result<(), Error> {
        if self.snapshot.has_registry(registry) { Ok(()) } else { Err(no_registry(registry)) }
    }

    /// A scope map, to be changed.
    pub fn scope_map(&self, registry: &RegistryName, name: &str) -> Result<&ScopeMap, Error> {
        let map = find_scope_map(&self.snapshot, registry, name)?;
        if map.system {
            let reason = "every registry has it, and nobody can change it: make one of your own";
            return Err(Error::ReadOnly(format!("scope map `{name}`: {reason}")));
        }
        Ok(map)
    }

    /// A token, to be changed.
    pub fn token(&self, registry: &RegistryName, name: &str) -> Result<&Token, Error> {
        find_token(&self.snapshot, registry, name)
    }
}

/// A scope map in force, the system's among them.
pub(super) fn find_scope_map<'a>(
    snapshot: &'a Snapshot,
    registry: &RegistryName,
    name: &str,
) -> Result<&'a ScopeMap, Error> {
    snapshot
        .scope_map(registry, name)
        .ok_or_else(|| not_found(snapshot, registry, Noun::ScopeMap, name))
}

/// A token in force.
pub(super) fn find_token<'a>(
    snapshot: &'a Snapshot,
    registry: &RegistryName,
    name: &str,
) -> Result<&'a Token, Error> {
    snapshot
        .token_named(registry, name)
        .ok_or_else(|| not_found(snapshot, registry, Noun::Token, name))
}

pub(super) fn no_registry(registry: &RegistryName) -> Error {
    Error::NotFound(format!("there is no registry `{registry}`: it is added in `[[registries]]`"))
}

fn not_found(snapshot: &Snapshot, registry: &RegistryName, noun: Noun, name: &str) -> Error {
    if !snapshot.has_registry(registry) {
        return no_registry(registry);
    }
    Error::NotFound(format!("registry `{registry}` has no {noun} `{name}`"))
}
