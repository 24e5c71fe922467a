//! Scope maps, and all definitions of policy together.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    ActionSet, Lifetime, RegistryName, RepositoryName, RepositoryPattern, ScopeMapName, Text,
    Texts, Token,
};

/// A named, reusable set of permissions inside one registry: the boundary that a person approved.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct ScopeMap {
    /// The registry it belongs to.
    pub registry: RegistryName,
    /// Its name in the registry.
    pub name: ScopeMapName,
    /// What it is for.
    pub description: Text,
    /// Who answers for it.
    pub owner: Text,
    /// The actions on each pattern; a repository has the union of all that match it.
    pub permissions: BTreeMap<RepositoryPattern, ActionSet>,
    /// The longest lifetime of an access token under it.
    pub max_lifetime: Option<Lifetime>,
    /// True for the maps that every registry has and nobody can change.
    pub system: bool,
    /// The policy revision in which it was written or last changed.
    pub revision: u64,
    /// When it was made.
    pub create_time: Timestamp,
    /// When it was last changed.
    pub update_time: Timestamp,
    /// Who made the last change.
    pub updated_by: Text,
}

impl ScopeMap {
    /// Makes its texts share the memory of equal ones.
    pub fn share_texts(&mut self, texts: &mut Texts) {
        texts.share(&mut self.registry);
        for text in [&mut self.description, &mut self.owner, &mut self.updated_by] {
            texts.share(text);
        }
    }

    /// The actions on `repository`: the union of all entries that match it, found by looking at each.
    pub fn actions_on(&self, repository: &RepositoryName) -> ActionSet {
        self.permissions
            .iter()
            .filter(|(pattern, _)| pattern.matches(repository))
            .fold(ActionSet::EMPTY, |set, (_, actions)| set.union(*actions))
    }
}

/// All definitions of policy at one revision.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Definitions {
    /// The number of the last change; 0 before the first.
    pub revision: u64,
    /// All scope maps, in no particular order.
    pub scope_maps: Vec<ScopeMap>,
    /// All tokens, in no particular order.
    pub tokens: Vec<Token>,
}
