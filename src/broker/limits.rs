//! How much a caller may ask for.

use serde::{Deserialize, Serialize};

/// The `[limits]` section.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Requests a second from one address, before anything of them is verified; ten times as many at once.
    pub per_address: u32,
    /// Requests a second of one identity; ten times as many at once.
    pub per_identity: u32,
    /// Requests that are worked on at the same time.
    pub in_flight: usize,
    /// The longest time, in seconds, that a request is worked on.
    pub deadline_seconds: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { per_address: 2_000, per_identity: 500, in_flight: 4_096, deadline_seconds: 15 }
    }
}
