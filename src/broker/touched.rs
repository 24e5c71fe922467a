//! What newer definitions change that do not compile here.

use std::collections::HashSet;

use super::Error;
use crate::model::{DefinitionChange, RegistryName, ScopeMapName, TokenName};
use crate::policy::Permit;

/// The tokens and scope maps that the store holds otherwise than the policy in force.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Touched {
    /// These.
    Some {
        tokens: HashSet<(RegistryName, TokenName)>,
        scope_maps: HashSet<(RegistryName, ScopeMapName)>,
    },
    /// Perhaps all.
    All,
}

impl Touched {
    /// What changes touch.
    pub(super) fn by(changes: &[DefinitionChange]) -> Self {
        let (mut tokens, mut scope_maps) = (HashSet::new(), HashSet::new());
        for change in changes {
            match change {
                DefinitionChange::TokenPut(token) => {
                    tokens.insert((token.registry.clone(), token.name.clone()));
                }
                DefinitionChange::TokenGone { registry, name } => {
                    tokens.insert((registry.clone(), name.clone()));
                }
                DefinitionChange::ScopeMapPut(map) => {
                    scope_maps.insert((map.registry.clone(), map.name.clone()));
                }
                DefinitionChange::ScopeMapGone { registry, name } => {
                    scope_maps.insert((registry.clone(), name.clone()));
                }
            }
        }
        Self::Some { tokens, scope_maps }
    }

    /// Refuses a permit that rests on what was changed: perhaps the change disabled or narrowed it (promise 4), and this broker cannot tell.
    pub(super) fn refuse(&self, permit: &Permit<'_>) -> Result<(), Error> {
        let touched = match self {
            Self::All => true,
            Self::Some { tokens, scope_maps } => {
                let registry = permit.registry();
                tokens.contains(&(registry.clone(), permit.token_name().clone()))
                    || scope_maps.contains(&(registry.clone(), permit.scope_map().clone()))
            }
        };
        if !touched {
            return Ok(());
        }
        Err(Error::Store {
            problem: "the newest policy of the token does not compile here: the log says why"
                .to_owned(),
            retry_after: std::time::Duration::from_secs(10),
        })
    }
}
