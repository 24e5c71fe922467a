//! Tokens as the issuers in the field make them: what is verified of them, and what a policy then sees.

use serde_json::json;

use super::super::testing::{AUDIENCE, Bench, RSA};
use super::super::*;
use crate::identity::{Algorithm, Evidence, Identity, Kind};
use crate::model::ClaimCondition;

/// Verifies a token of these claims, signed with RS256 as all of these issuers do, under the header that they write.
async fn verify(header: &Value, claims: &Value) -> Result<Identity, Error> {
    let bench = Bench::new().await;
    bench.serve(&[RSA.jwk("key-of-the-sample")]);
    let claims = bench.claims_with(claims).to_string();
    let token = RSA.token(Algorithm::RS256, &header.to_string(), &claims);
    bench.oidc.verify(&token).await.map(|workload| Identity(Kind::Workload(workload)))
}

fn header() -> Value {
    json!({"alg": "RS256", "kid": "key-of-the-sample", "typ": "JWT"})
}

fn claims_of(identity: &Identity) -> Map<String, Value> {
    match identity.evidence() {
        Evidence::Workload { claims, .. } => claims,
        other => panic!("{other:?}"),
    }
}

fn holds(identity: &Identity, name: &str, accepted: &Value) -> bool {
    let condition = ClaimCondition {
        name: name.parse().unwrap(),
        accepted: serde_json::from_value(json!([accepted])).unwrap(),
    };
    condition.holds(&claims_of(identity))
}

fn github(changes: &Value) -> Value {
    let mut claims = json!({
        "jti": "example-id",
        "sub": "repo:octo-org/octo-repo:ref:refs/heads/main",
        "environment": "prod",
        "ref": "refs/heads/main",
        "sha": "example-sha",
        "repository": "octo-org/octo-repo",
        "repository_id": "74",
        "repository_owner": "octo-org",
        "repository_owner_id": "65",
        "repository_visibility": "private",
        "actor": "octocat",
        "actor_id": "12",
        "run_id": "example-run-id",
        "run_number": "10",
        "run_attempt": "2",
        "runner_environment": "github-hosted",
        "head_ref": "",
        "base_ref": "",
        "event_name": "push",
        "ref_type": "branch",
        "job_workflow_ref": "octo-org/octo-automation/.github/workflows/oidc.yml@refs/heads/main",
    });
    claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    claims
}

#[tokio::test]
async fn github_actions() {
    let sample = json!({"typ": "JWT", "alg": "RS256", "x5t": "example-thumbprint", "kid": "key-of-the-sample"});
    let identity = verify(&sample, &github(&json!({}))).await.unwrap();
    match identity.evidence() {
        Evidence::Workload { subject, .. } => {
            assert_eq!(subject, "repo:octo-org/octo-repo:ref:refs/heads/main");
        }
        other => panic!("{other:?}"),
    }
    assert!(holds(&identity, "repository_id", &json!("74")));
    assert!(!holds(&identity, "repository_id", &json!(74)));
    assert!(holds(&identity, "environment", &json!("prod")));
}

#[tokio::test]
async fn b8_github_recycled_names_forks_and_pull_requests_differ_in_what_is_verified() {
    let recycled = verify(&header(), &github(&json!({"repository_id": "75"}))).await.unwrap();
    assert!(holds(&recycled, "repository", &json!("octo-org/octo-repo")));
    assert!(!holds(&recycled, "repository_id", &json!("74")));
    let new_form = json!({"sub": "repo:octo-org@65/octo-repo@74:ref:refs/heads/main"});
    let new_form = verify(&header(), &github(&new_form)).await.unwrap();
    assert!(holds(&new_form, "sub", &json!("repo:octo-org@65/octo-repo@74:ref:refs/heads/main")));
    let pull_request = json!({
        "sub": "repo:octo-org/octo-repo:pull_request", "event_name": "pull_request", "ref": "refs/pull/1/merge",
    });
    let pull_request = verify(&header(), &github(&pull_request)).await.unwrap();
    assert!(!holds(&pull_request, "ref", &json!("refs/heads/main")));
    let other = json!({"job_workflow_ref": "evil/evil/.github/workflows/oidc.yml@refs/heads/main"});
    let other = verify(&header(), &github(&other)).await.unwrap();
    assert!(!holds(&other, "job_workflow_ref", &json!("octo-org/**")));
}

