//! Whether the journal can be written, and how much waits for it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use tokio::sync::watch;

use crate::telemetry::metrics;

/// Milliseconds; a commit that takes longer hangs: nothing may be promised meanwhile.
const HANGS_AFTER: u64 = 5000;

/// Whether the journal can be written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum WriteState {
    /// It can.
    Writable,
    /// It cannot.
    Failing,
}

/// What the journal's thread and its callers know of each other.
#[derive(Debug)]
pub(super) struct Health {
    problem: watch::Sender<Option<String>>,
    started: Instant,
    /// Milliseconds since `started` at which the running commit began, plus one; 0 when none runs.
    commit_began: AtomicU64,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            problem: watch::Sender::new(None),
            started: Instant::now(),
            commit_began: AtomicU64::new(0),
        }
    }
}

impl Health {
    /// Why the journal cannot be written now.
    pub(super) fn problem(&self) -> Option<String> {
        if let Some(problem) = &*self.problem.borrow() {
            return Some(problem.clone());
        }
        let began = self.commit_began.load(Ordering::Relaxed);
        let hangs = began != 0 && self.milliseconds().saturating_sub(began) > HANGS_AFTER;
        hangs.then(|| format!("a commit has taken more than {HANGS_AFTER} ms"))
    }

    /// Waits for a state of the last write.
    pub(super) async fn until(&self, state: WriteState) {
        let writable = state == WriteState::Writable;
        let mut problem = self.problem.subscribe();
        // the sender lives as long as `self`
        drop(problem.wait_for(|problem| problem.is_none() == writable).await);
    }

    pub(super) fn last_write_worked(&self) -> bool {
        self.problem.borrow().is_none()
    }

    pub(super) fn worked(&self) {
        let recovered = self.problem.send_if_modified(|problem| problem.take().is_some());
        if recovered {
            tracing::info!("the audit journal can be written again");
        }
        metrics::audit_writable(true);
    }

    pub(super) fn failed(&self, problem: String) {
        if self.last_write_worked() {
            tracing::error!(%problem, "the audit journal cannot be written: nothing is handed out");
        }
        self.problem.send_replace(Some(problem));
        metrics::audit_writable(false);
    }

    /// A commit begins, for which this many events wait.
    pub(super) fn began(&self, waiting: usize) {
        self.commit_began.store(self.milliseconds().saturating_add(1), Ordering::Relaxed);
        metrics::audit_queued(waiting);
    }

    pub(super) fn ended(&self) {
        self.commit_began.store(0, Ordering::Relaxed);
    }

    fn milliseconds(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
