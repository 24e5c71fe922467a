//! Follows one chain.

use super::super::record::Record;
use super::super::report::{ChainReport, Damage, Finding, damaged};
use crate::store::{Chain, ChainHead};

/// How far one chain was followed.
pub(super) struct Follower {
    head: ChainHead,
    is_started: bool,
    /// Checkpoints for events that were not reached yet: the one from outside, and one read too early because events are missing.
    awaited: Vec<ChainHead>,
    report: ChainReport,
}

impl Follower {
    pub(super) fn new(chain: Chain) -> Self {
        Self {
            head: ChainHead::genesis(chain),
            is_started: false,
            awaited: Vec::with_capacity(2),
            report: ChainReport { chain, ..ChainReport::default() },
        }
    }

    pub(super) const fn is_started(&self) -> bool {
        self.is_started
    }

    pub(super) const fn head(&self) -> ChainHead {
        self.head
    }

    pub(super) fn start(&mut self, start: ChainHead) -> Result<(), Finding> {
        if self.is_started {
            return Err(self.damaged(start.sequence, Damage::Forged));
        }
        self.is_started = true;
        self.head = start;
        self.report.start = start.sequence;
        self.report.covered = start.sequence;
        // what was pruned cannot be compared any more, but where the chain starts can
        self.awaited.retain(|awaited| awaited.sequence >= start.sequence);
        self.compare()
    }

    pub(super) fn follows(&self, record: &Record) -> bool {
        self.is_started
            && Some(record.sequence) == self.head.sequence.checked_add(1)
            && record.previous.is_none_or(|previous| previous == self.head.hash)
            && record.follows(self.head)
    }

    pub(super) fn event(&mut self, record: &Record) -> Result<(), Finding> {
        self.head = ChainHead { sequence: record.sequence, hash: record.hash };
        self.report.events = self.report.events.saturating_add(1);
        self.compare()
    }

    /// A checkpoint among the entries names a head.
    pub(super) fn covered_by(&mut self, head: ChainHead) -> Result<(), Finding> {
        if self.is_started && head.sequence < self.report.start {
            // the event was pruned, unlike the checkpoint, which stands in another chain
            return Ok(());
        }
        if head.sequence < self.head.sequence {
            return Err(self.damaged(head.sequence, Damage::Forged));
        }
        self.wait_for(head)
    }

    pub(super) fn wait_for(&mut self, head: ChainHead) -> Result<(), Finding> {
        if self.awaited.len() < 2 {
            self.awaited.push(head);
        }
        self.compare()
    }

    fn compare(&mut self) -> Result<(), Finding> {
        let head = self.head;
        if !self.is_started {
            return Ok(());
        }
        if self.awaited.iter().any(|awaited| awaited.sequence == head.sequence && *awaited != head)
        {
            return Err(self.damaged(head.sequence, Damage::Rewritten));
        }
        if self.awaited.contains(&head) {
            self.report.covered = head.sequence;
            self.awaited.retain(|awaited| *awaited != head);
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<ChainReport, Finding> {
        if !self.is_started {
            return Err(self.damaged(1, Damage::Vanished));
        }
        if !self.awaited.is_empty() {
            return Err(self.damaged(self.head.sequence.saturating_add(1), Damage::Truncated));
        }
        self.report.last = self.head.sequence;
        self.report.hash = self.head.hash;
        Ok(self.report)
    }

    const fn damaged(&self, event: u64, damage: Damage) -> Finding {
        damaged(self.report.chain, event, damage)
    }
}
