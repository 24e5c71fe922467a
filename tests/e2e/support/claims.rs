//! The claims of identity tokens, as the platforms that make them write them.

use serde_json::{Value, json};

/// GitHub Actions: a job of `servers/nginx` (repository 123456) on a ref; numbers are texts.
pub(crate) fn github(repository_id: &str, git_ref: &str) -> Value {
    json!({
        "sub": format!("repo:servers/nginx:ref:{git_ref}"),
        "repository": "servers/nginx",
        "repository_id": repository_id,
        "repository_owner": "servers",
        "repository_owner_id": "654321",
        "repository_visibility": "private",
        "ref": git_ref,
        "ref_type": "branch",
        "sha": "1f2e3d4c5b6a79881f2e3d4c5b6a79881f2e3d4c",
        "event_name": "push",
        "actor": "octo",
        "actor_id": "12",
        "workflow": "release",
        "workflow_ref": format!("servers/nginx/.github/workflows/release.yml@{git_ref}"),
        "job_workflow_ref": format!("servers/nginx/.github/workflows/release.yml@{git_ref}"),
        "run_id": "3000000000",
        "run_number": "7",
        "run_attempt": "1",
        "runner_environment": "github-hosted",
    })
}

/// GitLab CI: `ref_protected` is a text, `runner_id` a number.
pub(crate) fn gitlab(project_id: &str) -> Value {
    json!({
        "sub": "project_path:field/agent:ref_type:branch:ref:main",
        "namespace_id": "72",
        "namespace_path": "field",
        "project_id": project_id,
        "project_path": "field/agent",
        "user_login": "octo",
        "pipeline_id": "574",
        "pipeline_source": "push",
        "job_id": "302",
        "ref": "main",
        "ref_type": "branch",
        "ref_path": "refs/heads/main",
        "ref_protected": "true",
        "runner_id": 1,
        "runner_environment": "self-hosted",
    })
}

/// A Kubernetes service account: the namespace stands below a name with a dot.
pub(crate) fn kubernetes(namespace: &str, service_account: &str) -> Value {
    json!({
        "sub": format!("system:serviceaccount:{namespace}:{service_account}"),
        "kubernetes.io": {
            "namespace": namespace,
            "serviceaccount": {"name": service_account, "uid": "0f1e2d3c-0000-4000-8000-000000000001"},
            "pod": {"name": "puller-0", "uid": "0f1e2d3c-0000-4000-8000-000000000002"},
        },
    })
}

/// Entra, version 2.0: an application acting for itself.
pub(crate) fn entra(tenant: &str, application: &str) -> Value {
    json!({
        "sub": "0f1e2d3c-0000-4000-8000-000000000003",
        "oid": "0f1e2d3c-0000-4000-8000-000000000003",
        "tid": tenant,
        "azp": application,
        "azpacr": "2",
        "ver": "2.0",
    })
}
