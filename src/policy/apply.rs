//! A snapshot out of another one and what changed, at the cost of what changed.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::check::{self, Checks};
use super::index::Shared;
use super::{Error, Snapshot};
use crate::model::{DefinitionChange, RegistryName, ScopeMap, ScopeMapName, Token, TokenName};

/// What became of each definition that changed; none = it is gone.
#[derive(Default)]
struct Changes {
    scope_maps: BTreeMap<(RegistryName, ScopeMapName), Option<ScopeMap>>,
    tokens: BTreeMap<(RegistryName, TokenName), Option<Token>>,
}

impl Snapshot {
    /// The policy after `changes`, at `revision`: decides as if everything had been compiled again. Where one definition
    /// changed several times, its last change counts.
    ///
    /// # Errors
    /// As [`Snapshot::compile`], of what changed. This snapshot stays as it is.
    pub fn apply(
        &self,
        changes: impl IntoIterator<Item = DefinitionChange>,
        revision: u64,
    ) -> Result<Self, Error> {
        let changes = Changes::of(changes);
        let mut next = Self { revision, ..self.clone() };
        let mut problems = next.replace_scope_maps(&changes);
        for (registry, name) in changes.tokens.keys() {
            next.take_token(registry, name.as_str());
        }
        problems.extend(next.put_tokens(changes.tokens.into_values().flatten()));
        problems.extend(next.unbounded(&changes.scope_maps));
        if problems.is_empty() { Ok(next) } else { Err(Error { problems }) }
    }

    fn replace_scope_maps(&mut self, changes: &Changes) -> Vec<String> {
        let context = std::sync::Arc::clone(&self.context);
        let mut checks = Checks::new(&context, &|_, _| false);
        for ((registry, name), after) in &changes.scope_maps {
            match after {
                Some(map) => {
                    checks.scope_map(map);
                    self.put_scope_map(map.clone());
                }
                None => self.take_scope_map(registry, name.as_str()),
            }
        }
        checks.problems
    }

    fn put_tokens(&mut self, tokens: impl Iterator<Item = Token>) -> Vec<String> {
        let mut problems = Vec::new();
        for token in tokens {
            problems.extend(self.problems_of(&token));
            self.put_token(token, &Shared::default());
        }
        problems
    }

    /// What keeps a token out that is not there yet.
    fn problems_of(&self, token: &Token) -> Vec<String> {
        let has_scope_map = |registry: &RegistryName, name: &str| {
            self.registry(registry).is_some_and(|own| own.has_scope_map(name))
        };
        let mut checks = Checks::new(&self.context, &has_scope_map);
        checks.token(token);
        if self.token(token.uid).is_some() {
            checks.double_uid(token);
        }
        let mut own = HashSet::new();
        for password in &token.passwords {
            if self.passwords.0.find(&password.hash).is_some() || !own.insert(password.hash) {
                checks.double_secret(token, password);
            }
        }
        checks.problems
    }

    /// Tokens that are left without a scope map. All are looked at, but only where a scope map is gone.
    fn unbounded<V>(
        &self,
        scope_maps: &BTreeMap<(RegistryName, ScopeMapName), Option<V>>,
    ) -> Vec<String> {
        let gone = scope_maps.iter().filter(|(_, after)| after.is_none());
        let registries: BTreeSet<&RegistryName> = gone.map(|((registry, _), _)| registry).collect();
        let registries = registries.into_iter().filter_map(|name| self.registry(name));
        registries.flat_map(|own| own.unbounded().map(check::no_scope_map)).collect()
    }
}

impl Changes {
    fn of(changes: impl IntoIterator<Item = DefinitionChange>) -> Self {
        let mut last = Self::default();
        for change in changes {
            match change {
                DefinitionChange::ScopeMapPut(map) => {
                    last.scope_maps.insert((map.registry.clone(), map.name.clone()), Some(*map));
                }
                DefinitionChange::ScopeMapGone { registry, name } => {
                    last.scope_maps.insert((registry, name), None);
                }
                DefinitionChange::TokenPut(token) => {
                    last.tokens.insert((token.registry.clone(), token.name.clone()), Some(*token));
                }
                DefinitionChange::TokenGone { registry, name } => {
                    last.tokens.insert((registry, name), None);
                }
            }
        }
        last
    }
}

#[cfg(test)]
mod tests;
