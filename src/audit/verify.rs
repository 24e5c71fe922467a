//! Follows the chain and names the first bad event and the kind of damage. It reads a stream once and keeps none of it.
//!
//! What it cannot see: damage after the last checkpoint that it knows, by somebody who seals all later events anew or cuts them off.
//! Hence the copies of checkpoints outside of the store.

use std::collections::BTreeSet;

use super::checkpoint::{Checkpoint, Statement};
use super::record::Record;
use super::{ArchiveError, Hex};
use crate::model::DecisionId;
use crate::store::ChainHead;

/// One part of a journal or of an export.
#[derive(Debug)]
pub enum Entry {
    /// Where the chain starts: first of all, and once. With the signed record when older events were pruned.
    Start(ChainHead, Option<Box<Checkpoint>>),
    /// An event.
    Event(Box<Record>),
    /// A checkpoint, after the event that it covers.
    Checkpoint(Box<Checkpoint>),
}

/// What was found to be in order.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Report {
    /// How many events were read.
    pub events: u64,
    /// The event before the first one that was read; not 0 after a prune.
    pub start: u64,
    /// The last event.
    pub last: u64,
    /// The hash of the last event.
    pub hash: [u8; 32],
    /// How many checkpoints were read, without the one from outside.
    pub checkpoints: u64,
    /// The last event that a checkpoint covers: of later ones, nothing shows that they were not cut off or sealed anew.
    pub covered: u64,
    /// The keys that signed checkpoints. Compare them with the one that you know: whoever owns the files can sign anew.
    pub keys: BTreeSet<String>,
}

/// Why a journal does not verify.
#[derive(Debug, thiserror::Error)]
pub enum Finding {
    /// It is damaged.
    #[error("event {event}{}: {damage}", .id.map(|id| format!(" (`{id}`)")).unwrap_or_default())]
    Damaged {
        /// The place of the first bad event.
        event: u64,
        /// The decision whose event stands there, when one does.
        id: Option<DecisionId>,
        /// The kind of damage.
        damage: Damage,
    },
    /// It could not be read.
    #[error(transparent)]
    Unreadable(#[from] ArchiveError),
}

/// The kinds of damage.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Damage {
    /// It is not what was sealed.
    #[error("its content, or its link to the event before, was changed")]
    Changed,
    /// It is missing, and later ones are there.
    #[error("it was dropped")]
    Dropped,
    /// It was never sealed into the chain.
    #[error("it was inserted")]
    Inserted,
    /// It was sealed at another place.
    #[error("it stands in another order than it was recorded in")]
    Reordered,
    /// It and all that follow are missing, although a checkpoint covers it.
    #[error("it and all after it were cut off, although a checkpoint covers them")]
    Truncated,
    /// The events up to here fit each other, but a checkpoint says otherwise.
    #[error("the chain up to here was made anew: a checkpoint has another hash for this event")]
    Rewritten,
    /// A checkpoint, or the record of a prune, is not signed by its key, or does not belong here.
    #[error("the checkpoint or prune record there is forged")]
    Forged,
}

/// Follows all entries. `outside` is a checkpoint that was kept elsewhere: with it, truncation and rewriting up to it are found for sure.
///
/// # Errors
/// The first bad event, or why the entries cannot be read.
pub fn verify(
    entries: impl Iterator<Item = Result<Entry, ArchiveError>>,
    outside: Option<&Checkpoint>,
) -> Result<Report, Finding> {
    let mut entries = entries;
    let mut verifier = Verifier::new(outside)?;
    while let Some(entry) = entries.next() {
        match entry? {
            Entry::Start(start, record) => verifier.start(start, record.as_deref())?,
            Entry::Checkpoint(checkpoint) => verifier.checkpoint(&checkpoint)?,
            Entry::Event(record) if verifier.follows(&record) => verifier.event(&record)?,
            Entry::Event(_) if !verifier.started => return Err(no_start().into()),
            Entry::Event(bad) => return Err(blame(&bad, verifier.head, entries)),
        }
    }
    verifier.finish()
}

struct Verifier {
    head: ChainHead,
    started: bool,
    /// Checkpoints for events that were not reached yet: the one from outside, and one read too early because events are missing.
    awaited: Vec<ChainHead>,
    report: Report,
}

impl Verifier {
    fn new(outside: Option<&Checkpoint>) -> Result<Self, Finding> {
        let mut verifier = Self {
            head: ChainHead::default(),
            started: false,
            awaited: Vec::with_capacity(2),
            report: Report::default(),
        };
        if let Some(checkpoint) = outside {
            let head = verifier.signed(checkpoint)?;
            verifier.awaited.push(head);
        }
        Ok(verifier)
    }

