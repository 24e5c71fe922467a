//! Random definitions, identities and requests out of so few words that they meet often.

use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use crate::identity::{Evidence, Identity, PasswordEntry, for_test as identities};
use crate::model::{
    AccessRequest, AccessTokenId, Action, ActionSet, CredentialRef, Definitions,
    FederatedCredential, Form, Lifetime, Password, PasswordSlot, Permission, Permissions,
    RegistryUid, Reuse, ScopeMap, Status, Token,
};
use crate::policy::for_test::{self, GITHUB, OWN, after, lifetime, now};
use crate::policy::tenant;
use crate::seal::{Ceiling, Session};

/// All that a decision depends on.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) definitions: Definitions,
    pub(super) identity: Identity,
    pub(super) evidence: Evidence,
    pub(super) request: AccessRequest,
}

const REGISTRIES: [&str; 2] = ["local", "other"];
const MAPS: [&str; 3] = ["map-a", "map-b", "map-c"];
const TOKENS: [&str; 5] = ["tok-a", "tok-b", "tok-c", "tok-d", "anonymous"];

pub(super) fn world() -> impl Strategy<Value = World> {
    (definitions(), request(), any::<prop::sample::Index>(), 0..5_u8).prop_flat_map(
        |(definitions, request, pick, kind)| {
            let token = pick.get(&definitions.tokens).clone();
            let who = match kind {
                0..=2 => workload().boxed(),
                3 => password(token).boxed(),
                _ => prop_oneof![4 => session(&token), 1 => Just(anonymous())].boxed(),
            };
            who.prop_map(move |(identity, evidence)| World {
                definitions: definitions.clone(),
                identity,
                evidence,
                request: request.clone(),
            })
        },
    )
}

/// Scope maps and tokens are there or not; a token whose scope map is not there is disabled.
pub(super) fn definitions() -> impl Strategy<Value = Definitions> {
    let map = option::weighted(0.85, scope_map());
    let maps = prop::collection::vec(map, REGISTRIES.len() * MAPS.len());
    let tokens = prop::collection::vec(option::weighted(0.8, token()), TOKENS.len() * 2);
    (maps, tokens, token()).prop_map(|(maps, tokens, always)| {
        let maps = maps.into_iter().enumerate().filter_map(|(at, map)| {
            let (registry, name) = (REGISTRIES[at % 2], MAPS[at / 2]);
            Some(ScopeMap {
                registry: registry.parse().unwrap(),
                name: name.parse().unwrap(),
                ..map?
            })
        });
        let mut tokens: Vec<Option<Token>> = tokens;
        tokens[0].get_or_insert(always);
        let placed = tokens.into_iter().enumerate().filter_map(|(at, token)| {
            let mut token = token?;
            // most tokens meet in one registry
            token.registry = REGISTRIES[usize::from(at >= TOKENS.len())].parse().unwrap();
            token.name = TOKENS[at % TOKENS.len()].parse().unwrap();
            for (password, random) in token.passwords.iter_mut().zip(at * 2..) {
                let random = u8::try_from(random).unwrap();
                let fresh = for_test::password(password.slot, password.generation, random);
                *password = Password { expire_time: password.expire_time, ..fresh };
            }
            Some(token)
        });
        bounded(for_test::definitions(maps.collect(), placed.collect()))
    })
}

/// The definitions, with every token disabled that names a scope map which is not there.
pub(super) fn bounded(mut definitions: Definitions) -> Definitions {
    let maps = &definitions.scope_maps;
    for token in &mut definitions.tokens {
        if !maps.iter().any(|map| (&map.registry, &map.name) == (&token.registry, &token.scope_map))
        {
            token.status = Status::Disabled;
        }
    }
    definitions
}

fn scope_map() -> impl Strategy<Value = ScopeMap> {
    let pattern = prop::collection::vec(select(vec!["a", "b", "*", "*"]), 1..4)
        .prop_map(|segments| segments.join("/").parse().unwrap());
    let entries = prop::collection::btree_map(pattern, actions(), 1..5);
    (entries, bound()).prop_map(|(permissions, max_lifetime)| ScopeMap {
        permissions,
        max_lifetime,
        ..for_test::scope_map("map-a", &[])
    })
}

