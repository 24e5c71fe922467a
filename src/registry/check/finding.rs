//! What a check says.

use serde::Serialize;

/// One thing that a check saw.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// What was looked at, in one word such as `realm`.
    pub check: &'static str,
    /// What was seen.
    pub message: String,
    /// What to do about it; empty when all is well.
    pub remedy: String,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// It works, but not as it should.
    Warning,
    /// It does not work, or is not safe.
    Error,
}

impl Finding {
    pub(super) fn ok(check: &'static str, message: impl Into<String>) -> Self {
        Self { level: Level::Ok, check, message: message.into(), remedy: String::new() }
    }

    pub(super) fn warning(
        check: &'static str,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { level: Level::Warning, check, message: message.into(), remedy: remedy.into() }
    }

    pub(super) fn error(
        check: &'static str,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { level: Level::Error, check, message: message.into(), remedy: remedy.into() }
    }
}
