//! What became of one definition.

use std::collections::BTreeMap;

use super::{Definitions, RegistryName, ScopeMap, ScopeMapName, Token, TokenName};

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

impl DefinitionChange {
    /// What became of the definitions between two sets of them: scope maps first, by registry and name. Content is compared, not revision numbers.
    pub fn between(before: &Definitions, after: &Definitions) -> Vec<Self> {
        let maps = differing(&before.scope_maps, &after.scope_maps, |map| {
            (map.registry.as_str(), map.name.as_str())
        });
        let tokens = differing(&before.tokens, &after.tokens, |token| {
            (token.registry.as_str(), token.name.as_str())
        });
        let maps = maps.filter_map(|(before, after)| match after {
            Some(map) => Some(Self::ScopeMapPut(Box::new(map.clone()))),
            None => before.map(|map| Self::ScopeMapGone {
                registry: map.registry.clone(),
                name: map.name.clone(),
            }),
        });
        let tokens = tokens.filter_map(|(before, after)| match after {
            Some(token) => Some(Self::TokenPut(Box::new(token.clone()))),
            None => before.map(|token| Self::TokenGone {
                registry: token.registry.clone(),
                name: token.name.clone(),
            }),
        });
        maps.chain(tokens).collect()
    }
}

/// Pairs what has the same key before and after, in the order of the keys, and leaves out what is equal.
pub(crate) fn differing<'a, T: PartialEq, K: Ord>(
    before: &'a [T],
    after: &'a [T],
    key: impl Fn(&'a T) -> K,
) -> impl Iterator<Item = (Option<&'a T>, Option<&'a T>)> {
    let mut sides = BTreeMap::<K, (Option<&T>, Option<&T>)>::new();
    for one in before {
        sides.entry(key(one)).or_default().0 = Some(one);
    }
    for one in after {
        sides.entry(key(one)).or_default().1 = Some(one);
    }
    sides.into_values().filter(|(before, after)| before != after)
}
