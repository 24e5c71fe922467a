//! The access review, as operators get it.

use super::access::repository_permission;
use super::action::pb_permissions;
use super::page;
use super::time::{timestamp, window};
use super::token::used_token;
use super::usage::permission_use;
use super::violations::Violations;
use crate::broker::FieldViolation;
use crate::broker::evidence::{DEFAULT_UNUSED, Review, ReviewAccess, TokenReview};
use crate::pb;

pub(in crate::grpc) fn review(
    message: &pb::ReviewAccessRequest,
) -> Result<ReviewAccess, Vec<FieldViolation>> {
    let mut violations = Violations::default();
    let registry = violations.check("registry", message.registry.parse());
    let unused_window =
        window("unused_window", message.unused_window, DEFAULT_UNUSED, &mut violations);
    let list = list_name(&message.registry);
    let page = page::request(&list, message.page_size, &message.page_token, &mut violations);
    let parsed = registry.zip(unused_window).zip(page);
    violations.finish(parsed.map(|((registry, unused_window), page)| ReviewAccess {
        registry,
        unused_window,
        page,
    }))
}

pub(in crate::grpc) fn reviewed(registry: &str, review: &Review) -> pb::ReviewAccessResponse {
    pb::ReviewAccessResponse {
        tokens: review.tokens.items.iter().map(token_review).collect(),
        next_page_token: page::token(&list_name(registry), review.tokens.next.as_deref()),
        registry_findings: review.findings.clone(),
    }
}

fn list_name(registry: &str) -> String {
    format!("review {registry}")
}

fn token_review(review: &TokenReview) -> pb::TokenReview {
    pb::TokenReview {
        token: Some(used_token(&review.token, &review.last)),
        permissions: pb_permissions(&review.permissions),
        uses: review.uses.iter().map(permission_use).collect(),
        unused: pb_permissions(&review.unused),
        sufficient: review.sufficient.iter().map(repository_permission).collect(),
        findings: review.findings.clone(),
        uses_since: Some(timestamp(review.since)),
    }
}
