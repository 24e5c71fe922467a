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
    /// The history does not reach the revision that was asked for.
    #[error("policy revision `{0}` does not exist: the newest is `{1}`")]
    UnknownRevision(u64, u64),
    /// The file is not a database any more.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// The database does not do its work.
    #[error("the store cannot be used: {0}")]
    Unavailable(String),
}

impl Error {
    pub(super) fn damaged(what: &str, problem: impl std::fmt::Display) -> Self {
        Self::Unavailable(format!("{what} cannot be read back: {problem}"))
    }
}
