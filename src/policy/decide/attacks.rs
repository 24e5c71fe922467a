//! Identities that must not get in: the clauses B3 to B9 and C2 of the promises.

use serde_json::{Value, json};

use crate::policy::for_test::{
    GITHUB, OWN, compile, credential, definitions, now, request, scope_map, token, workload,
};
use crate::policy::{Denial, decide};

/// One token whose federated credential has these conditions; does it admit an identity with these claims?
fn admits(issuer: &str, subject: &str, accepted: Value, seen: (&str, &str, Value)) -> bool {
    let credential = credential("only", issuer, subject, accepted);
    let snapshot = compile(definitions(
        vec![scope_map("servers", &[("servers/*", "pull")])],
        vec![token("nginx-ci", "servers", vec![credential])],
    ));
    let identity = workload(seen.0, seen.1, seen.2);
    match decide(&snapshot, &identity, &request(&[("servers/nginx", "pull")]), now()) {
        Ok(_) => true,
        Err(denial) => {
            assert_eq!(denial, Denial::NoToken);
            false
        }
    }
}

#[test]
fn b3_a_claim_that_is_missing_null_empty_object_or_of_another_type_never_admits() {
    let accepted = json!({"ref": ["*", "**", "refs/heads/main"], "id": [7]});
    let good = json!({"ref": "refs/heads/main", "id": 7});
    assert!(admits(OWN, "", accepted.clone(), (OWN, "s", good)));
    for bad in [
        json!({"id": 7}),
        json!({"ref": null, "id": 7}),
        json!({"ref": {}, "id": 7}),
        json!({"ref": {"ref": "refs/heads/main"}, "id": 7}),
        json!({"ref": [], "id": 7}),
        json!({"ref": 1, "id": 7}),
        json!({"ref": true, "id": 7}),
        json!({"ref": "refs/heads/main", "id": "7"}),
        json!({"ref": "refs/heads/main", "id": [[7]]}),
        json!({"REF": "refs/heads/main", "id": 7}),
    ] {
        assert!(!admits(OWN, "", accepted.clone(), (OWN, "s", bad.clone())), "{bad}");
    }
    let empty = json!({"ref": ["?*"], "id": [7]});
    assert!(!admits(OWN, "", empty, (OWN, "s", json!({"ref": "", "id": 7}))));
}

