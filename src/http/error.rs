//! From a refusal to the answer that every docker client shows well: one `match`, without `_`, so that a new error
//! does not compile until it has a place here.
#![deny(clippy::wildcard_enum_match_arm)]

use std::time::Duration;

use axum::http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use serde::Serialize;

use super::json::json;
use super::request::Malformed;
use crate::broker::{Error, FieldViolation, Refusal};
use crate::model::Reason;
use crate::{audit, identity, registry};

/// What a caller sees of an error.
#[derive(Debug, Eq, PartialEq)]
struct Face {
    status: StatusCode,
    /// The code of the registry's error format; docker shows it in lower case.
    code: &'static str,
    /// The OAuth 2.0 error word (RFC 6749, section 5.2).
    error: &'static str,
    message: String,
}

/// One body for all clients: docker and skopeo read `details`, crane and oras `errors`, OAuth clients `error`.
#[derive(Serialize)]
struct Body<'a> {
    errors: [Entry<'a>; 1],
    details: &'a str,
    error: &'static str,
    error_description: &'a str,
}

#[derive(Serialize)]
struct Entry<'a> {
    code: &'static str,
    message: &'a str,
    detail: Detail<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Detail<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decision_id: Option<String>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    violations: &'a [Violation<'a>],
}

#[derive(Serialize)]
struct Violation<'a> {
    field: &'a str,
    description: &'a str,
}

/// The answer to a refusal. The broker has logged it, once, or counted it with others of a flood.
pub(super) fn refused(refusal: &Refusal) -> Response {
    answer(refusal, &face(&refusal.error))
}

/// The answer to a request that could not be understood, after the broker recorded it.
pub(super) fn malformed(refusal: &Refusal, malformed: &Malformed) -> Response {
    let mut face = face(&refusal.error);
    if face.status == StatusCode::BAD_REQUEST {
        face.status = malformed.status;
        face.error = malformed.error;
    }
    answer(refusal, &face)
}

/// The answer to a path that is not served.
pub(super) fn not_found() -> Response {
    unserved(
        StatusCode::NOT_FOUND,
        "NOT_FOUND",
        "there is nothing here: token requests go to /token",
    )
}

/// The answer to a method that a path does not know; `allow` lists the ones it knows.
pub(super) fn method_not_allowed(allow: &'static str) -> Response {
    let mut response =
        unserved(StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED", "the method is not supported here");
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
    response
}

fn unserved(status: StatusCode, code: &'static str, message: &str) -> Response {
    let detail = Detail { reason: None, decision_id: None, violations: &[] };
    json(status, &body(code, "invalid_request", message, detail))
}

fn body<'a>(
    code: &'static str,
    error: &'static str,
    message: &'a str,
    detail: Detail<'a>,
) -> Body<'a> {
    Body {
        errors: [Entry { code, message, detail }],
        details: message,
        error,
        error_description: message,
    }
}

fn answer(refusal: &Refusal, face: &Face) -> Response {
    let message = format!("{} (decision {})", face.message, refusal.decision_id);
    let violations = violations(&refusal.error);
    let detail = Detail {
        reason: Some(caller_reason(&refusal.error).as_str()),
        decision_id: Some(refusal.decision_id.to_string()),
        violations: &violations,
    };
    let mut response = json(face.status, &body(face.code, face.error, &message, detail));
    if face.status == StatusCode::UNAUTHORIZED {
        insert(&mut response, WWW_AUTHENTICATE, "Basic realm=\"dockpass\", charset=\"UTF-8\"");
    }
    if let Some(delay) = refusal.error.retry_after() {
        insert(&mut response, RETRY_AFTER, &whole_seconds(delay).to_string());
    }
    response
}

/// The reason word; that of a wrong password for a denial, which must not show that the password was right.
fn caller_reason(error: &Error) -> Reason {
    if let Error::Denied(_) = error { Reason::IdentityInvalid } else { error.reason() }
}

