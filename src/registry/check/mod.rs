//! Whether a registry is set up for dockpass: what it announces, whom it trusts, and what goes around the broker.
//!
//! A check reads and never changes anything.

use super::distribution::Distribution;

/// One thing that a check saw.
#[derive(Clone, Debug, Eq, PartialEq, serde::Serialize)]
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
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// It works, but not as it should.
    Warning,
    /// It does not work, or is not safe.
    Error,
}

/// Looks at the registry.
pub(super) async fn run(_: &Distribution) -> Vec<Finding> {
    Vec::new()
}
