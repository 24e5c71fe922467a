//! Tracing and metrics.

use serde::{Deserialize, Serialize};

/// The `[log]` section.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Which messages, as a filter of tracing-subscriber, such as `info` or `dockpass=debug`.
    pub filter: String,
}

impl Default for Config {
    fn default() -> Self {
        Self { filter: "info".to_owned() }
    }
}

/// One decision, for the log and the metrics.
#[expect(missing_debug_implementations, reason = "it is made to be printed, field by field")]
pub struct Decision<'a> {
    /// Its id.
    pub id: &'a dyn std::fmt::Display,
    /// What was asked for.
    pub method: &'static str,
    /// The reason word of a refusal.
    pub reason: Option<&'static str>,
    /// Who is to blame: the level of the log line.
    pub blame: Blame,
    /// The address of the caller.
    pub peer: &'a dyn std::fmt::Display,
    /// What an operator should know.
    pub detail: Option<&'a str>,
    /// How long it took.
    pub elapsed: std::time::Duration,
}

/// Who is to blame for a refusal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Blame {
    /// The caller: a warning.
    Caller,
    /// Nobody: it was allowed.
    Nobody,
    /// This broker or what it depends on: an error.
    Us,
}

/// Logs and counts a decision.
pub fn decision(decision: &Decision<'_>) {
    todo!()
}
