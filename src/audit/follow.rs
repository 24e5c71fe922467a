//! Follows the journal forward, for whoever watches it.

use super::facts::Facts;
use super::fields::event_of;
use super::{Archive, ArchiveError, Filter, Found};
use crate::store::{JournalRow, Searched};

/// A look at the next events.
#[derive(Clone, Debug, PartialEq)]
pub struct Followed {
    /// Those that fit, oldest first.
    pub events: Vec<Found>,
    /// The last event that was looked at: the next look begins after it.
    pub last: u64,
    /// True when there was no more to look at.
    pub is_all: bool,
}

impl Archive {
    /// The last event's place in the chain; 0 before the first. Blocks.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub fn last_sequence(&self) -> Result<u64, ArchiveError> {
        Ok(self.reader()?.head().map_err(ArchiveError::new)?.sequence)
    }

    /// Looks at most at `limit` events after a place. Blocks.
    ///
    /// # Errors
    /// The journal cannot be read. A damaged event is passed over, with a line in the log: `verify` names it.
    pub fn follow(
        &self,
        filter: &Filter,
        after: u64,
        limit: u32,
    ) -> Result<Followed, ArchiveError> {
        let rows = self.reader()?.after(after, limit).map_err(ArchiveError::new)?;
        let last = rows.last().map_or(after, |row| row.sequence);
        let is_all = rows.len() < limit as usize;
        let fitting = rows.iter().filter(|row| Facts::at_least(&searched(row)).fits(filter));
        let read = fitting.filter_map(|row| {
            let event = event_of(row).inspect_err(|error| {
                tracing::warn!(%error, sequence = row.sequence, "an audit event cannot be read back");
            });
            Some(Found { sequence: row.sequence, event: event.ok()? })
        });
        Ok(Followed { events: read.collect(), last, is_all })
    }
}

/// The part of a row that searches look at.
fn searched(row: &JournalRow) -> Searched<'_> {
    Searched {
        sequence: row.sequence,
        id: row.id,
        time: row.time,
        open: row.body.open(),
        personal: row.body.personal(),
    }
}
