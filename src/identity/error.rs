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
    #[error("the identity does not verify: {check}")]
    Invalid {
        /// Which check failed.
        check: Check,
        /// The issuer that the token named, unverified.
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

/// The check that failed. The words go into the audit trail.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[expect(missing_docs, reason = "each variant says in its message what failed")]
pub enum Check {
    #[error("the algorithm is not one of the issuer's, or not the key's")]
    Algorithm,
}
