//! Why the store does not do what it should.

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration or the files cannot be used; only at start.
    #[error("{0}")]
    Config(String),
    /// The disk is full.
    #[error("the disk of the store is full: free some space, or prune the audit journal")]
    Full,
    /// Somebody else changed the definitions in between.
    #[error("the policy was changed by somebody else in between: read it again")]
    Stale,
    /// The database does not do its work.
    #[error("the store cannot be used: {0}")]
    Unavailable(String),
}
