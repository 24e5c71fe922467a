//! Why a command did not do what it should, and the exit code that tells it.

use std::io;

use super::refusal::Refusal;
use crate::{audit, config, policy, store};

/// Why a command did not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It went wrong.
    #[error("{0}")]
    Failed(String),
    /// The broker refused.
    #[error(transparent)]
    Refused(Box<Refusal>),
    /// The result, already on standard output, is a bad one: tests that fail, a trail that does not verify.
    #[error("")]
    Shown,
    /// The result, already on standard output, says that a policy would refuse what was allowed.
    #[error("")]
    WouldBreak,
    /// The arguments do not make sense together.
    #[error("{0}; see --help")]
    Usage(String),
}

impl Failure {
    /// It went wrong, for this reason.
    pub(super) fn failed(problem: impl Into<String>) -> Self {
        Self::Failed(problem.into())
    }

    /// It went wrong: every cause that the one before it does not tell already, in one line.
    pub(super) fn chain(error: &anyhow::Error) -> Self {
        let mut told = String::new();
        for cause in error.chain().map(ToString::to_string) {
            if !told.contains(&cause) {
                told.push_str(if told.is_empty() { "" } else { ": " });
                told.push_str(&cause);
            }
        }
        Self::Failed(told)
    }

    /// The arguments do not make sense together.
    pub(super) fn usage(problem: impl Into<String>) -> Self {
        Self::Usage(problem.into())
    }

    /// The exit code of the program.
    pub(super) fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::WouldBreak => 3,
            Self::Refused(refusal) if refusal.is_by_policy() => 3,
            Self::Failed(_) | Self::Refused(_) | Self::Shown => 1,
        }
    }
}

impl From<io::Error> for Failure {
    /// A standard stream does not take what is written; a reader that left (`| head`) needs no message.
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::Shown,
            _ => Self::Failed(format!("cannot write the output: {error}")),
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

impl From<config::Error> for Failure {
    fn from(error: config::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<policy::Error> for Failure {
    fn from(error: policy::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<audit::ArchiveError> for Failure {
    fn from(error: audit::ArchiveError) -> Self {
        Self::Failed(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_told_once() {
        let error = anyhow::anyhow!("mode 0644").context("cannot use `x`: mode 0644").context("no");
        assert_eq!(Failure::chain(&error).to_string(), "no: cannot use `x`: mode 0644");
    }
}
