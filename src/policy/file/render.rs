//! Definitions as a policy file.

use std::collections::BTreeMap;

use toml::Spanned;

use super::sections::{FederatedCredential, ScopeMap, Sections, Token};
use super::values::AcceptedValues;
use crate::model::{self, Definitions, Status};

/// Writes what a file can ask for: neither passwords nor the scope maps of the system. Sorted by registry and name.
pub(super) fn render(definitions: &Definitions) -> String {
    let mut scope_maps: Vec<_> = definitions.scope_maps.iter().filter(|m| !m.system).collect();
    scope_maps.sort_by_key(|map| (&map.registry, &map.name));
    let mut tokens: Vec<_> = definitions.tokens.iter().collect();
    tokens.sort_by_key(|token| (&token.registry, &token.name));
    let sections = Sections {
        scope_maps: scope_maps.into_iter().map(scope_map).collect(),
        tokens: tokens.into_iter().map(token).collect(),
        tests: Vec::new(),
    };
    // INVARIANT: names, numbers and texts can all be written as TOML
    toml::to_string(&sections).unwrap_or_default()
}

fn scope_map(map: &model::ScopeMap) -> ScopeMap {
    ScopeMap {
        registry: map.registry.clone(),
        name: Spanned::new(0..0, map.name.clone()),
        description: map.description.to_string(),
        owner: map.owner.to_string(),
        max_lifetime: map.max_lifetime,
        permissions: map.permissions.clone(),
    }
}

fn token(token: &model::Token) -> Token {
    Token {
        registry: token.registry.clone(),
        name: Spanned::new(0..0, token.name.clone()),
        scope_map: token.scope_map.clone(),
        description: token.description.to_string(),
        owner: token.owner.to_string(),
        // enabled is not written, so that the file does not enable what is disabled later
        status: (token.status == Status::Disabled).then_some(Status::Disabled),
        expire_time: token.expire_time,
        federated_credentials: token.federated_credentials.iter().map(credential).collect(),
    }
}

fn credential(credential: &model::FederatedCredential) -> FederatedCredential {
    let claims =
        credential.claims.iter().map(|c| (c.name.clone(), AcceptedValues(c.accepted.clone())));
    FederatedCredential {
        name: Spanned::new(0..0, credential.name.clone()),
        issuer: credential.issuer.clone(),
        subject: credential.subject.clone(),
        max_lifetime: credential.max_lifetime,
        bind_to_identity_expiry: credential.bind_to_identity_expiry,
        claims: claims.collect::<BTreeMap<_, _>>(),
    }
}