fn token() -> impl Strategy<Value = Token> {
    let status = prop_oneof![9 => Just(Status::Enabled), 1 => Just(Status::Disabled)];
    let credentials = prop::collection::vec(credential(), 0..4);
    let passwords = (option::of(a_password()), option::of(a_password()));
    (select(&MAPS[..]), status, end(), credentials, passwords).prop_map(
        |(map, status, expire_time, credentials, (first, second))| {
            let mut token = for_test::token("tok-a", map, Vec::new());
            let bounded = credentials.into_iter().filter(is_acceptable);
            token.federated_credentials = bounded.collect();
            for (at, credential) in token.federated_credentials.iter_mut().enumerate() {
                credential.name = format!("c{at}").parse().unwrap();
            }
            let slots = [PasswordSlot::Password1, PasswordSlot::Password2];
            let filled = [first, second].into_iter().zip(slots);
            token.passwords = filled
                .filter_map(|(password, slot)| Some(Password { slot, ..password? }))
                .collect();
            Token { status, expire_time, ..token }
        },
    )
}

fn is_acceptable(credential: &FederatedCredential) -> bool {
    let shared = credential.issuer.as_str() == GITHUB;
    tenant::is_bounded(credential) && (!shared || tenant::binds_tenant(credential))
}

fn a_password() -> impl Strategy<Value = Password> {
    (1..3_u64, end()).prop_map(|(generation, expire_time)| Password {
        expire_time,
        ..for_test::password(PasswordSlot::Password1, generation, 0)
    })
}

fn credential() -> impl Strategy<Value = FederatedCredential> {
    let subject = select(vec!["", "", "s:x", "s:y", "s:*", "s:**", "s/a", "*", "?:x"]);
    let accepted = select(vec![
        json!("x"),
        json!("x"),
        json!("y"),
        json!("x*"),
        json!("*"),
        json!("**"),
        json!("x/*"),
        json!("x*z"),
        json!("?"),
        json!(1),
        json!(true),
        json!(""),
    ]);
    let name = select(vec!["repository_id", "ref", "/k/n", "flag"]);
    let lists = prop::collection::vec(accepted, 1..4).prop_map(Value::Array);
    let claims = prop::collection::btree_map(name.prop_map(str::to_owned), lists, 0..=2);
    (select(vec![OWN, GITHUB]), subject, claims, bound(), any::<bool>(), 1..3_u64).prop_map(
        |(issuer, subject, claims, max_lifetime, bind_to_identity_expiry, revision)| {
            let claims = Value::Object(claims.into_iter().collect());
            let subject = if subject.starts_with(['*', '?']) && claims == json!({}) {
                "s:x"
            } else {
                subject
            };
            FederatedCredential {
                max_lifetime,
                bind_to_identity_expiry,
                revision,
                ..for_test::credential("c", issuer, subject, claims)
            }
        },
    )
}

pub(super) fn request() -> impl Strategy<Value = AccessRequest> {
    let registry = prop_oneof![18 => Just("local"), 1 => Just("other"), 1 => Just("unknown")];
    let form = select(vec![Form::Password, Form::PasswordAndBearer]);
    let token_name = option::weighted(0.2, select(&TOKENS[..]));
    (registry, permissions(), bound(), token_name, form).prop_map(
        |(registry, permissions, lifetime, token_name, form)| AccessRequest {
            registry: registry.parse().unwrap(),
            permissions,
            lifetime,
            token_name: token_name.map(|name| name.parse().unwrap()),
            form,
            reuse: Reuse::default(),
        },
    )
}

fn permissions() -> impl Strategy<Value = Permissions> {
    let repository = prop::collection::vec(select(vec!["a", "b", "c"]), 1..4)
        .prop_map(|segments| segments.join("/").parse().unwrap());
    let permission =
        (repository, wanted()).prop_map(|(repository, actions)| Permission { repository, actions });
    prop::collection::vec(permission, 0..3).prop_map(Permissions::from)
}

/// What is asked for is mostly one action.
fn wanted() -> impl Strategy<Value = ActionSet> {
    prop_oneof![
        3 => Just(ActionSet::PULL),
        1 => select(Action::ALL.to_vec()).prop_map(ActionSet::from),
        1 => actions(),
    ]
}

fn actions() -> impl Strategy<Value = ActionSet> {
    prop::sample::subsequence(Action::ALL.to_vec(), 1..=5).prop_map(|a| a.into_iter().collect())
}

