//! What log and metrics say of a decision, when it is known whether it was recorded.

use std::time::Duration;

use super::{Call, Error};
use crate::audit::{Event, Kind};
use crate::model::{DecisionId, Reason};
use crate::telemetry::{self, Blame, Method, Outcome};

/// What log and metrics say of a decision.
pub(super) struct Line {
    id: DecisionId,
    kind: Kind,
    refused: Option<(Reason, String)>,
}

impl Line {
    pub(super) fn of(event: &Event) -> Self {
        let detail = || event.detail.clone().unwrap_or_default();
        let refused = event.reason.map(|reason| (reason, detail()));
        Self { id: event.id, kind: event.kind, refused }
    }

    pub(super) fn refused_by(self, error: &Error) -> Self {
        Self { refused: Some((error.reason(), error.to_string())), ..self }
    }

    pub(super) fn log(&self, call: &Call, elapsed: Duration) {
        let outcome = match &self.refused {
            None => Outcome::Allowed,
            Some((reason, detail)) => {
                Outcome::Refused { reason: reason.as_str(), blame: blame(*reason), detail }
            }
        };
        telemetry::decision(&telemetry::Decision {
            method: method(self.kind),
            id: &self.id,
            peer: &call.peer,
            trace: call.trace.as_deref(),
            outcome,
            elapsed,
        });
    }
}

/// What the metrics call a kind of request.
pub(super) const fn method(kind: Kind) -> Method {
    match kind {
        Kind::Check => Method::Check,
        Kind::Exchange => Method::DockerToken,
        Kind::Issue => Method::Issue,
        Kind::ManagementRead => Method::ManagementRead,
        Kind::Notification => Method::Notification,
        Kind::PolicyChange => Method::PolicyChange,
        Kind::Revoke => Method::Revoke,
        _ => Method::Unreadable,
    }
}

/// Who is to blame for a refusal: the level of its log line.
const fn blame(reason: Reason) -> Blame {
    match reason {
        Reason::AuditUnavailable
        | Reason::Internal
        | Reason::RegistryDenied
        | Reason::RegistryOvergrant
        | Reason::RegistryUnavailable
        | Reason::StoreUnavailable => Blame::Us,
        Reason::IdentityInvalid | Reason::IssuerUnavailable => Blame::Suspect,
        _ => Blame::Caller,
    }
}
