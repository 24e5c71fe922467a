//! What binds a federated credential: to somebody at all, and to one tenant of an issuer that many share.

use crate::model::{Accepted, ClaimCondition, ClaimName, FederatedCredential, Glob};

/// Claims whose values an issuer gives to one tenant and never to another. Names are not among them: a name that is
/// given up can be taken by somebody else, who then has the same `sub` on GitHub (attack clause B8).
pub(super) const TENANT_CLAIMS: [&str; 12] = [
    // GitHub Actions
    "repository_id",
    "repository_owner_id",
    "enterprise_id",
    // GitLab
    "project_id",
    "namespace_id",
    // Buildkite
    "organization_id",
    "pipeline_id",
    // Microsoft Entra
    "tid",
    // Google
    "/google/compute_engine/project_number",
    // HCP Terraform
    "terraform_organization_id",
    "terraform_workspace_id",
    // CircleCI
    "oidc.circleci.com/project-id",
];

/// Issuers whose `sub` is such a value as well: the number of a service account.
const SUBJECT_IS_TENANT: [&str; 1] = ["https://accounts.google.com"];

/// Claims that say nothing about whom a token was made for: every token of the issuer has them alike, or each its own.
const UNBINDING_CLAIMS: [&str; 6] = ["aud", "exp", "iat", "iss", "jti", "nbf"];

/// True when the credential is for somebody: an exact subject, a subject pattern whose first segment is literal, or a claim
/// that tells one caller from another.
pub(super) fn is_bounded(credential: &FederatedCredential) -> bool {
    let subject = credential.subject.as_ref().is_some_and(|rule| binds_first_segment(&rule.0));
    subject || credential.claims.iter().any(is_binding)
}

/// True when not every token of the issuer fits: the claim is one of the caller, and no value is accepted whatever it is.
fn is_binding(condition: &ClaimCondition) -> bool {
    let pointer = condition.name.as_str();
    let claim = pointer.strip_prefix('/').and_then(|rest| rest.split('/').next());
    let claim = claim.unwrap_or(pointer);
    let subject = claim == "sub";
    !UNBINDING_CLAIMS.contains(&claim)
        && condition.accepted.iter().all(|accepted| match accepted {
            Accepted::Text(glob) if subject => binds_first_segment(glob),
            Accepted::Text(glob) => glob.is_exact() || glob.as_str().contains(is_literal),
            Accepted::Boolean(_) | Accepted::Integer(_) => true,
        })
}

const fn is_literal(char: char) -> bool {
    !matches!(char, '*' | '?')
}

/// True when the credential binds one tenant by exact values.
pub(super) fn binds_tenant(credential: &FederatedCredential) -> bool {
    let by_subject = SUBJECT_IS_TENANT.contains(&credential.issuer.as_str())
        && credential.subject.as_ref().is_some_and(|rule| is_value(&rule.0));
    by_subject || credential.claims.iter().any(is_tenant_condition)
}

fn binds_first_segment(glob: &Glob) -> bool {
    if let Some(text) = glob.exact() {
        return !text.is_empty();
    }
    // `a*` may be the start of another's name; `a/*` and `a:*` are not. A scheme is nobody's name.
    let prefix = glob.literal_prefix();
    let name = prefix.split_once("://").map_or(prefix, |(_, name)| name);
    name.find(['/', ':']).is_some_and(|end| end > 0)
}

fn is_tenant_condition(condition: &ClaimCondition) -> bool {
    let exact = |accepted: &Accepted| match accepted {
        Accepted::Integer(_) => true,
        Accepted::Text(glob) => is_value(glob),
        Accepted::Boolean(_) => false,
    };
    is_tenant_claim(&condition.name)
        && !condition.accepted.is_empty()
        && condition.accepted.iter().all(exact)
}

/// A top-level name may be written as a JSON Pointer as well.
fn is_tenant_claim(name: &ClaimName) -> bool {
    let name = name.as_str();
    let top_level = name.strip_prefix('/').unwrap_or(name);
    TENANT_CLAIMS.contains(&name)
        || (TENANT_CLAIMS.contains(&top_level) && !top_level.contains('/'))
}

fn is_value(glob: &Glob) -> bool {
    glob.exact().is_some_and(|text| !text.is_empty())
}
