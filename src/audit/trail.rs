//! Walks through all chains of the journal in pieces, forward with their checkpoints.

mod strand;

use std::collections::VecDeque;

use self::strand::Strand;
use super::{Archive, ArchiveError, Checkpoint};
use crate::store::{Chain, ChainHead, JournalRow};

/// What a journal consists of: where the chains start, then events, each checkpoint after the events that it covers and before later ones.
pub(super) enum Item {
    /// Where a chain starts; with the signed record, when events were pruned.
    Start(Chain, ChainHead, Option<Box<Checkpoint>>),
    /// An event, and the hash of the one before.
    Event(Chain, [u8; 32], Box<JournalRow>),
    /// A checkpoint.
    Checkpoint(Box<Checkpoint>),
}

/// The whole journal, forward. What is signed while it is read is left out: it may cover events that were passed already.
pub(super) struct Trail {
    archive: Archive,
    starts: VecDeque<Item>,
    strands: Vec<Strand>,
    /// The next checkpoint, to which the chains are brought.
    due: Option<Box<Checkpoint>>,
}

impl Trail {
    pub(super) fn open(archive: &Archive) -> Result<Self, ArchiveError> {
        let checkpoints = archive
            .chains()?
            .into_iter()
            .map(|chain| {
                Ok((chain, archive.reader(chain)?.last_checkpoint().map_err(ArchiveError::new)?))
            })
            .collect::<Result<Vec<_>, ArchiveError>>()?;
        let last_checkpoint =
            |chain| checkpoints.iter().find(|(one, _)| *one == chain).map_or(0, |(_, last)| *last);
        let (mut starts, mut strands) = (VecDeque::new(), Vec::new());
        // asked for again: a chain that one of the checkpoints names is there by now
        for chain in archive.chains()? {
            let (strand, record) =
                Strand::open(chain, archive.reader(chain)?, last_checkpoint(chain))?;
            starts.push_back(Item::Start(chain, strand.head(), record));
            strands.push(strand);
        }
        Ok(Self { archive: archive.clone(), starts, strands, due: None })
    }

    fn advance(&mut self) -> Result<Option<Item>, ArchiveError> {
        if let Some(start) = self.starts.pop_front() {
            return Ok(Some(start));
        }
        let due = match self.due.take() {
            Some(due) => Some(due),
            None => self.next_known_checkpoint()?,
        };
        let Some(checkpoint) = due else { return self.event_up_to(|_| Some(u64::MAX)) };
        match self.event_up_to(|chain| Some(checkpoint.head(chain)?.sequence))? {
            Some(event) => {
                self.due = Some(checkpoint);
                Ok(Some(event))
            }
            None => Ok(Some(Item::Checkpoint(checkpoint))),
        }
    }

    /// The next checkpoint that was not signed meanwhile: a replica that is idle signs anew in the place of its last one, and names a chain that
    /// appeared since.
    fn next_known_checkpoint(&mut self) -> Result<Option<Box<Checkpoint>>, ArchiveError> {
        loop {
            match self.next_checkpoint()? {
                Some(checkpoint) if self.names_a_new_chain(&checkpoint)? => {}
                next => return Ok(next),
            }
        }
    }

    /// Whether the chains that it names and that were not there at first are all there by now. One that vanished is not.
    fn names_a_new_chain(&self, checkpoint: &Checkpoint) -> Result<bool, ArchiveError> {
        let named = checkpoint.heads.iter().map(|head| head.chain);
        let unknown: Vec<_> = named
            .filter(|chain| self.strands.iter().all(|strand| strand.chain() != *chain))
            .collect();
        if unknown.is_empty() {
            return Ok(false);
        }
        let chains = self.archive.chains()?;
        Ok(unknown.iter().all(|chain| chains.contains(chain)))
    }

    /// The checkpoint that was signed first. Each was made of all heads as they were at one moment, so of two the later one has no smaller
    /// head, and the greater sum.
    fn next_checkpoint(&mut self) -> Result<Option<Box<Checkpoint>>, ArchiveError> {
        let mut first = None;
        for strand in &mut self.strands {
            let Some(checkpoint) = strand.next_checkpoint()? else { continue };
            let sum: u128 = checkpoint.heads.iter().map(|head| u128::from(head.sequence)).sum();
            if first.as_ref().is_none_or(|(least, _)| sum < *least) {
                first = Some((sum, strand));
            }
        }
        Ok(first.and_then(|(_, strand)| strand.take_checkpoint()))
    }

    /// The next event of a chain that does not stand there yet.
    fn event_up_to(
        &mut self,
        place: impl Fn(Chain) -> Option<u64>,
    ) -> Result<Option<Item>, ArchiveError> {
        for strand in &mut self.strands {
            let Some(place) = place(strand.chain()) else { continue };
            if let Some((previous, row)) = strand.event_up_to(place)? {
                return Ok(Some(Item::Event(strand.chain(), previous, Box::new(row))));
            }
        }
        Ok(None)
    }
}

impl Iterator for Trail {
    type Item = Result<Item, ArchiveError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.advance().transpose()
    }
}
