//! Between the messages and the nouns. A message becomes a request whole or not at all: every violation is named at once.

use std::fmt::Display;
use std::time::Duration;

use jiff::Timestamp;

use crate::broker::{Checked, FieldViolation, Issued};
use crate::cache::Expires;
use crate::model::{
    AccessRequest, AccessTokenId, Action, ActionSet, Form, Lifetime, MAX_PERMISSIONS, Permission,
    Permissions, Reason, Reuse, TokenName,
};
use crate::pb;

/// The largest `google.protobuf.Duration`, about 10,000 years.
const MAX_SECONDS: u64 = 315_576_000_000;

/// What is wanted, or every field that is not right.
pub(super) fn access_request(
    message: &pb::IssueAccessTokenRequest,
) -> Result<AccessRequest, Vec<FieldViolation>> {
    let mut violations = Violations::default();
    let registry = violations.check("registry", message.registry.parse());
    let permissions = permissions(&message.permissions, &mut violations);
    let lifetime = lifetime(message.lifetime, &mut violations);
    let reuse = reuse(message, &mut violations);
    let token_name = token_name(&message.token_name, &mut violations);
    let form = if message.with_bearer_token { Form::PasswordAndBearer } else { Form::Password };
    match registry {
        Some(registry) if violations.0.is_empty() => {
            Ok(AccessRequest { registry, permissions, lifetime, token_name, form, reuse })
        }
        Some(_) | None => Err(violations.0),
    }
}

/// What would be asked for, or every field that is not right.
pub(super) fn check_request(
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
pub(super) fn access_token_id(
    message: &pb::RevokeAccessTokenRequest,
) -> Result<AccessTokenId, Vec<FieldViolation>> {
    message.access_token_id.parse().map_err(|_| {
        let description = "the id of an access token is a UUID: give the `id` that came with it";
        vec![violation("access_token_id", description)]
    })
}

/// The credential, as the caller gets it.
pub(super) fn access_token(issued: &Issued) -> pb::AccessToken {
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
pub(super) fn check_response(checked: &Checked) -> pb::CheckAccessResponse {
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

/// A point in time as protobuf has it: the nanoseconds count forward, also before 1970.
pub(super) fn timestamp(time: Timestamp) -> prost_types::Timestamp {
    let nanos = time.as_nanosecond();
    let second = 1_000_000_000;
    prost_types::Timestamp {
        seconds: i64::try_from(nanos.div_euclid(second)).unwrap_or(i64::MAX),
        nanos: i32::try_from(nanos.rem_euclid(second)).unwrap_or_default(),
    }
}

fn repository_permission(permission: &Permission) -> pb::RepositoryPermission {
    pb::RepositoryPermission {
        repository: permission.repository.to_string(),
        actions: permission.actions.iter().map(|action| i32::from(pb_action(action))).collect(),
    }
}

const fn pb_action(action: Action) -> pb::Action {
    match action {
        Action::ContentRead => pb::Action::ContentRead,
        Action::ContentWrite => pb::Action::ContentWrite,
        Action::ContentDelete => pb::Action::ContentDelete,
        Action::MetadataRead => pb::Action::MetadataRead,
        Action::MetadataWrite => pb::Action::MetadataWrite,
    }
}

const fn model_action(action: pb::Action) -> Option<Action> {
    match action {
        pb::Action::Unspecified => None,
        pb::Action::ContentRead => Some(Action::ContentRead),
        pb::Action::ContentWrite => Some(Action::ContentWrite),
        pb::Action::ContentDelete => Some(Action::ContentDelete),
        pb::Action::MetadataRead => Some(Action::MetadataRead),
        pb::Action::MetadataWrite => Some(Action::MetadataWrite),
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
    let field = format!("permissions[{position}]");
    let repository = violations.check(&format!("{field}.repository"), entry.repository.parse());
    if entry.actions.is_empty() {
        violations.add(&format!("{field}.actions"), "name at least one action");
    }
    let mut actions = ActionSet::EMPTY;
    for (number, value) in entry.actions.iter().enumerate() {
        let Some(action) = pb::Action::try_from(*value).ok().and_then(model_action) else {
            violations.add(&format!("{field}.actions[{number}]"), unknown_action(*value));
            // one is enough: a list of a million unknown numbers must not make a million texts
            break;
        };
        actions = actions.union(action.into());
    }
    Some(Permission { repository: repository?, actions })
}

fn unknown_action(value: i32) -> String {
    format!(
        "unknown action {value}: use ACTION_CONTENT_READ, ACTION_CONTENT_WRITE, ACTION_CONTENT_DELETE, \
         ACTION_METADATA_READ or ACTION_METADATA_WRITE"
    )
}

fn lifetime(
    wanted: Option<prost_types::Duration>,
    violations: &mut Violations,
) -> Option<Lifetime> {
    let wanted = violations.check("lifetime", duration(wanted?))?;
    violations.check("lifetime", Lifetime::new(wanted))
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

fn token_name(text: &str, violations: &mut Violations) -> Option<TokenName> {
    if text.is_empty() { None } else { violations.check("token_name", text.parse()) }
}

/// A length of time: not negative, and in the range of `google.protobuf.Duration`.
fn duration(wanted: prost_types::Duration) -> Result<Duration, &'static str> {
    let negative = "a length of time is not negative";
    let seconds = u64::try_from(wanted.seconds).map_err(|_| negative)?;
    let nanos = u32::try_from(wanted.nanos).map_err(|_| negative)?;
    if seconds > MAX_SECONDS || nanos > 999_999_999 {
        return Err("out of the range of google.protobuf.Duration");
    }
    Ok(Duration::new(seconds, nanos))
}

/// The fields that are not right, in the order of the message.
#[derive(Default)]
struct Violations(Vec<FieldViolation>);

impl Violations {
    fn add(&mut self, field: &str, description: impl Display) {
        self.0.push(violation(field, description));
    }

    fn check<T, E: Display>(&mut self, field: &str, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.add(field, error)).ok()
    }
}

fn violation(field: &str, description: impl Display) -> FieldViolation {
    FieldViolation { field: field.to_owned(), description: description.to_string() }
}

#[cfg(test)]
mod tests;
