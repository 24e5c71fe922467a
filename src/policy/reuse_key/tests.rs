//! Clauses G2 and B7: whatever differs makes another key.

use std::sync::Arc;

use serde_json::{Value, json};

use super::ReuseKey;
use crate::identity::Identity;
use crate::model::{AccessRequest, Definitions, Form, Token, TokenUid};
use crate::policy::admission::Grounds;
use crate::policy::decide;
use crate::policy::for_test::{
    OWN, after, compile, credential, definitions, lifetime, now, request, scope_map, token, uid,
    workload,
};
use crate::policy::place::Place;

#[derive(Clone)]
struct Case {
    definitions: Definitions,
    identity: Identity,
    request: AccessRequest,
}

fn case() -> Case {
    let credential =
        credential("ci", OWN, "system:*", json!({"ref": ["*", "**", 1], "team": ["*", "**"]}));
    Case {
        definitions: definitions(
            vec![scope_map("servers", &[("*", "push")])],
            vec![token("nginx-ci", "servers", vec![credential])],
        ),
        identity: seen("system:a", json!({"ref": "x", "team": "y"})),
        request: request(&[("a", "pull")]),
    }
}

fn seen(subject: &str, claims: Value) -> Identity {
    workload(OWN, subject, claims)
}

fn key(case: &Case) -> ReuseKey {
    decide(&compile(case.definitions.clone()), &case.identity, &case.request, now())
        .unwrap()
        .reuse_key()
}

#[test]
fn g2_another_identity_claim_revision_permission_form_or_bound_is_another_key() {
    type Change = fn(&mut Case);
    let changes: [(&str, Change); 17] = [
        ("subject", |c| c.identity = seen("system:b", json!({"ref": "x", "team": "y"}))),
        ("claim", |c| c.identity = seen("system:a", json!({"ref": "z", "team": "y"}))),
        ("type", |c| c.identity = seen("system:a", json!({"ref": 1, "team": "y"}))),
        ("list", |c| c.identity = seen("system:a", json!({"ref": ["x"], "team": "y"}))),
        ("swapped", |c| c.identity = seen("system:a", json!({"ref": "y", "team": "x"}))),
        ("token", |c| c.definitions.tokens[0].uid = uid()),
        ("scope-map revision", |c| c.definitions.scope_maps[0].revision = 2),
        ("scope map", |c| {
            c.definitions.scope_maps[0].name = "servers2".parse().unwrap();
            c.definitions.tokens[0].scope_map = "servers2".parse().unwrap();
        }),
        ("credential's name", |c| {
            c.definitions.tokens[0].federated_credentials[0].name = "cj".parse().unwrap();
        }),
        ("credential's revision", |c| {
            c.definitions.tokens[0].federated_credentials[0].revision = 2;
        }),
        ("repository", |c| c.request = request(&[("b", "pull")])),
        ("actions", |c| c.request = request(&[("a", "push")])),
        ("more repositories", |c| c.request = request(&[("a", "pull"), ("b", "pull")])),
        ("form", |c| c.request.form = Form::PasswordAndBearer),
        ("shorter", |c| c.request.lifetime = Some(lifetime(60))),
        ("the token's end", |c| c.definitions.tokens[0].expire_time = Some(after(800))),
        ("the identity's end", |c| {
            c.definitions.tokens[0].federated_credentials[0].bind_to_identity_expiry = true;
        }),
    ];
    let base = case();
    let mut keys = vec![("nothing", key(&base))];
    for (name, change) in changes {
        let mut changed = base.clone();
        change(&mut changed);
        keys.push((name, key(&changed)));
    }
    for (at, (name, key)) in keys.iter().enumerate() {
        let twin = keys[..at].iter().find(|(_, other)| other == key);
        assert!(twin.is_none(), "{name} and {twin:?}");
    }
}

#[test]
fn g2_the_same_identity_with_a_new_identity_token_has_the_same_key() {
    let base = case();
    let later = Case {
        identity: seen(
            "system:a",
            json!({"ref": "x", "team": "y", "jti": "2", "iat": 2, "exp": 3, "run_id": "9"}),
        ),
        ..base.clone()
    };
    assert_eq!(key(&base), key(&later));
    let snapshot = compile(base.definitions.clone());
    let ten_minutes_on = decide(&snapshot, &base.identity, &base.request, after(600));
    assert_eq!(ten_minutes_on.unwrap().reuse_key(), key(&base));
}

#[test]
fn b7_separators_inside_values_do_not_make_two_identities_one() {
    let base = case();
    let with = |subject: &str, name: &str, team: &str| {
        key(&Case { identity: seen(subject, json!({"ref": name, "team": team})), ..base.clone() })
    };
    let values = ["x", "x\",\"y", "x,y", "x|y", "x y", "x\u{0}y", "x:y", "x\ny", ""];
    let mut keys = Vec::new();
    for name in values {
        for team in values {
            keys.push(with("system:a", name, team));
        }
    }
    keys.push(with("system:aref", "x", "y"));
    let all = keys.len();
    let different: std::collections::HashSet<_> = keys.into_iter().collect();
    assert_eq!(different.len(), all);
}

/// Access tokens that were handed out before an update are handed out again after it: the key of what is asked for stays.
#[test]
fn g2_the_key_of_one_request_is_the_same_in_every_version() {
    let mut own = credential(
        "ci",
        OWN,
        "system:*",
        json!({"ref": ["*", "a*b"], "id": [7], "groups": ["x"], "/k/n": [true]}),
    );
    own.revision = 3;
    own.bind_to_identity_expiry = true;
    own.max_lifetime = Some(lifetime(600));
    let mut tokens = vec![token("nginx-ci", "servers", vec![own])];
    tokens[0].uid = TokenUid::from_bytes([7; 16]);
    let definitions = definitions(vec![scope_map("servers", &[("web/*", "push")])], tokens);
    let claims = json!({
        "ref": "réf \"1\"", "id": 7, "groups": ["y", "x"], "k": {"n": true}, "jti": "1",
    });
    let case = Case {
        definitions,
        identity: seen("system:a", claims),
        request: AccessRequest {
            form: Form::PasswordAndBearer,
            ..request(&[("web/a", "pull"), ("web/b", "push")])
        },
    };
    let hex = |half: &[u8]| format!("{:032x}", u128::from_be_bytes(half.try_into().unwrap()));
    let key = key(&case);
    let (first, second) = key.as_bytes().split_at(16);
    assert_eq!(
        hex(first) + &hex(second),
        "986c07d7c1c85ec2a38001645f20c54af7fc69c36f9446deedc2649195d7ea60"
    );
}

#[test]
fn g2_without_a_credential_to_tell_what_is_tested_all_claims_are() {
    let base = case();
    let snapshot = compile(base.definitions.clone());
    let key = |claims: Value| {
        let identity = seen("system:a", claims);
        let mut gone: Place;
        let mut permit = decide(&snapshot, &identity, &base.request, now()).unwrap();
        let Grounds::Workload(workload, place) = permit.grounds else { panic!("it is a workload") };
        gone = place.clone();
        gone.token =
            Arc::new(Token { federated_credentials: Vec::new(), ..Token::clone(&gone.token) });
        permit.grounds = Grounds::Workload(workload, &gone);
        permit.reuse_key()
    };
    let one = key(json!({"ref": "x", "team": "y"}));
    assert_eq!(one, key(json!({"ref": "x", "team": "y"})));
    assert_ne!(one, key(json!({"ref": "z", "team": "y"})));
    assert_ne!(one, key(json!({"ref": "x", "team": "y", "jti": "1"})));
}