#[test]
fn b4_numbers_are_compared_as_whole_numbers_of_64_bits() {
    let accepted = json!({"id": [9_007_199_254_740_993_i64]});
    let seen = |number: &str| {
        let claims = serde_json::from_str(&format!(r#"{{"id": {number}}}"#)).unwrap();
        admits(OWN, "", accepted.clone(), (OWN, "s", claims))
    };
    assert!(seen("9007199254740993"));
    for other in
        ["9007199254740992", "9007199254740994", "9007199254740993.0", "9007199254740993e0"]
    {
        assert!(!seen(other), "{other}");
    }
    assert!(!admits(OWN, "", json!({"id": [123]}), (OWN, "s", json!({"id": 123.0}))));
    assert!(!admits(OWN, "", json!({"id": [-1]}), (OWN, "s", json!({"id": u64::MAX}))));
}

#[test]
fn b6_the_same_subject_and_claims_from_another_issuer_do_not_admit() {
    let accepted = || json!({"repository_id": ["1"]});
    let claims = || json!({"repository_id": "1"});
    assert!(admits(GITHUB, "s", accepted(), (GITHUB, "s", claims())));
    for other in [
        OWN,
        "https://token.actions.githubusercontent.com/",
        "http://token.actions.githubusercontent.com",
        "https://token.actions.githubusercontent.com:443",
        "https://token.actions.githubusercontent.com.evil.example",
    ] {
        assert!(!admits(GITHUB, "s", accepted(), (other, "s", claims())), "{other}");
    }
}

fn github_sample() -> Value {
    json!({
        "repository": "octo-org/octo-repo", "repository_id": "74", "repository_owner": "octo-org",
        "repository_owner_id": "65", "ref": "refs/heads/main", "ref_type": "branch",
        "event_name": "push", "environment": "prod", "base_ref": "", "head_ref": "",
        "job_workflow_ref": "octo-org/octo-automation/.github/workflows/oidc.yml@refs/heads/main",
    })
}

#[test]
fn b8_github_a_recycled_name_a_fork_a_pull_request_or_another_workflow_do_not_admit() {
    let subject = "repo:octo-org/octo-repo:environment:prod";
    let accepted = || {
        json!({
            "repository_id": ["74"], "environment": ["prod"], "event_name": ["push"],
            "job_workflow_ref": ["octo-org/octo-automation/.github/workflows/oidc.yml@refs/heads/main"],
        })
    };
    let seen = |subject: &str, changes: Value| {
        let mut claims = github_sample();
        let members = claims.as_object_mut().unwrap();
        members.extend(crate::policy::for_test::object(changes));
        members.retain(|_, value| !value.is_null());
        admits(GITHUB, "", accepted(), (GITHUB, subject, claims))
    };
    assert!(seen(subject, json!({})));
    // after July 2026 the subject of the same repository has another form
    assert!(seen("repo:octo-org@65/octo-repo@74:environment:prod", json!({})));
    assert!(!seen(subject, json!({"repository_id": "75"})), "recycled name");
    assert!(!seen(subject, json!({"repository_id": "99", "repository": "evil/octo-repo"})), "fork");
    assert!(!seen("repo:octo-org/octo-repo:pull_request", json!({"event_name": "pull_request"})));
    assert!(!seen(subject, json!({"environment": null})), "missing environment");
    let foreign = "evil/octo-automation/.github/workflows/oidc.yml@refs/heads/main";
    assert!(!seen(subject, json!({"job_workflow_ref": foreign})));
}

#[test]
fn b8_a_subject_with_owner_and_repository_ids_does_not_fit_a_pattern_of_the_old_form() {
    let tenant = || json!({"repository_owner_id": ["65"]});
    let claims = || json!({"repository_owner_id": "65"});
    let old = "repo:octo-org/octo-repo:ref:refs/heads/main";
    let new = "repo:octo-org@65/octo-repo@74:ref:refs/heads/main";
    assert!(admits(GITHUB, old, tenant(), (GITHUB, old, claims())));
    assert!(!admits(GITHUB, old, tenant(), (GITHUB, new, claims())));
    assert!(!admits(GITHUB, "repo:octo-org/*:**", tenant(), (GITHUB, new, claims())));
    assert!(admits(GITHUB, "repo:octo-org@65/*:**", tenant(), (GITHUB, new, claims())));
    assert!(!admits(
        GITHUB,
        "repo:octo-org@65/*:**",
        tenant(),
        (GITHUB, "repo:octo-org@651/x:y", claims())
    ));
}

#[test]
fn b9_gitlab_a_merge_request_pipeline_of_a_fork_does_not_admit() {
    let issuer = OWN;
    let accepted = || json!({"project_id": ["22"], "ref": ["main"], "ref_protected": ["true"]});
    let seen = |claims: Value| {
        admits(
            issuer,
            "",
            accepted(),
            (issuer, "project_path:g/p:ref_type:branch:ref:main", claims),
        )
    };
    assert!(seen(json!({"project_id": "22", "ref": "main", "ref_protected": "true"})));
    assert!(
        !seen(json!({"project_id": "99", "ref": "main", "ref_protected": "true"})),
        "the fork's id"
    );
    assert!(!seen(json!({"project_id": "22", "ref": "main", "ref_protected": "false"})));
    assert!(
        !seen(json!({"project_id": "22", "ref": "main", "ref_protected": true})),
        "another type"
    );
    assert!(!seen(json!({"project_id": "22", "ref": "main"})));
}

#[test]
fn c2_values_of_a_token_that_look_like_patterns_are_only_values() {
    for value in ["*", "**", "?", "refs/heads/*", "main|*", ".*"] {
        let claims = json!({"ref": value});
        assert!(!admits(OWN, "", json!({"ref": ["main"]}), (OWN, "s", claims)), "{value}");
        assert!(!admits(OWN, "system:a", json!({}), (OWN, value, json!({}))), "{value}");
    }
    assert!(!admits(
        OWN,
        "",
        json!({"ref": ["refs/heads/*"]}),
        (OWN, "s", json!({"ref": "refs/heads/a/b"}))
    ));
}

#[test]
fn claims_of_a_kubernetes_service_account_are_reached_by_pointer() {
    let accepted = || json!({"/kubernetes.io/namespace": ["web"], "/kubernetes.io/serviceaccount/name": ["pusher"]});
    let seen = |namespace: &str| {
        let claims = json!({"kubernetes.io": {"namespace": namespace, "serviceaccount": {"name": "pusher"}}});
        admits(OWN, "", accepted(), (OWN, "system:serviceaccount:web:pusher", claims))
    };
    assert!(seen("web"));
    assert!(!seen("other"));
}