fn insert(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// Never 0, which clients read as "at once".
fn whole_seconds(delay: Duration) -> u64 {
    delay.as_secs().saturating_add(u64::from(delay.subsec_nanos() > 0)).max(1)
}

fn violations(error: &Error) -> Vec<Violation<'_>> {
    if let Error::InvalidRequest(violations) = error {
        violations
            .iter()
            .map(|FieldViolation { field, description }| Violation { field, description })
            .collect()
    } else {
        Vec::new()
    }
}

/// What a caller sees. Every cause that would show whether a name exists or a password was right has one face.
fn face(error: &Error) -> Face {
    match error {
        Error::Denied(_) | Error::Identity(identity::Error::Invalid { .. }) => {
            unauthorized("invalid username or password")
        }
        Error::Identity(identity::Error::Missing) => unauthorized(
            "authentication required: log in with a token's name and password, or an identity token",
        ),
        Error::SessionExpired => unauthorized("session expired: log in again"),
        Error::InvalidRequest(violations) => Face {
            status: StatusCode::BAD_REQUEST,
            code: "INVALID_REQUEST",
            error: "invalid_request",
            message: listed(violations),
        },
        Error::Registry(registry::Error::NotEnforceable { hint }) => Face {
            status: StatusCode::FORBIDDEN,
            code: "DENIED",
            error: "invalid_scope",
            message: hint.clone(),
        },
        // the others are of management, which is not served here
        Error::NotRevocable(_)
        | Error::AlreadyExists(_)
        | Error::EtagMismatch
        | Error::InUse(_)
        | Error::LimitReached(_)
        | Error::NotFound(_)
        | Error::ReadOnly(_)
        | Error::RoleRequired(_) => Face {
            status: StatusCode::CONFLICT,
            code: "UNSUPPORTED",
            error: "invalid_request",
            message: error.to_string(),
        },
        Error::RateLimited { .. } => Face {
            status: StatusCode::TOO_MANY_REQUESTS,
            code: "TOOMANYREQUESTS",
            error: "temporarily_unavailable",
            message: "too many requests: try again later".to_owned(),
        },
        Error::Overloaded { .. } | Error::Audit(audit::Error::Overloaded) => {
            unavailable("overloaded: try again later")
        }
        Error::Audit(audit::Error::Unavailable { .. }) => unavailable(
            "the audit trail cannot be written, so nothing is handed out: try again later",
        ),
        Error::Identity(identity::Error::IssuerUnavailable { .. }) => {
            unavailable("the keys of the identity's issuer cannot be had: try again later")
        }
        Error::Registry(registry::Error::Unavailable { .. }) => {
            unavailable("the registry cannot be reached: try again later")
        }
        Error::Store { .. } => unavailable("the store cannot be reached: try again later"),
        Error::DeadlineExceeded => Face {
            status: StatusCode::GATEWAY_TIMEOUT,
            ..unavailable("the request took too long: try again later")
        },
        Error::Identity(identity::Error::Config { .. })
        | Error::Internal(_)
        | Error::Registry(
            registry::Error::Config(_)
            | registry::Error::Denied { .. }
            | registry::Error::Internal(_)
            | registry::Error::Overgrant { .. },
        ) => Face {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            code: "UNKNOWN",
            error: "server_error",
            message: "internal error: the operator finds it under the decision id".to_owned(),
        },
    }
}

fn unauthorized(message: &str) -> Face {
    Face {
        status: StatusCode::UNAUTHORIZED,
        code: "UNAUTHORIZED",
        error: "invalid_grant",
        message: message.to_owned(),
    }
}

fn unavailable(message: &str) -> Face {
    Face {
        status: StatusCode::SERVICE_UNAVAILABLE,
        code: "UNAVAILABLE",
        error: "temporarily_unavailable",
        message: message.to_owned(),
    }
}

fn listed(violations: &[FieldViolation]) -> String {
    let lines = violations.iter().map(|v| format!("`{}` {}", v.field, v.description));
    lines.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests;
