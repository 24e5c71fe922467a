//! Definitions, identities and requests in few words, for the unit tests of this module.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::{Context, Issuer, RegistryBounds, Snapshot};
use crate::identity::{Identity, for_test as identities};
use crate::model::{
    AccessRequest, ActionSet, ClaimCondition, Definitions, FederatedCredential, Form, Lifetime,
    Password, PasswordSecret, PasswordSlot, Permission, Permissions, RegistryUid, Reuse, ScopeMap,
    Status, SubjectRule, Text, Token, TokenUid,
};

/// An issuer of one organisation's own.
pub(super) const OWN: &str = "https://kubernetes.example";
/// An issuer that many share.
pub(super) const GITHUB: &str = "https://token.actions.githubusercontent.com";

/// The time of all decisions.
pub(super) fn now() -> Timestamp {
    "2026-11-22T06:00:00Z".parse().unwrap()
}

pub(super) fn after(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

pub(super) fn lifetime(seconds: u64) -> Lifetime {
    Lifetime::new(std::time::Duration::from_secs(seconds)).unwrap()
}

pub(super) fn uid() -> TokenUid {
    TokenUid::new(now())
}

/// Two registries, `local` and `other`; an own issuer and a shared one.
pub(super) fn context() -> Context {
    let registry = |name: &str, uid: u8| RegistryBounds {
        name: name.parse().unwrap(),
        uid: RegistryUid([uid; 16]),
        default_lifetime: Lifetime::DEFAULT,
        max_lifetime: Some(lifetime(7200)),
    };
    let issuer = |url: &str, shared| Issuer { issuer: url.parse().unwrap(), shared };
    Context {
        registries: vec![registry("local", 1), registry("other", 2)],
        issuers: vec![issuer(OWN, false), issuer(GITHUB, true)],
    }
}

/// A scope map of registry `local`.
pub(super) fn scope_map(name: &str, permissions: &[(&str, &str)]) -> ScopeMap {
    ScopeMap {
        registry: "local".parse().unwrap(),
        name: name.parse().unwrap(),
        description: Text::new(),
        owner: Text::new(),
        permissions: permissions
            .iter()
            .map(|(pattern, actions)| (pattern.parse().unwrap(), actions_of(actions)))
            .collect(),
        max_lifetime: None,
        system: false,
        revision: 1,
        create_time: now(),
        update_time: now(),
        updated_by: "test".into(),
    }
}

/// An enabled token of registry `local`.
pub(super) fn token(
    name: &str,
    scope_map: &str,
    federated_credentials: Vec<FederatedCredential>,
) -> Token {
    Token {
        uid: uid(),
        registry: "local".parse().unwrap(),
        name: name.parse().unwrap(),
        scope_map: scope_map.parse().unwrap(),
        status: Status::Enabled,
        description: Text::new(),
        owner: Text::new(),
        expire_time: None,
        passwords: Vec::new(),
        federated_credentials,
        revision: 1,
        create_time: now(),
        update_time: now(),
        updated_by: "test".into(),
    }
}

/// A federated credential; an empty subject binds none; `claims` is a JSON object of lists.
pub(super) fn credential(
    name: &str,
    issuer: &str,
    subject: &str,
    claims: Value,
) -> FederatedCredential {
    let conditions = object(claims).into_iter().map(|(name, accepted)| ClaimCondition {
        name: name.parse().unwrap(),
        accepted: serde_json::from_value(accepted).unwrap(),
    });
    FederatedCredential {
        name: name.parse().unwrap(),
        issuer: issuer.parse().unwrap(),
        subject: (!subject.is_empty()).then(|| SubjectRule(subject.parse().unwrap())),
        claims: conditions.collect(),
        max_lifetime: None,
        bind_to_identity_expiry: false,
        revision: 1,
    }
}

pub(super) fn password(slot: PasswordSlot, generation: u64, random: u8) -> Password {
    let secret = PasswordSecret::from_random(&[random; 32]);
    Password {
        slot,
        generation,
        hash: secret.hash(),
        last_four: secret.last_four().into(),
        create_time: now(),
        expire_time: None,
    }
}

pub(super) fn definitions(scope_maps: Vec<ScopeMap>, tokens: Vec<Token>) -> Definitions {
    Definitions { revision: 1, scope_maps, tokens }
}

pub(super) fn compile(definitions: Definitions) -> Snapshot {
    Snapshot::compile(definitions, &context()).unwrap()
}

/// A workload whose identity token has ten minutes left.
pub(super) fn workload(issuer: &str, subject: &str, claims: Value) -> Identity {
    identities::workload(issuer.parse().unwrap(), subject, object(claims), after(600))
}

/// A request at registry `local`.
pub(super) fn request(permissions: &[(&str, &str)]) -> AccessRequest {
    AccessRequest {
        registry: "local".parse().unwrap(),
        permissions: permissions_of(permissions),
        lifetime: None,
        token_name: None,
        form: Form::Password,
        reuse: Reuse::default(),
    }
}

pub(super) fn permissions_of(permissions: &[(&str, &str)]) -> Permissions {
    permissions
        .iter()
        .map(|(repository, actions)| Permission {
            repository: repository.parse().unwrap(),
            actions: actions_of(actions),
        })
        .collect()
}

pub(super) fn object(value: Value) -> Map<String, Value> {
    let Value::Object(members) = value else { panic!("claims are an object") };
    members
}

fn actions_of(words: &str) -> ActionSet {
    ActionSet::parse(words.split_whitespace()).unwrap()
}