#[tokio::test]
async fn gitlab() {
    let claims = json!({
        "namespace_id": "72", "namespace_path": "my-group",
        "project_id": "20", "project_path": "my-group/my-project", "project_visibility": "public",
        "user_id": "1", "user_login": "sample-user", "user_email": "sample-user@example.com",
        "user_access_level": "developer",
        "user_identities": [{"provider": "github", "extern_uid": "2435223452345"}],
        "groups_direct": ["mygroup/mysubgroup", "myothergroup/myothersubgroup"],
        "pipeline_id": "574", "pipeline_source": "push", "job_id": "302",
        "ref": "feature-branch-1", "ref_type": "branch", "ref_path": "refs/heads/feature-branch-1",
        "ref_protected": "false", "environment": "test-environment2", "environment_protected": "false",
        "deployment_tier": "testing", "runner_id": 1, "runner_environment": "self-hosted",
        "sha": "714a629c0b401fdce83e847fc9589983fc6f46bc",
        "ci_config_ref_uri": "gitlab.example.com/my-group/my-project//.gitlab-ci.yml@refs/heads/main",
        "sub": "project_path:my-group/my-project:ref_type:branch:ref:feature-branch-1",
        "jti": "235b3a54-b797-45c7-ae9a-f72d7bc6ef5b",
    });
    let identity = verify(&header(), &claims).await.unwrap();
    assert!(holds(&identity, "project_id", &json!("20")));
    assert!(holds(&identity, "runner_id", &json!(1)));
    assert!(!holds(&identity, "runner_id", &json!("1")));
    assert!(holds(&identity, "groups_direct", &json!("mygroup/mysubgroup")));
    // b9: a text, not a truth value
    assert!(holds(&identity, "ref_protected", &json!("false")));
    assert!(!holds(&identity, "ref_protected", &json!(false)));
    assert!(!holds(&identity, "ref_protected", &json!("true")));
}

#[tokio::test]
async fn b9_gitlab_fork_pipelines_show_an_unprotected_ref() {
    let fork = json!({
        "sub": "project_path:stranger/my-project:ref_type:branch:ref:main", "project_id": "99",
        "project_path": "stranger/my-project", "ref": "main", "ref_protected": "false",
    });
    let identity = verify(&header(), &fork).await.unwrap();
    assert!(!holds(&identity, "ref_protected", &json!("true")));
    assert!(!holds(&identity, "project_id", &json!("20")));
}

fn kubernetes(audience: &Value) -> Value {
    json!({
        "aud": audience,
        "jti": "ea28ed49-2e11-4280-9ec5-bc3d1d84661a",
        "sub": "system:serviceaccount:builds:pusher",
        "kubernetes.io": {
            "namespace": "builds",
            "node": {"name": "127.0.0.1", "uid": "58456cb0-dd00-45ed-b797-5578fdceaced"},
            "pod": {"name": "pod-1", "uid": "778a530c-b3f4-47c0-9cd5-ab018fb64f33"},
            "serviceaccount": {"name": "pusher", "uid": "a087d5a0-e1dd-43ec-93ac-f13d89cd13af"},
            "warnafter": 1_790_003_607,
        },
    })
}

#[tokio::test]
async fn kubernetes_service_account() {
    let sample = json!({"alg": "RS256", "kid": "key-of-the-sample"});
    let identity = verify(&sample, &kubernetes(&json!([AUDIENCE]))).await.unwrap();
    assert!(holds(&identity, "/kubernetes.io/namespace", &json!("builds")));
    assert!(holds(&identity, "/kubernetes.io/serviceaccount/name", &json!("pusher")));
}

#[tokio::test]
async fn b10_tokens_for_the_kubernetes_api_server_or_for_entra_are_refused() {
    for audience in [
        json!(["https://kubernetes.default.svc.cluster.local"]),
        json!(["https://kubernetes.default.svc.cluster.local", AUDIENCE]),
        json!(["api://AzureADTokenExchange"]),
        json!("api://AzureADTokenExchange"),
        json!(["sts.amazonaws.com"]),
    ] {
        match verify(&header(), &kubernetes(&audience)).await {
            Err(Error::Invalid { check: Check::Audience, .. }) => {}
            other => panic!("{audience}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn entra() {
    let v2 = json!({
        "ver": "2.0", "tid": "72f988bf-86f1-41af-91ab-2d7cd011db47",
        "oid": "690222be-ff1a-4d56-abd1-7e4f7d38e474", "azp": "6e74172b-be56-4843-9ff4-e66a39bb12e3",
        "azpacr": "2", "sub": "690222be-ff1a-4d56-abd1-7e4f7d38e474", "roles": ["Images.Push"],
        "rh": "I", "uti": "uti", "aio": "aio",
    });
    let identity = verify(&header(), &v2).await.unwrap();
    assert!(holds(&identity, "oid", &json!("690222be-ff1a-4d56-abd1-7e4f7d38e474")));
    assert!(holds(&identity, "roles", &json!("Images.Push")));
    // version 1 also names its key by thumbprint
    let v1 = json!({"typ": "JWT", "alg": "RS256", "x5t": "key-of-the-sample", "kid": "key-of-the-sample"});
    let claims =
        json!({"ver": "1.0", "appid": "6e74172b-be56-4843-9ff4-e66a39bb12e3", "appidacr": "1"});
    assert!(verify(&v1, &claims).await.is_ok());
}

#[tokio::test]
async fn aws_names_its_claims_with_a_url() {
    let claims = json!({
        "sub": "arn:aws:iam::123456789012:role/pusher",
        "https://sts.amazonaws.com/": {"aws_account": "123456789012", "principal_tags": {"team": "web"}},
    });
    let identity = verify(&header(), &claims).await.unwrap();
    assert!(holds(&identity, "/https:~1~1sts.amazonaws.com~1/aws_account", &json!("123456789012")));
}