    fn start(&mut self, start: ChainHead, record: Option<&Checkpoint>) -> Result<(), Finding> {
        let bad = damaged(start.sequence, Damage::Forged);
        if self.started {
            return Err(bad);
        }
        match record {
            None if start == ChainHead::default() => {}
            Some(record) if record.kind == Statement::Start && self.signed(record)? == start => {}
            _ => return Err(bad),
        }
        self.started = true;
        self.head = start;
        self.report.start = start.sequence;
        self.report.covered = start.sequence;
        // what was pruned cannot be compared any more, but where the chain starts can
        self.awaited.retain(|awaited| awaited.sequence >= start.sequence);
        self.compare_awaited()
    }

    fn follows(&self, record: &Record) -> bool {
        self.started
            && Some(record.sequence) == self.head.sequence.checked_add(1)
            && record.previous.is_none_or(|previous| previous == self.head.hash)
            && record.follows(self.head)
    }

    fn event(&mut self, record: &Record) -> Result<(), Finding> {
        self.head = ChainHead { sequence: record.sequence, hash: record.hash };
        self.report.events = self.report.events.saturating_add(1);
        self.compare_awaited()
    }

    fn checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), Finding> {
        let head = self.signed(checkpoint)?;
        if checkpoint.kind != Statement::Checkpoint || head.sequence < self.head.sequence {
            return Err(damaged(head.sequence, Damage::Forged));
        }
        self.report.checkpoints = self.report.checkpoints.saturating_add(1);
        if self.awaited.len() < 2 {
            self.awaited.push(head);
        }
        self.compare_awaited()
    }

    fn compare_awaited(&mut self) -> Result<(), Finding> {
        let head = self.head;
        if self.awaited.iter().any(|awaited| awaited.sequence == head.sequence && *awaited != head)
        {
            return Err(damaged(head.sequence, Damage::Rewritten));
        }
        if self.awaited.contains(&head) {
            self.report.covered = head.sequence;
            self.awaited.retain(|awaited| *awaited != head);
        }
        Ok(())
    }

    /// The head of a checkpoint that its key signed.
    fn signed(&mut self, checkpoint: &Checkpoint) -> Result<ChainHead, Finding> {
        let Some(head) = checkpoint.head().filter(|_| checkpoint.is_signed()) else {
            let event = checkpoint.head().map_or(0, |head| head.sequence);
            return Err(damaged(event, Damage::Forged));
        };
        self.report.keys.insert(Hex(checkpoint.public_key.0).to_string());
        Ok(head)
    }

    fn finish(mut self) -> Result<Report, Finding> {
        if !self.started {
            return Err(no_start().into());
        }
        if !self.awaited.is_empty() {
            return Err(damaged(self.head.sequence.saturating_add(1), Damage::Truncated));
        }
        self.report.last = self.head.sequence;
        self.report.hash = self.head.hash;
        Ok(self.report)
    }
}

/// Finds out what happened where `bad` stands in place of the event after `head`: it looks in all that follows for the event that was
/// sealed there, and then whether `bad` was sealed later.
fn blame(
    bad: &Record,
    head: ChainHead,
    rest: impl Iterator<Item = Result<Entry, ArchiveError>>,
) -> Finding {
    let expected = head.sequence.saturating_add(1);
    let mut genuine = head;
    for entry in rest {
        let record = match entry {
            Ok(Entry::Event(record)) => record,
            Ok(_) => continue,
            Err(_) => break,
        };
        let its_own = ChainHead { sequence: record.sequence, hash: record.hash };
        if record.follows(genuine) {
            let sequence = genuine.sequence.saturating_add(1);
            genuine = ChainHead { sequence, hash: record.hash };
        }
        if bad.follows(genuine) || bad.follows(its_own) {
            return found(expected, bad, Damage::Reordered);
        }
    }
    if genuine != head || bad.sequence < expected {
        return found(expected, bad, Damage::Inserted);
    }
    if bad.sequence > expected {
        return damaged(expected, Damage::Dropped);
    }
    // the export says what the event before hashed to when this one was sealed
    let sealed = bad.previous.is_some_and(|previous| {
        previous != head.hash && bad.follows(ChainHead { sequence: head.sequence, hash: previous })
    });
    if sealed && head.sequence > 0 {
        return damaged(head.sequence, Damage::Changed);
    }
    found(expected, bad, Damage::Changed)
}

fn found(event: u64, bad: &Record, damage: Damage) -> Finding {
    Finding::Damaged { event, id: Some(bad.id), damage }
}

fn no_start() -> ArchiveError {
    ArchiveError::new(
        "an export starts with a line `{\"export\":…}`: the head of this one is missing",
    )
}

fn damaged(event: u64, damage: Damage) -> Finding {
    Finding::Damaged { event, id: None, damage }
}
