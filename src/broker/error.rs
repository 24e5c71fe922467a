//! Why a request was refused: one variant a step, and one reason word for each.

use std::time::Duration;

use jiff::Timestamp;

use super::Role;
use crate::model::{DecisionId, Reason};
use crate::{audit, identity, policy, registry, store};

/// A refusal, recorded under its decision id.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{error} (decision {decision_id})")]
pub struct Refusal {
    /// Names the decision; the caller gets it, an operator explains it.
    pub decision_id: DecisionId,
    /// Why.
    pub error: Error,
}

/// Why a request was refused. The texts are for the log and the audit trail; an edge says to a caller only what [`Reason`] allows.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// A definition of that name is there already.
    #[error("{0}")]
    AlreadyExists(String),
    /// The audit event cannot be recorded.
    #[error(transparent)]
    Audit(#[from] audit::Error),
    /// The request took longer than its deadline.
    #[error("the deadline passed")]
    DeadlineExceeded,
    /// Policy does not allow it.
    #[error(transparent)]
    Denied(#[from] policy::Denial),
    /// The definition changed since it was read.
    #[error("it was changed by somebody else since it was read: read it again")]
    EtagMismatch,
    /// The identity does not verify.
    #[error(transparent)]
    Identity(#[from] identity::Error),
    /// The definition is still used.
    #[error("{0}")]
    InUse(String),
    /// A bug.
    #[error("internal error: {0}")]
    Internal(String),
    /// The request is malformed.
    #[error("malformed request")]
    InvalidRequest(Vec<FieldViolation>),
    /// A limit is reached.
    #[error("{0}")]
    LimitReached(String),
    /// There is nothing of that name.
    #[error("{0}")]
    NotFound(String),
    /// What was handed out cannot be recalled, and ends then.
    #[error("cannot be recalled; it ends at {0}")]
    NotRevocable(Timestamp),
    /// The broker has more to do than it can.
    #[error("overloaded")]
    Overloaded {
        /// When to try again.
        retry_after: Duration,
    },
    /// The caller asks more often than it may.
    #[error("rate limit: {subject}")]
    RateLimited {
        /// Whose limit: `address` or `identity`.
        subject: &'static str,
        /// When to try again.
        retry_after: Duration,
    },
    /// The definition cannot be changed.
    #[error("{0}")]
    ReadOnly(String),
    /// The registry's credential cannot be had.
    #[error(transparent)]
    Registry(#[from] registry::Error),
    /// The caller lacks the role.
    #[error("the role `{0}` is needed for it")]
    RoleRequired(Role),
    /// A session that was presented has ended, or ends in under a minute.
    #[error("session expired")]
    SessionExpired,
    /// The store does not do its work.
    #[error("{problem}")]
    Store {
        /// What it said.
        problem: String,
        /// When to try again.
        retry_after: Duration,
    },
}

/// One field of a request that is not right.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FieldViolation {
    /// The field, as in the message or the form, such as `permissions[0].repository`.
    pub field: String,
    /// What is wrong and what to do.
    pub description: String,
}

impl Error {
    /// The word for it.
    pub const fn reason(&self) -> Reason {
        match self {
            Self::AlreadyExists(_) => Reason::AlreadyExists,
            Self::Audit(audit::Error::Unavailable { .. }) => Reason::AuditUnavailable,
            Self::Audit(audit::Error::Overloaded) | Self::Overloaded { .. } => Reason::Overloaded,
            Self::DeadlineExceeded => Reason::DeadlineExceeded,
            Self::Denied(_) => Reason::AccessDenied,
            Self::EtagMismatch => Reason::EtagMismatch,
            Self::Identity(identity::Error::Missing) => Reason::IdentityMissing,
            Self::Identity(identity::Error::Invalid { .. }) | Self::SessionExpired => {
                Reason::IdentityInvalid
            }
            Self::Identity(identity::Error::IssuerUnavailable { .. }) => Reason::IssuerUnavailable,
            Self::Identity(identity::Error::Config { .. }) | Self::Internal(_) => Reason::Internal,
            Self::InUse(_) => Reason::InUse,
            Self::InvalidRequest(_) => Reason::InvalidRequest,
            Self::LimitReached(_) => Reason::LimitReached,
            Self::NotFound(_) => Reason::NotFound,
            Self::NotRevocable(_) => Reason::NotRevocable,
            Self::RateLimited { .. } => Reason::RateLimited,
            Self::ReadOnly(_) => Reason::ReadOnly,
            Self::RoleRequired(_) => Reason::RoleRequired,
            Self::Registry(error) => match error {
                registry::Error::Config(_) | registry::Error::Internal(_) => Reason::Internal,
                registry::Error::Denied { .. } => Reason::RegistryDenied,
                registry::Error::NotEnforceable { .. } => Reason::NotEnforceable,
                registry::Error::Overgrant { .. } => Reason::RegistryOvergrant,
                registry::Error::Unavailable { .. } => Reason::RegistryUnavailable,
            },
            Self::Store { .. } => Reason::StoreUnavailable,
        }
    }

    /// When to try again, where that helps.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Audit(audit::Error::Unavailable { retry_after, .. })
            | Self::Identity(identity::Error::IssuerUnavailable { retry_after, .. })
            | Self::Overloaded { retry_after }
            | Self::RateLimited { retry_after, .. }
            | Self::Registry(registry::Error::Unavailable { retry_after, .. })
            | Self::Store { retry_after, .. } => Some(*retry_after),
            Self::Audit(audit::Error::Overloaded) => Some(Duration::from_secs(1)),
            _ => None,
        }
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        Self::Store { problem: error.to_string(), retry_after: Duration::from_secs(1) }
    }
}
