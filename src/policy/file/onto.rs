//! What a policy file makes of the present definitions.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::{PolicyFile, sections};
use crate::model::{
    ClaimCondition, Definitions, FederatedCredential, RegistryName, ScopeMap, Status, Token,
    TokenUid,
};

/// Who changes what is different, when, in which revision.
pub(super) struct Change<'a> {
    pub(super) now: Timestamp,
    pub(super) actor: &'a str,
    pub(super) revision: u64,
}

/// The definitions after the change. What the file does not name stays in the registries that `keeps` says.
pub(super) fn apply(
    file: &PolicyFile,
    present: &Definitions,
    change: &Change<'_>,
    new_uid: &mut dyn FnMut() -> TokenUid,
    keeps: &dyn Fn(&RegistryName) -> bool,
) -> Definitions {
    let maps: HashMap<_, _> =
        present.scope_maps.iter().map(|m| ((&m.registry, m.name.as_str()), m)).collect();
    let tokens: HashMap<_, _> =
        present.tokens.iter().map(|t| ((&t.registry, t.name.as_str()), t)).collect();
    let asked = file.scope_maps.iter().map(|section| {
        let before = maps.get(&(&section.registry, section.name.get_ref().as_str())).copied();
        scope_map(section, before, change)
    });
    let mut after = Definitions {
        revision: change.revision,
        scope_maps: asked.collect(),
        tokens: file
            .tokens
            .iter()
            .map(|section| {
                let before = tokens.get(&(&section.registry, section.name.get_ref().as_str()));
                token(section, before.copied(), change, new_uid)
            })
            .collect(),
    };
    keep(&mut after, present, keeps);
    if is_same(present, &after) {
        after.revision = present.revision;
    }
    after
}

/// Puts back what the file does not name and is to stay, and what is the system's.
fn keep(after: &mut Definitions, present: &Definitions, keeps: &dyn Fn(&RegistryName) -> bool) {
    let named: HashSet<_> =
        after.scope_maps.iter().map(|map| (map.registry.clone(), map.name.clone())).collect();
    let kept = present.scope_maps.iter().filter(|map| {
        (map.system || keeps(&map.registry))
            && !named.contains(&(map.registry.clone(), map.name.clone()))
    });
    after.scope_maps.extend(kept.cloned());
    let named: HashSet<_> =
        after.tokens.iter().map(|token| (token.registry.clone(), token.name.clone())).collect();
    let kept = present.tokens.iter().filter(|token| {
        keeps(&token.registry) && !named.contains(&(token.registry.clone(), token.name.clone()))
    });
    after.tokens.extend(kept.cloned());
}

fn scope_map(
    section: &sections::ScopeMap,
    before: Option<&ScopeMap>,
    change: &Change<'_>,
) -> ScopeMap {
    let asked = ScopeMap {
        registry: section.registry.clone(),
        name: section.name.get_ref().clone(),
        description: section.description.as_str().into(),
        owner: section.owner.as_str().into(),
        permissions: section.permissions.clone(),
        max_lifetime: section.max_lifetime,
        system: false,
        revision: change.revision,
        create_time: change.now,
        update_time: change.now,
        updated_by: change.actor.into(),
    };
    let Some(before) = before else { return asked };
    let asked = ScopeMap { create_time: before.create_time, ..asked };
    let unchanged = ScopeMap {
        revision: before.revision,
        update_time: before.update_time,
        updated_by: before.updated_by.clone(),
        ..asked.clone()
    };
    if unchanged == *before { unchanged } else { asked }
}

fn token(
    section: &sections::Token,
    before: Option<&Token>,
    change: &Change<'_>,
    new_uid: &mut dyn FnMut() -> TokenUid,
) -> Token {
    let credentials = section.federated_credentials.iter().map(|section| {
        let name = section.name.get_ref();
        let own = before.into_iter().flat_map(|token| &token.federated_credentials);
        credential(section, own.clone().find(|own| own.name == *name), change.revision)
    });
    let kept = before.map(|token| token.status);
    let asked = Token {
        uid: before.map_or_else(new_uid, |token| token.uid),
        registry: section.registry.clone(),
        name: section.name.get_ref().clone(),
        scope_map: section.scope_map.clone(),
        status: section.status.or(kept).unwrap_or(Status::Enabled),
        description: section.description.as_str().into(),
        owner: section.owner.as_str().into(),
        expire_time: section.expire_time,
        passwords: before.map(|token| token.passwords.clone()).unwrap_or_default(),
        federated_credentials: credentials.collect(),
        revision: change.revision,
        create_time: before.map_or(change.now, |token| token.create_time),
        update_time: change.now,
        updated_by: change.actor.into(),
    };
    let Some(before) = before else { return asked };
    let unchanged = Token {
        revision: before.revision,
        update_time: before.update_time,
        updated_by: before.updated_by.clone(),
        ..asked.clone()
    };
    if unchanged == *before { unchanged } else { asked }
}

fn credential(
    section: &sections::FederatedCredential,
    before: Option<&FederatedCredential>,
    revision: u64,
) -> FederatedCredential {
    let claims = section.claims.iter().map(|(name, accepted)| ClaimCondition {
        name: name.clone(),
        accepted: accepted.0.clone(),
    });
    let asked = FederatedCredential {
        name: section.name.get_ref().clone(),
        issuer: section.issuer.clone(),
        subject: section.subject.clone(),
        claims: claims.collect(),
        max_lifetime: section.max_lifetime,
        bind_to_identity_expiry: section.bind_to_identity_expiry,
        revision,
    };
    let Some(before) = before else { return asked };
    let unchanged = FederatedCredential { revision: before.revision, ..asked.clone() };
    if unchanged == *before { unchanged } else { asked }
}

/// The order of definitions has no meaning.
fn is_same(before: &Definitions, after: &Definitions) -> bool {
    let same_maps = before.scope_maps.len() == after.scope_maps.len()
        && sorted(&before.scope_maps, |m| (&m.registry, &m.name))
            == sorted(&after.scope_maps, |m| (&m.registry, &m.name));
    let same_tokens = before.tokens.len() == after.tokens.len()
        && sorted(&before.tokens, |t| (&t.registry, &t.name))
            == sorted(&after.tokens, |t| (&t.registry, &t.name));
    same_maps && same_tokens
}

fn sorted<'a, T, K: Ord>(all: &'a [T], key: impl Fn(&'a T) -> K) -> Vec<&'a T> {
    let mut all: Vec<&T> = all.iter().collect();
    all.sort_by_key(|one| key(one));
    all
}
