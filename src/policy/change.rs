//! What differs between two sets of definitions.

use serde::Serialize;
use serde_json::{Value, json};

use super::Snapshot;
use super::lookup::Before;
use crate::model::{DefinitionChange, Definitions, RegistryName, ScopeMap, Token, differing};

/// One definition that differs between two sets of definitions.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// `scope_map` or `token`.
    pub kind: &'static str,
    /// The registry.
    pub registry: String,
    /// The name.
    pub name: String,
    /// The definition before; `None` = it is new.
    pub before: Option<Value>,
    /// The definition after; `None` = it is gone.
    pub after: Option<Value>,
}

impl Change {
    /// What differs between two sets of definitions, scope maps first, by registry and name. The hashes of passwords are left out.
    pub fn between(before: &Definitions, after: &Definitions) -> Vec<Self> {
        let maps = differing(&before.scope_maps, &after.scope_maps, |map| {
            (map.registry.as_str(), map.name.as_str())
        });
        let tokens = differing(&before.tokens, &after.tokens, |token| {
            (token.registry.as_str(), token.name.as_str())
        });
        let maps = maps.map(|(before, after)| Self::of_scope_map(before, after));
        let tokens = tokens.map(|(before, after)| Self::of_token(before, after));
        maps.chain(tokens).collect()
    }

    /// What `change` does to a definition of `snapshot`.
    pub fn of(change: &DefinitionChange, snapshot: &Snapshot) -> Self {
        let (map, token) = match change {
            DefinitionChange::ScopeMapPut(map) => (Some(&**map), None),
            DefinitionChange::TokenPut(token) => (None, Some(&**token)),
            DefinitionChange::ScopeMapGone { .. } | DefinitionChange::TokenGone { .. } => {
                (None, None)
            }
        };
        match snapshot.before(change) {
            Before::ScopeMap(before) => Self::of_scope_map(before, map),
            Before::Token(before) => Self::of_token(before, token),
        }
    }

    /// What the audit trail keeps of it.
    pub fn record(&self, actor: &str) -> Value {
        json!({
            "actor": actor,
            "kind": self.kind,
            "registry": self.registry,
            "name": self.name,
            "before": self.before,
            "after": self.after,
        })
    }

    /// A definition as the audit trail keeps it: without the hashes of its passwords.
    pub fn recorded(definition: &impl Serialize) -> Value {
        value(definition)
    }

    fn of_scope_map(before: Option<&ScopeMap>, after: Option<&ScopeMap>) -> Self {
        let named = before.or(after).map(|map| (&map.registry, map.name.to_string()));
        Self::new("scope_map", named, before.map(value), after.map(value))
    }

    fn of_token(before: Option<&Token>, after: Option<&Token>) -> Self {
        let named = before.or(after).map(|token| (&token.registry, token.name.to_string()));
        Self::new("token", named, before.map(value), after.map(value))
    }

    fn new(
        kind: &'static str,
        named: Option<(&RegistryName, String)>,
        before: Option<Value>,
        after: Option<Value>,
    ) -> Self {
        let (registry, name) =
            named.map_or_else(Default::default, |(registry, name)| (registry.to_string(), name));
        Self { kind, registry, name, before, after }
    }
}

fn value(definition: &impl Serialize) -> Value {
    // INVARIANT: definitions have no keys that are not texts
    let mut value = serde_json::to_value(definition).unwrap_or_default();
    let passwords = value.get_mut("passwords").and_then(Value::as_array_mut);
    for password in passwords.into_iter().flatten().filter_map(Value::as_object_mut) {
        password.remove("hash");
    }
    value
}
