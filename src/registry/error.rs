//! Why a registry's credential cannot be had.

use std::time::Duration;

/// Why there is no credential.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The configuration cannot be used; only at start.
    #[error("{0}")]
    Config(String),
    /// The registry refused the broker, or gave less than the permit.
    #[error("registry `{registry}` refused: {problem}")]
    Denied {
        /// Which registry.
        registry: String,
        /// What it said.
        problem: String,
    },
    /// A bug, or a failing random number generator.
    #[error("cannot mint a credential: {0}")]
    Internal(String),
    /// The registry cannot express the permission, or not for so short a time. The hint is for the caller.
    #[error("{hint}")]
    NotEnforceable {
        /// What to ask for instead.
        hint: String,
    },
    /// The registry gave more than the permit.
    #[error("registry `{registry}` gave more than the permit: {problem}")]
    Overgrant {
        /// Which registry.
        registry: String,
        /// What it gave.
        problem: String,
    },
    /// The registry cannot be reached.
    #[error("registry `{registry}` cannot be reached: {problem}")]
    Unavailable {
        /// Which registry.
        registry: String,
        /// What went wrong.
        problem: String,
        /// When to try again.
        retry_after: Duration,
    },
}
