//! Why an identity does not verify.

use std::time::Duration;

/// Why there is no identity.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The configuration of an issuer cannot be used; only at start.
    #[error("issuer `{issuer}`: {problem}")]
    Config {
        /// Which issuer.
        issuer: String,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// What was presented does not verify. The check is for the audit trail, never for the caller.
    #[error("the identity does not verify: {check}{}", named(claimed_issuer.as_deref()))]
    Invalid {
        /// Which check failed.
        check: Check,
        /// The issuer that the token named, unverified, shortened and printable.
        claimed_issuer: Option<String>,
    },
    /// The issuer's keys cannot be had now.
    #[error("the keys of issuer `{issuer}` cannot be had: {problem}")]
    IssuerUnavailable {
        /// Which issuer.
        issuer: String,
        /// What went wrong.
        problem: String,
        /// When to try again.
        retry_after: Duration,
    },
    /// Nothing was presented.
    #[error("no identity was presented")]
    Missing,
}

impl From<Check> for Error {
    /// A check that failed before an issuer was read.
    fn from(check: Check) -> Self {
        Self::Invalid { check, claimed_issuer: None }
    }
}

fn named(claimed_issuer: Option<&str>) -> String {
    claimed_issuer.map(|issuer| format!(" (issuer `{issuer}`)")).unwrap_or_default()
}

/// The check that failed. The words go into the audit trail.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[expect(missing_docs, reason = "each variant says in its message what failed")]
pub enum Check {
    #[error("the algorithm is not one of the issuer's, or not the key's")]
    Algorithm,
    #[error("`aud` is not the issuer's configured audience, or holds others beside it")]
    Audience,
    #[error("an encrypted token cannot be read: present a signed one")]
    Encrypted,
    #[error("a segment is not canonical base64url")]
    Encoding,
    #[error("`exp` is past")]
    Expired,
    #[error("the header brings a key along, or asks for processing that there is none for")]
    Header,
    #[error("`iat` is in the future")]
    IssuedInFuture,
    #[error("header or claims are not a plain JSON object: malformed, too deep, or a member twice")]
    Json,
    #[error("the token names no key, and the issuer has not exactly one")]
    KeyAmbiguous,
    #[error("the issuer has no usable key of that id")]
    KeyUnknown,
    #[error("the token lives longer than the issuer's tokens may")]
    LifeTooLong,
    #[error("what was presented is neither an identity token nor a secret of ours")]
    NotAToken,
    #[error("`nbf` is in the future")]
    NotYetValid,
    #[error("the secret is not the one with which the registry sends notifications")]
    NotificationsToken,
    #[error("the password has expired")]
    PasswordExpired,
    #[error("a token's password was presented where an identity token is due")]
    PasswordMisplaced,
    #[error("the password is cut, changed or none of ours")]
    PasswordMalformed,
    #[error("no token has that password")]
    PasswordUnknown,
    #[error("the issuer's tokens are accepted once, and this one was used before")]
    Replayed,
    #[error("the session is cut, changed or none of ours")]
    SessionMalformed,
    #[error("a session was presented where it is no identity")]
    SessionMisplaced,
    #[error("the session's seal does not open")]
    SessionSeal,
    #[error("the signature does not verify")]
    Signature,
    #[error("`sub` is missing, empty or no text")]
    Subject,
    #[error("`exp`, `nbf` or `iat` is missing, or no time")]
    Time,
    #[error("the issuer's tokens are accepted once, and this one has no `jti`")]
    TokenIdMissing,
    #[error("the token is longer than 16 KiB")]
    TooLong,
    #[error("`typ` says that it is no identity token")]
    Type,
    #[error("the issuer is not configured, or `iss` is missing")]
    UnknownIssuer,
    #[error("the username is not the name of the password's token")]
    Username,
    #[error("{0}")]
    Unreadable(&'static str),
}
