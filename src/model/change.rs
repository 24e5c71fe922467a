//! What became of one definition.

use super::{RegistryName, ScopeMap, ScopeMapName, Token, TokenName};

/// What became of one definition between two revisions of the policy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum DefinitionChange {
    /// A scope map is new, or has this content now.
    ScopeMapPut(Box<ScopeMap>),
    /// A scope map is gone.
    ScopeMapGone {
        /// Its registry.
        registry: RegistryName,
        /// Its name.
        name: ScopeMapName,
    },
    /// A token is new, or has this content now.
    TokenPut(Box<Token>),
    /// A token is gone.
    TokenGone {
        /// Its registry.
        registry: RegistryName,
        /// Its name.
        name: TokenName,
    },
}
