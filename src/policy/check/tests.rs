//! Definitions that must not replace those that compile.

use serde_json::{Value, json};

use super::*;
use crate::model::{PasswordSlot, TokenUid};
use crate::policy::for_test::{
    GITHUB, OWN, context, credential, definitions, password, scope_map, token, uid,
};

fn found(definitions: &Definitions) -> Vec<String> {
    problems(definitions, &context())
}

fn with_credential(credential: FederatedCredential) -> Vec<String> {
    found(&definitions(
        vec![scope_map("servers", &[("a", "pull")])],
        vec![token("nginx-ci", "servers", vec![credential])],
    ))
}

fn assert_refused(problems: &[String], remedy: &str) {
    assert!(problems.iter().any(|problem| problem.contains(remedy)), "{problems:?}");
}

#[test]
fn b11_unbounded_federated_credentials_are_refused() {
    for subject in
        ["", "*", "**", "?", "s*", "s?:x", "*:x", "/x*", ":*", "spiffe://**", "spiffe://*/x"]
    {
        let problems = with_credential(credential("ci", OWN, subject, json!({})));
        assert_refused(&problems, "open to everybody");
    }
    // what every token of the issuer has, or any value at all, binds nobody
    for claims in [
        json!({"aud": ["dockpass"]}),
        json!({"/aud": ["dockpass"]}),
        json!({"/aud/0": ["dockpass"]}),
        json!({"iss": [OWN]}),
        json!({"exp": [1_900_000_000]}),
        json!({"jti": ["**"], "iat": [1], "nbf": [1]}),
        json!({"sub": ["*"]}),
        json!({"/sub": ["s*"]}),
        json!({"ref": ["*"]}),
        json!({"ref": ["main", "**"]}),
        json!({"ref": ["?*"]}),
    ] {
        let problems = with_credential(credential("ci", OWN, "", claims));
        assert_refused(&problems, "open to everybody");
    }
    for (subject, claims) in [
        ("s", json!({})),
        ("system:*", json!({})),
        ("spiffe/**", json!({})),
        ("spiffe://example.org/**", json!({})),
        ("", json!({"ref": ["*/main"]})),
        ("", json!({"sub": ["s:*"]})),
        ("", json!({"ref": ["*"], "environment": ["live"]})),
        ("*", json!({"ref": ["main"]})),
    ] {
        assert_eq!(with_credential(credential("ci", OWN, subject, claims)), Vec::<String>::new());
    }
}

fn shared(subject: &str, claims: Value) -> Vec<String> {
    with_credential(credential("ci", GITHUB, subject, claims))
}

#[test]
fn b11_at_a_shared_issuer_a_tenant_is_bound_by_exact_values() {
    for claim in [
        "repository_id",
        "repository_owner_id",
        "/repository_id",
        "project_id",
        "namespace_id",
        "tid",
    ] {
        assert!(shared("", json!({claim: ["1", 2]})).is_empty(), "{claim}");
    }
    // a name can be given up and taken by somebody else
    assert_refused(
        &shared("repo:octo-org/octo-repo:ref:refs/heads/main", json!({})),
        "many tenants",
    );
    for claims in [
        json!({"repository": ["octo-org/octo-repo"]}),
        json!({"repository_id": ["1*"]}),
        json!({"repository_id": ["1", "?"]}),
        json!({"repository_id": [true]}),
        json!({"repository_id": [""]}),
        json!({"repository_id": []}),
        json!({"/deep/repository_id": ["1"]}),
    ] {
        assert_refused(&shared("", claims), "many tenants");
    }
}

#[test]
fn a_service_account_of_google_is_bound_by_its_number() {
    let mut context = context();
    let url = "https://accounts.google.com";
    context.issuers.push(Issuer { issuer: url.parse().unwrap(), shared: true });
    let with = |subject: &str, claims| {
        let token = token("nginx-ci", "servers", vec![credential("ci", url, subject, claims)]);
        problems(&definitions(vec![scope_map("servers", &[("a", "pull")])], vec![token]), &context)
    };
    assert!(with("110169484474386276334", json!({})).is_empty());
    assert_refused(&with("1101694844743862763*", json!({})), "many tenants");
    assert_refused(&with("", json!({"email": ["a@b.example"]})), "many tenants");
}

#[test]
fn c4_what_is_unknown_double_or_empty_is_refused_all_at_once() {
    let mut bad = definitions(
        vec![scope_map("servers", &[("a", "pull")]), scope_map("servers", &[("a", "")])],
        vec![
            token(
                "nginx-ci",
                "missing",
                vec![credential("ci", "https://x.example", "s", json!({}))],
            ),
            token(
                "nginx-ci",
                "servers",
                vec![
                    credential("ci", OWN, "s", json!({"ref": []})),
                    credential("ci", OWN, "s", json!({})),
                ],
            ),
        ],
    );
    bad.scope_maps.push(scope_map("empty", &[]));
    bad.scope_maps.push(scope_map("_repositories_pull", &[("*", "pull")]));
    bad.scope_maps[0].registry = "nowhere".parse().unwrap();
    let claims = &mut bad.tokens[1].federated_credentials[0].claims;
    *claims = [claims.clone(), claims.clone()].concat().into();
    let problems = found(&bad);
    for remedy in [
        "scope map `servers` of registry `nowhere`: the registry is not configured",
        "`a` has no actions",
        "scope map `empty` of registry `local`: it has no permissions",
        "names that start with `_repositories_` are kept",
        "its scope map `missing` is not in that registry",
        "issuer `https://x.example` is not configured",
        "claim `ref` has no accepted value",
        "claim `ref` is there twice",
        "the token has two of that name",
        "token `nginx-ci` of registry `local`: there are two of that name",
    ] {
        assert_refused(&problems, remedy);
    }
}

#[test]
fn a_scope_map_of_another_registry_is_not_the_tokens() {
    let mut foreign = scope_map("servers", &[("a", "pull")]);
    foreign.registry = "other".parse().unwrap();
    let problems =
        found(&definitions(vec![foreign], vec![token("nginx-ci", "servers", Vec::new())]));
    assert_refused(&problems, "is not in that registry");
}

#[test]
fn two_of_one_uid_slot_or_secret_are_refused() {
    let map = scope_map("servers", &[("a", "pull")]);
    let same: TokenUid = uid();
    let mut first = token("first", "servers", Vec::new());
    first.uid = same;
    first.passwords =
        vec![password(PasswordSlot::Password1, 1, 1), password(PasswordSlot::Password1, 2, 2)];
    let mut second = token("second", "servers", Vec::new());
    second.uid = same;
    second.passwords = vec![password(PasswordSlot::Password2, 1, 1)];
    let problems = found(&definitions(vec![map], vec![first, second]));
    assert_refused(&problems, "it has two of password1");
    assert_refused(&problems, "another token has its uid");
    assert_refused(&problems, "another password has the secret of its password2");
}
