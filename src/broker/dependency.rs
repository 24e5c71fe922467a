//! What the broker depends on, and how it stands, for whoever operates it.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};

use super::Broker;
use crate::cache::Health;
use crate::telemetry::metrics;

/// From here on a difference of clocks is told of: half of it is in any network of machines that keep time.
const SKEW: SignedDuration = SignedDuration::from_secs(2);

/// Something that the broker depends on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Dependency {
    /// Its name in `/readyz`.
    pub name: &'static str,
    /// How it stands.
    pub state: State,
}

/// How a dependency stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum State {
    /// It does its work.
    Up,
    /// Requests are answered without it, or in spite of it; why.
    Degraded(String),
    /// No request can be answered; why.
    Down(String),
}

impl Broker {
    /// True while requests can be answered: the audit journal can be written.
    pub fn is_ready(&self) -> bool {
        self.journal.is_writable()
    }

    /// All that it depends on. What is said names no address and no user: everybody who reaches the ops listener may read it.
    pub fn dependencies(&self) -> Vec<Dependency> {
        let policy = match (self.policies.is_followed(), self.policies.in_force().is_newest()) {
            (false, _) => State::Degraded("the store cannot be asked for changes of policy".to_owned()),
            (true, false) => State::Degraded(
                "the newest policy does not compile: the one before is in force, and the log says why"
                    .to_owned(),
            ),
            (true, true) => State::Up,
        };
        let audit = if self.journal.is_writable() {
            State::Up
        } else {
            State::Down("the audit journal cannot be written: the log says why".to_owned())
        };
        let cache = match self.cache.health() {
            Health::MemoryOnly | Health::Shared => State::Up,
            Health::Cut => State::Degraded(
                "Redis does not answer: each broker mints for itself, and the log says why"
                    .to_owned(),
            ),
        };
        vec![
            Dependency { name: "audit", state: audit },
            Dependency { name: "policy", state: policy },
            Dependency { name: "cache", state: cache },
            Dependency { name: "clock", state: self.skew.state() },
        ]
    }
}

/// How far the clock of this machine is from that of the store's server.
#[derive(Debug, Default)]
pub(super) struct ClockSkew {
    /// Milliseconds; positive when ours is ahead.
    ahead: AtomicI64,
}

impl ClockSkew {
    /// Notes a comparison; the store's server was asked between two looks at the clock.
    pub(super) fn compare(&self, theirs: Timestamp, before: Timestamp, after: Timestamp) {
        let middle = before.saturating_add(after.duration_since(before) / 2).unwrap_or(after);
        let ahead = middle.duration_since(theirs);
        metrics::clock_skew(ahead.as_secs_f64());
        let milliseconds = i64::try_from(ahead.as_millis()).unwrap_or(i64::MAX);
        self.ahead.store(milliseconds, Ordering::Relaxed);
        if let State::Degraded(problem) = self.state() {
            tracing::warn!(skew_milliseconds = milliseconds, "{problem}");
        }
    }

    fn state(&self) -> State {
        let ahead = SignedDuration::from_millis(self.ahead.load(Ordering::Relaxed));
        if ahead.abs() < SKEW {
            return State::Up;
        }
        let where_ = if ahead.is_positive() { "ahead of" } else { "behind" };
        let seconds = ahead.abs().as_secs_f64();
        State::Degraded(format!(
            "the clock of this machine is {seconds:.1} s {where_} the store's: let both follow a time server"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(theirs: &str, before: &str, after: &str) -> State {
        let [theirs, before, after] = [theirs, before, after]
            .map(|time| format!("2026-11-22T12:00:{time}Z").parse().unwrap());
        let skew = ClockSkew::default();
        skew.compare(theirs, before, after);
        skew.state()
    }

    #[test]
    fn a_difference_of_clocks_is_told_of_with_its_side() {
        assert_eq!(state("00", "00", "01"), State::Up);
        assert_eq!(state("02.5", "00", "05"), State::Up);
        let State::Degraded(ahead) = state("00", "30", "30.2") else { panic!("not told of") };
        assert!(ahead.contains("30.1 s ahead of"), "{ahead}");
        let State::Degraded(behind) = state("30", "00", "00") else { panic!("not told of") };
        assert!(behind.contains("30.0 s behind"), "{behind}");
    }

    #[test]
    fn clocks_that_agree_again_are_no_problem_any_more() {
        let skew = ClockSkew::default();
        let (now, later) =
            (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH + SignedDuration::from_secs(9));
        skew.compare(now, later, later);
        assert!(matches!(skew.state(), State::Degraded(_)));
        skew.compare(later, later, later);
        assert_eq!(skew.state(), State::Up);
    }
}
