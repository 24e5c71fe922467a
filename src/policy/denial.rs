//! Why a request is denied.

use crate::model::{ActionSet, RegistryName, RepositoryName, TokenName};

/// Why a request is denied. For the audit trail; a caller sees one answer for all, but for a session that ended.
///
/// Where several tokens were near, the nearest miss is told: the variants stand in that order.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, thiserror::Error)]
pub enum Denial {
    /// All is allowed, but less than a minute is left of what bounds it.
    #[error("token `{token_name}` allows it, but less than a minute is left of one of its bounds")]
    EndsTooSoon {
        /// The token.
        token_name: TokenName,
    },
    /// A token admits the identity, but its scope map, or the session's own permissions, do not hold all that is wanted.
    #[error("token `{token_name}` does not allow {missing} on `{repository}`")]
    OutsideScopeMap {
        /// The token.
        token_name: TokenName,
        /// The first repository that is not covered.
        repository: RepositoryName,
        /// The actions on it that are not covered.
        missing: ActionSet,
    },
    /// A token admits the identity, but it has ended.
    #[error("token `{token_name}` has expired")]
    TokenExpired {
        /// The token.
        token_name: TokenName,
    },
    /// A token admits the identity, but it is disabled.
    #[error("token `{token_name}` is disabled")]
    TokenDisabled {
        /// The token.
        token_name: TokenName,
    },
    /// The token that the request names does not admit the identity.
    #[error("token `{token_name}` does not admit this identity")]
    NotAdmitted {
        /// The token that was named.
        token_name: TokenName,
    },
    /// The request names a token that the registry does not have.
    #[error("there is no token `{token_name}`")]
    UnknownToken {
        /// The token that was named.
        token_name: TokenName,
    },
    /// No token of the registry admits the identity.
    #[error("no token admits this identity")]
    NoToken,
    /// The session has ended, or less than a minute is left of it.
    #[error("the session has expired")]
    SessionExpired,
    /// The token or the credential that the session rests on is gone or changed.
    #[error("what the session rests on is gone or changed")]
    SessionGone,
    /// The password was deleted or generated anew since it was verified, or it has ended.
    #[error("the password is gone or has expired")]
    PasswordGone,
    /// The password or session is one of another registry.
    #[error("the credential is not one of registry `{registry}`")]
    OtherRegistry {
        /// The registry that was asked for.
        registry: RegistryName,
    },
    /// No access token of that id was issued to the caller, who wants to revoke it.
    #[error("no access token of that id was issued to this identity")]
    NotIssued,
    /// The session was revoked.
    #[error("the access token was revoked")]
    Revoked,
    /// There is no such registry.
    #[error("there is no registry `{registry}`")]
    UnknownRegistry {
        /// The registry that was asked for.
        registry: RegistryName,
    },
}
