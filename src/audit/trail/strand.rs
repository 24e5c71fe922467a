//! Reads one chain of the journal in pieces.

use std::collections::VecDeque;

use super::super::{ArchiveError, Checkpoint};
use crate::store::{self, Chain, ChainHead, JournalReader, JournalRow};

/// How many rows are read at once.
const PIECE: u32 = 500;

/// One chain, forward.
pub(super) struct Strand {
    chain: Chain,
    reader: JournalReader,
    rows: VecDeque<JournalRow>,
    head: ChainHead,
    /// How many rows were taken with the number of the last one: one, unless the store was damaged.
    at_head: usize,
    checkpoints: VecDeque<Box<Checkpoint>>,
    /// The last one that was read.
    checkpoint: u64,
    /// The last one that is wanted.
    last_checkpoint: u64,
}

impl Strand {
    /// The chain, and the record of where it starts when events were pruned.
    pub(super) fn open(
        chain: Chain,
        reader: JournalReader,
        last_checkpoint: u64,
    ) -> Result<(Self, Option<Box<Checkpoint>>), ArchiveError> {
        let (head, record) = match reader.pruned().map_err(ArchiveError::new)? {
            Some((head, record)) => {
                (head, Some(Box::new(Checkpoint::parse(head.sequence, &record)?)))
            }
            None => (ChainHead::genesis(chain), None),
        };
        let strand = Self {
            chain,
            reader,
            rows: VecDeque::new(),
            head,
            at_head: 0,
            checkpoints: VecDeque::new(),
            checkpoint: head.sequence,
            last_checkpoint,
        };
        Ok((strand, record))
    }

    pub(super) const fn chain(&self) -> Chain {
        self.chain
    }

    /// The last event that was taken.
    pub(super) const fn head(&self) -> ChainHead {
        self.head
    }

    /// The next event, if it does not stand after `place`, with the hash of the one before.
    pub(super) fn event_up_to(
        &mut self,
        place: u64,
    ) -> Result<Option<([u8; 32], JournalRow)>, ArchiveError> {
        if self.head.sequence >= place {
            return Ok(None);
        }
        if self.rows.is_empty() {
            // with the last one again: a second event in its place would go unseen where one piece ends
            let rows = self.reader.after(self.head.sequence.saturating_sub(1), PIECE);
            self.rows = self.unless_pruned(rows)?.into();
            let again = self.rows.iter().take_while(|row| row.sequence == self.head.sequence);
            let again = again.count().min(self.at_head);
            self.rows.drain(..again);
        }
        let Some(row) = self.rows.pop_front_if(|row| row.sequence <= place) else {
            return Ok(None);
        };
        self.at_head =
            if row.sequence == self.head.sequence { self.at_head.saturating_add(1) } else { 1 };
        let previous = self.head.hash;
        self.head = ChainHead { sequence: row.sequence, hash: row.hash };
        Ok(Some((previous, row)))
    }

    /// Looks at the next checkpoint.
    pub(super) fn next_checkpoint(&mut self) -> Result<Option<&Checkpoint>, ArchiveError> {
        if self.checkpoints.is_empty() && self.checkpoint < self.last_checkpoint {
            let read = self.reader.checkpoints_after(self.checkpoint, PIECE);
            let read = self.unless_pruned(read)?;
            self.checkpoint = read.last().map_or(self.last_checkpoint, |(sequence, _)| *sequence);
            let wanted = read.iter().filter(|(sequence, _)| *sequence <= self.last_checkpoint);
            self.checkpoints = wanted
                .map(|(sequence, json)| Ok(Box::new(Checkpoint::parse(*sequence, json)?)))
                .collect::<Result<_, ArchiveError>>()?;
        }
        Ok(self.checkpoints.front().map(AsRef::as_ref))
    }

    /// Takes the checkpoint that was looked at.
    pub(super) fn take_checkpoint(&mut self) -> Option<Box<Checkpoint>> {
        self.checkpoints.pop_front()
    }

    /// What was read, unless what should have come was pruned meanwhile: that is no damage.
    fn unless_pruned<T>(&self, read: Result<T, store::Error>) -> Result<T, ArchiveError> {
        let read = read.map_err(ArchiveError::new)?;
        let pruned = self.reader.pruned().map_err(ArchiveError::new)?;
        match pruned.filter(|(start, _)| start.sequence > self.head.sequence) {
            None => Ok(read),
            Some((start, _)) => Err(ArchiveError::new(format!(
                "events up to {} were pruned while it was read: start again",
                start.sequence
            ))),
        }
    }
}
