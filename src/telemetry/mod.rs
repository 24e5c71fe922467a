//! What operators see: logs, metrics, and one log line for each decision. Nothing secret is handed in here.

mod decision;
mod lines;
mod log;
pub mod metrics;
mod panics;

pub use self::decision::{Blame, Decision, Outcome, decision};
pub use self::lines::CHECKPOINTS;
pub use self::log::{Config, Error, Format, Log, init};
pub use self::metrics::{Method, Metrics};

#[cfg(test)]
mod tests;
