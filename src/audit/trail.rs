//! Walks through the journal in pieces, forward with its checkpoints.

use std::collections::VecDeque;

use super::{ArchiveError, Checkpoint};
use crate::store::{self, ChainHead, JournalReader, JournalRow};

/// How many rows are read at once.
const PIECE: u32 = 500;

/// What a journal consists of, in this order: where it starts, events, each checkpoint after the event that it covers.
pub(super) enum Item {
    /// Where the chain starts; with the signed record, when events were pruned.
    Start(ChainHead, Option<Box<Checkpoint>>),
    /// An event, and the hash of the one before.
    Event([u8; 32], Box<JournalRow>),
    /// A checkpoint.
    Checkpoint(Box<Checkpoint>),
}

/// The whole journal, forward.
pub(super) struct Trail {
    reader: JournalReader,
    start: Option<Item>,
    rows: VecDeque<JournalRow>,
    checkpoints: VecDeque<(u64, String)>,
    head: ChainHead,
    last_checkpoint: u64,
}

impl Trail {
    pub(super) fn open(reader: JournalReader) -> Result<Self, ArchiveError> {
        let (head, record) = match reader.pruned().map_err(ArchiveError::new)? {
            Some((head, record)) => (head, Some(Box::new(parse(head.sequence, &record)?))),
            None => (ChainHead::default(), None),
        };
        Ok(Self {
            reader,
            start: Some(Item::Start(head, record)),
            rows: VecDeque::new(),
            checkpoints: VecDeque::new(),
            head,
            last_checkpoint: head.sequence,
        })
    }

    /// Checkpoints first: then the events that they cover are there, although the journal is written meanwhile. As many as
    /// events, because no event has two.
    ///
    /// # Errors
    /// What comes next was pruned meanwhile: that is no damage.
    fn refill(&mut self) -> Result<(), ArchiveError> {
        let read = |reader: &JournalReader| -> Result<_, store::Error> {
            Ok((
                reader.checkpoints_after(self.last_checkpoint, PIECE)?,
                reader.after(self.head.sequence, PIECE)?,
                // last, so that it tells of every prune that the others saw
                reader.pruned()?,
            ))
        };
        let (checkpoints, rows, pruned) = read(&self.reader).map_err(ArchiveError::new)?;
        if let Some((start, _)) = pruned.filter(|(start, _)| start.sequence > self.head.sequence) {
            return Err(ArchiveError(format!(
                "events up to {} were pruned while it was read: start again",
                start.sequence
            )));
        }
        self.checkpoints = checkpoints.into();
        self.rows = rows.into();
        Ok(())
    }

    fn advance(&mut self) -> Result<Option<Item>, ArchiveError> {
        if let Some(start) = self.start.take() {
            return Ok(Some(start));
        }
        if self.rows.is_empty() {
            self.refill()?;
        }
        let next_event = self.rows.front().map(|row| row.sequence);
        let due = self
            .checkpoints
            .pop_front_if(|(sequence, _)| next_event.is_none_or(|event| *sequence < event));
        if let Some((sequence, json)) = due {
            self.last_checkpoint = sequence;
            return Ok(Some(Item::Checkpoint(Box::new(parse(sequence, &json)?))));
        }
        let Some(row) = self.rows.pop_front() else { return Ok(None) };
        let previous = self.head.hash;
        self.head = ChainHead { sequence: row.sequence, hash: row.hash };
        Ok(Some(Item::Event(previous, Box::new(row))))
    }
}

impl Iterator for Trail {
    type Item = Result<Item, ArchiveError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.advance().transpose()
    }
}

fn parse(sequence: u64, json: &str) -> Result<Checkpoint, ArchiveError> {
    serde_json::from_str(json)
        .map_err(|error| ArchiveError(format!("the checkpoint of event {sequence}: {error}")))
}
