//! Why a request was refused, in one word that is the same in the reply, the audit event, the log and the metric.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $word:literal,)*) => {
        /// The closed set of reasons.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
        pub enum Reason {
            $($(#[$doc])* #[serde(rename = $word)] $variant,)*
        }

        impl Reason {
            /// All reasons.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The word, in upper snake case.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }
    };
}

reasons! {
    /// Policy does not allow it; one answer for every cause, so that nothing can be enumerated.
    AccessDenied = "ACCESS_DENIED",
    /// A definition of that name is there already.
    AlreadyExists = "ALREADY_EXISTS",
    /// The audit event cannot be made durable, so nothing is handed out.
    AuditUnavailable = "AUDIT_UNAVAILABLE",
    /// The request took longer than its deadline.
    DeadlineExceeded = "DEADLINE_EXCEEDED",
    /// The definition changed since it was read.
    EtagMismatch = "ETAG_MISMATCH",
    /// The identity does not verify; which check failed is in the audit event only.
    IdentityInvalid = "IDENTITY_INVALID",
    /// No identity was given.
    IdentityMissing = "IDENTITY_MISSING",
    /// The definition is still used.
    InUse = "IN_USE",
    /// A bug in dockpass.
    Internal = "INTERNAL",
    /// The request is malformed.
    InvalidRequest = "INVALID_REQUEST",
    /// The keys of the identity's issuer cannot be had.
    IssuerUnavailable = "ISSUER_UNAVAILABLE",
    /// A limit on the number of definitions is reached.
    LimitReached = "LIMIT_REACHED",
    /// The registry cannot express the permission, or not for so short a time.
    NotEnforceable = "NOT_ENFORCEABLE",
    /// There is nothing of that name.
    NotFound = "NOT_FOUND",
    /// What was handed out cannot be recalled.
    NotRevocable = "NOT_REVOCABLE",
    /// The broker has more to do than it can.
    Overloaded = "OVERLOADED",
    /// The caller asks more often than it may.
    RateLimited = "RATE_LIMITED",
    /// The definition cannot be changed.
    ReadOnly = "READ_ONLY",
    /// The registry refused the broker, or gave less than the permit.
    RegistryDenied = "REGISTRY_DENIED",
    /// The registry gave more than the permit; it was not handed out.
    RegistryOvergrant = "REGISTRY_OVERGRANT",
    /// The registry cannot be reached.
    RegistryUnavailable = "REGISTRY_UNAVAILABLE",
    /// The caller lacks the role.
    RoleRequired = "ROLE_REQUIRED",
    /// The store cannot be reached.
    StoreUnavailable = "STORE_UNAVAILABLE",
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Reason {
    type Err = UnknownReason;

    fn from_str(word: &str) -> Result<Self, UnknownReason> {
        Self::ALL
            .iter()
            .copied()
            .find(|reason| reason.as_str() == word)
            .ok_or_else(|| UnknownReason(word.to_owned()))
    }
}

/// A word that is no reason.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("unknown reason `{0}`")]
pub struct UnknownReason(String);
