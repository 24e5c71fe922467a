//! From a refusal to the `google.rpc.Status` of the caller: one code, one fixed text and one `ErrorInfo` for each cause.
//!
//! What went wrong inside stays inside: the log and the audit event have it, under the decision id.
#![deny(clippy::wildcard_enum_match_arm)]

use std::collections::HashMap;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::broker::{Error, FieldViolation, Refusal};
use crate::{audit, identity, registry};

/// The domain of every `ErrorInfo`.
const DOMAIN: &str = "dockpass";

/// How much of field violations is sent: details travel in the trailers, of which many clients take 8 KiB in base64.
const MAX_VIOLATIONS: usize = 4096;

/// The answer to a caller that is refused.
pub(super) fn status(refusal: &Refusal) -> Status {
    let (code, text) = answer(&refusal.error);
    Status::with_error_details(code, text, details(refusal))
}

/// The code and the text for the caller. Two errors of one reason say the same, but for what the caller itself sent or must know.
fn answer(error: &Error) -> (Code, String) {
    let (code, text) = match error {
        Error::AlreadyExists(text) => return (Code::AlreadyExists, text.clone()),
        Error::InUse(text) | Error::ReadOnly(text) => {
            return (Code::FailedPrecondition, text.clone());
        }
        Error::LimitReached(text) => return (Code::ResourceExhausted, text.clone()),
        Error::NotFound(text) => return (Code::NotFound, text.clone()),
        Error::RoleRequired(_) => return (Code::PermissionDenied, error.to_string()),
        Error::EtagMismatch => return (Code::Aborted, error.to_string()),
        Error::Audit(audit::Error::Unavailable { .. }) => {
            (Code::Unavailable, "the decision cannot be recorded now, so nothing is handed out")
        }
        Error::Audit(audit::Error::Overloaded) | Error::Overloaded { .. } => {
            (Code::ResourceExhausted, "dockpass has more to do than it can: try again later")
        }
        Error::DeadlineExceeded => (Code::DeadlineExceeded, "the deadline passed"),
        Error::Denied(_) => (
            Code::PermissionDenied,
            "access denied: an operator finds out why with the decision id",
        ),
        Error::Identity(identity::Error::Missing) => (
            Code::Unauthenticated,
            "no identity was given: send one as metadata, `authorization: Bearer TOKEN`",
        ),
        Error::Identity(identity::Error::Invalid { .. }) | Error::SessionExpired => {
            (Code::Unauthenticated, "the identity does not verify")
        }
        Error::Identity(identity::Error::IssuerUnavailable { .. }) => {
            (Code::Unavailable, "the keys of the identity's issuer cannot be had now")
        }
        Error::InvalidRequest(_) => (Code::InvalidArgument, "the request is malformed"),
        Error::NotRevocable(end) => {
            return (Code::FailedPrecondition, format!("cannot be recalled; it ends at {end}"));
        }
        Error::RateLimited { .. } => (Code::ResourceExhausted, "too many requests"),
        Error::Registry(registry::Error::Denied { .. }) => {
            (Code::Internal, "the registry refused dockpass")
        }
        Error::Registry(registry::Error::NotEnforceable { hint }) => {
            return (Code::FailedPrecondition, hint.clone());
        }
        Error::Registry(registry::Error::Overgrant { .. }) => {
            (Code::Internal, "the registry gave more than was asked for; it is not handed out")
        }
        Error::Registry(registry::Error::Unavailable { .. }) => {
            (Code::Unavailable, "the registry cannot be reached now")
        }
        Error::Store { .. } => (Code::Unavailable, "the store cannot be reached now"),
        Error::Identity(identity::Error::Config { .. })
        | Error::Internal(_)
        | Error::Registry(registry::Error::Config(_) | registry::Error::Internal(_)) => {
            (Code::Internal, "internal error: an operator finds it with the decision id")
        }
    };
    (code, text.to_owned())
}

fn details(refusal: &Refusal) -> ErrorDetails {
    let mut metadata = HashMap::from([("decision-id".to_owned(), refusal.decision_id.to_string())]);
    if let Error::NotRevocable(end) = &refusal.error {
        metadata.insert("expire-time".to_owned(), end.to_string());
    }
    let mut details = ErrorDetails::new();
    details.set_error_info(refusal.error.reason().as_str(), DOMAIN, metadata);
    if let Some(delay) = refusal.error.retry_after() {
        details.set_retry_info(Some(delay));
    }
    if let Error::RateLimited { subject, .. } = &refusal.error {
        details.add_quota_failure_violation(*subject, "requests in a time");
    }
    if let Error::InvalidRequest(violations) = &refusal.error {
        add_violations(&mut details, violations);
    }
    details
}

/// As many violations as fit, and the number of the others.
fn add_violations(details: &mut ErrorDetails, violations: &[FieldViolation]) {
    let mut room = MAX_VIOLATIONS;
    for (position, violation) in violations.iter().enumerate() {
        let length = violation.field.len() + violation.description.len();
        let Some(rest) = room.checked_sub(length) else {
            let others = format!("and {} more", violations.len() - position);
            details.add_bad_request_violation(&violation.field, others);
            return;
        };
        room = rest;
        details.add_bad_request_violation(&violation.field, &violation.description);
    }
}

#[cfg(test)]
mod tests;
