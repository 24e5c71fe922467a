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
