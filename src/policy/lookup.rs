//! Single definitions of a snapshot, for those who manage them.

use super::registry::Registry;
use super::{Context, Snapshot};
use crate::model::{DefinitionChange, RegistryName, ScopeMap, Token};

impl Snapshot {
    /// What of the configuration bounds policy.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// True when the registry is configured.
    pub fn has_registry(&self, registry: &RegistryName) -> bool {
        self.registry(registry).is_some()
    }

    /// A scope map by its name, the system's among them.
    pub fn scope_map(&self, registry: &RegistryName, name: &str) -> Option<&ScopeMap> {
        self.registry(registry)?.scope_map(name)
    }

    /// A token by its name.
    pub fn token_named(&self, registry: &RegistryName, name: &str) -> Option<&Token> {
        self.registry(registry)?.token(name).map(AsRef::as_ref)
    }

    /// The tokens that are tied to a scope map, by name. All tokens of the registry are looked at.
    pub fn tokens_of(&self, registry: &RegistryName, scope_map: &str) -> Vec<&Token> {
        let registry = self.registry(registry);
        let mut tokens: Vec<&Token> = registry
            .into_iter()
            .flat_map(Registry::tokens)
            .filter(|token| token.scope_map.as_str() == scope_map)
            .collect();
        tokens.sort_by_key(|token| &token.name);
        tokens
    }

    /// What a changed definition is here.
    pub(super) fn before(&self, change: &DefinitionChange) -> Before<'_> {
        match change {
            DefinitionChange::ScopeMapPut(map) => {
                Before::ScopeMap(self.scope_map(&map.registry, map.name.as_str()))
            }
            DefinitionChange::ScopeMapGone { registry, name } => {
                Before::ScopeMap(self.scope_map(registry, name.as_str()))
            }
            DefinitionChange::TokenPut(token) => {
                Before::Token(self.token_named(&token.registry, token.name.as_str()))
            }
            DefinitionChange::TokenGone { registry, name } => {
                Before::Token(self.token_named(registry, name.as_str()))
            }
        }
    }
}

/// A definition before it is changed; `None` = it is not there.
pub(super) enum Before<'a> {
    ScopeMap(Option<&'a ScopeMap>),
    Token(Option<&'a Token>),
}
