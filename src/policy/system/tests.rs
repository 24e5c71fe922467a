//! What the system has in every registry, and what a token may name.

use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::model::{ActionSet, DefinitionChange, Definitions, Status, Token};
use crate::policy::for_test::{
    OWN, compile, context, credential, definitions, now, request, token, workload,
};
use crate::policy::{Snapshot, decide, explain};

/// `system-scope-maps.json` of the ACR resource provider, as `name: actions`.
const OF_ACR: [(&str, &[&str]); 5] = [
    (
        "_repositories_admin",
        &["metadata/read", "metadata/write", "content/read", "content/write", "content/delete"],
    ),
    ("_repositories_pull", &["content/read"]),
    ("_repositories_pull_metadata_read", &["content/read", "metadata/read"]),
    ("_repositories_push", &["content/read", "content/write"]),
    (
        "_repositories_push_metadata_write",
        &["metadata/read", "metadata/write", "content/read", "content/write"],
    ),
];

#[test]
fn they_are_those_of_azure_container_registry() {
    let registry: RegistryName = "local".parse().unwrap();
    let maps = system_scope_maps(&registry);
    let found: BTreeMap<_, _> = maps
        .iter()
        .map(|map| {
            let [(pattern, actions)] =
                map.permissions.iter().collect::<Vec<_>>().try_into().unwrap();
            assert_eq!(pattern.to_string(), "*");
            (map.name.as_str(), *actions)
        })
        .collect();
    let wanted: BTreeMap<_, _> = OF_ACR
        .iter()
        .map(|(name, actions)| (*name, ActionSet::parse(actions.iter().copied()).unwrap()))
        .collect();
    assert_eq!(found, wanted);
    assert!(maps.is_sorted_by_key(|map| map.name.clone()));
    assert!(maps.iter().all(|map| map.system && map.name.as_str().starts_with(PREFIX)));
}

/// A token that admits `system:ci`.
fn ci(scope_map: &str, status: Status) -> Definitions {
    let ci = credential("ci", OWN, "system:ci", json!({}));
    definitions(Vec::new(), vec![Token { status, ..token("nginx-ci", scope_map, vec![ci]) }])
}

#[test]
fn a_token_may_be_tied_to_one_of_them_and_the_two_evaluators_agree() {
    let definitions = ci("_repositories_pull", Status::Enabled);
    let snapshot = compile(definitions.clone());
    let caller = workload(OWN, "system:ci", json!({}));
    for (actions, allowed) in [("pull", true), ("push", false)] {
        let wanted = request(&[("any/thing", actions)]);
        let permit = decide(&snapshot, &caller, &wanted, now());
        assert_eq!(permit.is_ok(), allowed, "{actions}");
        let trace = explain(&definitions, &context(), &caller.evidence(), &wanted, now());
        assert_eq!(trace.allowed, allowed, "{actions}");
    }
    assert!(snapshot.definitions().scope_maps.is_empty(), "they are not stored");
}

#[test]
fn they_cannot_be_changed_or_taken_away() {
    let snapshot = compile(ci("_repositories_pull", Status::Enabled));
    let registry: RegistryName = "local".parse().unwrap();
    let own = snapshot.scope_map(&registry, "_repositories_pull").unwrap().clone();
    let wider =
        ScopeMap { permissions: [("*".parse().unwrap(), ActionSet::PUSH)].into(), ..own.clone() };
    let changes = [
        DefinitionChange::ScopeMapPut(Box::new(wider)),
        DefinitionChange::ScopeMapGone { registry: registry.clone(), name: own.name.clone() },
    ];
    for change in changes {
        let next = snapshot.apply([change], 2).unwrap();
        assert_eq!(next.scope_map(&registry, "_repositories_pull"), Some(&own));
    }
}

#[test]
fn a_disabled_token_may_name_a_scope_map_that_is_gone_and_admits_nobody() {
    let snapshot = compile(ci("gone-map", Status::Disabled));
    let caller = workload(OWN, "system:ci", json!({}));
    let wanted = request(&[("any/thing", "pull")]);
    assert!(decide(&snapshot, &caller, &wanted, now()).is_err());
    let problems = Snapshot::compile(ci("gone-map", Status::Enabled), &context()).unwrap_err();
    assert!(problems.to_string().contains("`gone-map` is not in that registry"), "{problems}");
}