fn workload() -> impl Strategy<Value = (Identity, Evidence)> {
    let value = select(vec![
        json!("x"),
        json!("x"),
        json!("x"),
        json!("x"),
        json!("x"),
        json!("x"),
        json!("y"),
        json!("x/z"),
        json!(1),
        json!(1.0),
        json!("1"),
        json!(true),
        json!(null),
        json!(["y", "x"]),
        json!([1, true]),
        json!({"x": "x"}),
        json!(""),
        json!("*"),
    ]);
    let claims =
        prop::array::uniform4(option::weighted(0.8, value)).prop_map(|[id, name, k, flag]| {
            let mut claims = Map::new();
            claims.extend(id.map(|value| ("repository_id".to_owned(), value)));
            claims.extend(name.map(|value| ("ref".to_owned(), value)));
            claims.extend(k.map(|value| ("k".to_owned(), json!({"n": value}))));
            claims.extend(flag.map(|value| ("flag".to_owned(), value)));
            claims
        });
    let issuer = select(vec![OWN, OWN, GITHUB, "https://stranger.example"]);
    let subject = select(vec!["s:x", "s:x", "s:y", "s:a:b", "s/a", "t", "*", ""]);
    (issuer, subject, claims, 0..4000_i64).prop_map(|(issuer, subject, claims, left)| {
        let expire_time = after(left);
        let evidence = Evidence::Workload {
            issuer: issuer.to_owned(),
            subject: subject.to_owned(),
            claims: claims.clone(),
            expire_time,
        };
        (identities::workload(issuer.parse().unwrap(), subject, claims, expire_time), evidence)
    })
}

/// A password of the token, or one that it had.
fn password(token: Token) -> impl Strategy<Value = (Identity, Evidence)> {
    let mut all: Vec<_> = token.passwords.iter().map(|own| (own.slot, own.generation)).collect();
    all.extend([(PasswordSlot::Password1, 1), (PasswordSlot::Password2, 2)]);
    (select(all), end()).prop_map(move |((slot, generation), expire_time)| {
        let entry = PasswordEntry {
            registry: token.registry.clone(),
            token: token.uid,
            token_name: token.name.clone(),
            slot,
            generation,
            expire_time,
        };
        let evidence = Evidence::Password {
            registry: entry.registry.clone(),
            token_name: entry.token_name.clone(),
            token: entry.token,
            credential: CredentialRef::Password { slot, generation },
            expire_time,
        };
        (identities::password(entry), evidence)
    })
}

/// A session of the token, on a credential that it has or had.
fn session(token: &Token) -> impl Strategy<Value = (Identity, Evidence)> + use<> {
    let mut all = vec![
        CredentialRef::Anonymous,
        CredentialRef::Password { slot: PasswordSlot::Password1, generation: 1 },
        CredentialRef::Federated { name: "c0".parse().unwrap(), revision: 1 },
    ];
    all.extend(
        token
            .federated_credentials
            .iter()
            .map(|own| CredentialRef::Federated { name: own.name.clone(), revision: own.revision }),
    );
    all.extend(
        token
            .passwords
            .iter()
            .map(|own| CredentialRef::Password { slot: own.slot, generation: own.generation }),
    );
    let credential = select(all);
    let ceiling =
        prop_oneof![permissions().prop_map(Ceiling::Permissions), Just(Ceiling::ScopeMap)];
    let own = if token.registry.as_str() == "local" { 1 } else { 2 };
    // 3: the registry of this name before it was configured anew
    let uid = prop_oneof![8 => Just(own), 1 => 1..=3_u8];
    let token = token.uid;
    let parts = (credential, ceiling, uid, -10..4000_i64);
    parts.prop_map(move |(credential, ceiling, uid, left)| {
        let session = Session {
            id: AccessTokenId::new(now()),
            registry: RegistryUid([uid; 16]),
            token,
            credential,
            holder: "holder".to_owned(),
            ceiling,
            expire_time: after(left),
        };
        let evidence = Evidence::Session {
            access_token: session.id,
            registry: session.registry,
            token: session.token,
            credential: session.credential.clone(),
            holder: session.holder.clone(),
            ceiling: session.ceiling.clone(),
            expire_time: session.expire_time,
        };
        (identities::session(session), evidence)
    })
}

fn anonymous() -> (Identity, Evidence) {
    (identities::anonymous(), Evidence::Anonymous)
}

fn bound() -> impl Strategy<Value = Option<Lifetime>> {
    option::of(select(vec![60, 61, 300, 900, 9000]).prop_map(lifetime))
}

fn end() -> impl Strategy<Value = Option<jiff::Timestamp>> {
    option::weighted(0.3, select(vec![-1, 0, 59, 60, 90, 1000, 100_000]).prop_map(after))
}
