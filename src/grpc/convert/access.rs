//! Access tokens: what is asked for, and what is given.

use super::action::{actions, pb_action};
use super::time::{duration, lifetime, timestamp};
use super::violations::{Violations, violation};
use crate::broker::{Checked, FieldViolation, Issued};
use crate::cache::Expires;
use crate::model::{
    AccessRequest, AccessTokenId, Form, MAX_PERMISSIONS, Permission, Permissions, Reason, Reuse,
};
use crate::pb;

/// What is wanted, or every field that is not right.
pub(in crate::grpc) fn access_request(
    message: &pb::IssueAccessTokenRequest,
) -> Result<AccessRequest, Vec<FieldViolation>> {
    let mut violations = Violations::default();
    let registry = violations.check("registry", message.registry.parse());
    let permissions = permissions(&message.permissions, &mut violations);
    let lifetime = lifetime("lifetime", message.lifetime, &mut violations);
    let reuse = reuse(message, &mut violations);
    let token_name = violations.optional("token_name", &message.token_name);
    let form = if message.with_bearer_token { Form::PasswordAndBearer } else { Form::Password };
    violations.finish(registry.map(|registry| AccessRequest {
        registry,
        permissions,
        lifetime,
        token_name,
        form,
        reuse,
    }))
}

/// What would be asked for, or every field that is not right.
pub(in crate::grpc) fn check_request(
    message: pb::CheckAccessRequest,
) -> Result<AccessRequest, Vec<FieldViolation>> {
    access_request(&pb::IssueAccessTokenRequest {
        registry: message.registry,
        permissions: message.permissions,
        lifetime: message.lifetime,
        token_name: message.token_name,
        ..pb::IssueAccessTokenRequest::default()
    })
}

/// Which access token to take back.
pub(in crate::grpc) fn access_token_id(
    message: &pb::RevokeAccessTokenRequest,
) -> Result<AccessTokenId, Vec<FieldViolation>> {
    message.access_token_id.parse().map_err(|_| {
        let description = "the id of an access token is a UUID: give the `id` that came with it";
        vec![violation("access_token_id", description)]
    })
}

/// The credential, as the caller gets it.
pub(in crate::grpc) fn access_token(issued: &Issued) -> pb::AccessToken {
    let token = &issued.access_token;
    pb::AccessToken {
        id: token.id().to_string(),
        registry: token.registry().to_string(),
        registry_host: token.registry_host().to_owned(),
        token_name: token.token_name().to_string(),
        scope_map: token.scope_map().to_string(),
        permissions: token.permissions().iter().map(repository_permission).collect(),
        issue_time: Some(timestamp(token.issue_time())),
        expire_time: Some(timestamp(token.expire_time())),
        username: token.username().to_owned(),
        password: token.password().expose().to_owned(),
        bearer_token: token.bearer_token().map_or_else(String::new, |it| it.expose().to_owned()),
        reused: issued.reused,
    }
}

/// What the answer would be; a denial names its decision and nothing else.
pub(in crate::grpc) fn check_response(checked: &Checked) -> pb::CheckAccessResponse {
    let decision_id = checked.decision_id.to_string();
    match &checked.allowed {
        Some((token_name, scope_map, expire_time)) => pb::CheckAccessResponse {
            allowed: true,
            reason: String::new(),
            decision_id,
            token_name: token_name.to_string(),
            scope_map: scope_map.to_string(),
            expire_time: Some(timestamp(*expire_time)),
        },
        None => pb::CheckAccessResponse {
            reason: Reason::AccessDenied.to_string(),
            decision_id,
            ..pb::CheckAccessResponse::default()
        },
    }
}

pub(super) fn repository_permission(permission: &Permission) -> pb::RepositoryPermission {
    pb::RepositoryPermission {
        repository: permission.repository.to_string(),
        actions: permission.actions.iter().map(|action| i32::from(pb_action(action))).collect(),
    }
}

fn permissions(entries: &[pb::RepositoryPermission], violations: &mut Violations) -> Permissions {
    if !(1..=MAX_PERMISSIONS).contains(&entries.len()) {
        let problem = format!("1 to {MAX_PERMISSIONS} permissions, not {}", entries.len());
        violations.add("permissions", problem);
        return Permissions::default();
    }
    let positions = entries.iter().enumerate();
    positions.filter_map(|(position, entry)| permission(position, entry, violations)).collect()
}

fn permission(
    position: usize,
    entry: &pb::RepositoryPermission,
    violations: &mut Violations,
) -> Option<Permission> {
    // put into words only when something is wrong
    let field = format_args!("permissions[{position}]");
    let repository = violations.check(format_args!("{field}.repository"), entry.repository.parse());
    let actions = actions(field, &entry.actions, violations);
    Some(Permission { repository: repository?, actions })
}

fn reuse(message: &pb::IssueAccessTokenRequest, violations: &mut Violations) -> Reuse {
    let remaining = message
        .minimum_remaining
        .and_then(|wanted| violations.check("minimum_remaining", duration(wanted)));
    match remaining {
        Some(_) | None if message.fresh => Reuse::Never,
        Some(remaining) => Reuse::WithRemaining(remaining),
        None => Reuse::default(),
    }
}

#[cfg(test)]
mod tests;
