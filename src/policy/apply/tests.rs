//! What is refused when it is compiled is refused when it is applied.

use serde_json::json;

use super::*;
use crate::model::PasswordSlot;
use crate::policy::for_test::{OWN, compile, credential, definitions, password, scope_map, token};

fn base() -> Snapshot {
    let mut first = token("first", "servers", vec![credential("ci", OWN, "s:x", json!({}))]);
    first.passwords = vec![password(PasswordSlot::Password1, 1, 1)];
    compile(definitions(vec![scope_map("servers", &[("a", "pull")])], vec![first]))
}

fn put(token: Token) -> DefinitionChange {
    DefinitionChange::TokenPut(Box::new(token))
}

fn problem(snapshot: &Snapshot, change: DefinitionChange) -> String {
    snapshot.apply([change], 2).unwrap_err().problems.join("; ")
}

#[test]
fn a_change_that_does_not_compile_is_refused_with_the_definition_named() {
    let base = base();
    let named = |change: DefinitionChange, definition: &str, about: &str| {
        let problem = problem(&base, change);
        assert!(problem.contains(definition) && problem.contains(about), "{problem}");
    };
    let open = vec![credential("ci", OWN, "", json!({}))];
    let foreign = vec![credential("ci", "https://stranger.example", "s:x", json!({}))];
    named(put(token("second", "missing", Vec::new())), "token `second`", "scope map `missing`");
    named(put(token("second", "servers", open)), "credential `ci`", "open to everybody");
    named(put(token("second", "servers", foreign)), "credential `ci`", "not configured");
    let mut elsewhere = token("second", "servers", Vec::new());
    elsewhere.registry = "nowhere".parse().unwrap();
    named(put(elsewhere), "token `second`", "registry is not configured");
    let empty = DefinitionChange::ScopeMapPut(Box::new(scope_map("empty", &[])));
    named(empty, "scope map `empty`", "no permissions");
}

#[test]
fn c4_one_uid_or_one_secret_for_two_tokens_is_refused() {
    let base = base();
    let first = base.definitions().tokens.remove(0);
    let mut second = token("second", "servers", Vec::new());
    second.uid = first.uid;
    assert!(problem(&base, put(second)).contains("has its uid"));
    let mut second = token("second", "servers", Vec::new());
    second.passwords = first.passwords.clone();
    assert!(problem(&base, put(second)).contains("has the secret of its password1"));
    // but a token may take the name of the one that goes in the same change
    let gone =
        DefinitionChange::TokenGone { registry: first.registry.clone(), name: first.name.clone() };
    let renamed = Token { name: "renamed".parse().unwrap(), ..first };
    let next = base.apply([put(renamed), gone], 2).unwrap();
    assert_eq!(next.definitions().tokens[0].name.as_str(), "renamed");
    assert_eq!(next.revision(), 2);
}

#[test]
fn a_scope_map_goes_only_with_its_tokens() {
    let base = base();
    let first = base.definitions().tokens.remove(0);
    let map_gone = DefinitionChange::ScopeMapGone {
        registry: first.registry.clone(),
        name: first.scope_map.clone(),
    };
    let problem = problem(&base, map_gone.clone());
    assert!(problem.contains("token `first`") && problem.contains("`servers`"), "{problem}");
    let token_gone = DefinitionChange::TokenGone { registry: first.registry, name: first.name };
    assert!(base.apply([map_gone, token_gone], 2).unwrap().definitions().scope_maps.is_empty());
}

#[test]
fn the_last_of_several_changes_of_one_definition_counts() {
    let base = base();
    let first = base.definitions().tokens.remove(0);
    let gone =
        DefinitionChange::TokenGone { registry: first.registry.clone(), name: first.name.clone() };
    let again = base.apply([gone.clone(), put(first.clone())], 2).unwrap();
    assert_eq!(again.definitions().tokens, [first.clone()]);
    assert!(base.apply([put(first), gone], 2).unwrap().definitions().tokens.is_empty());
}
