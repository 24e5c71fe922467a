//! Follows all chains of the journal forward, for whoever watches it.

use std::collections::VecDeque;

use super::facts::{Facts, searched};
use super::fields::event_of;
use super::{Archive, ArchiveError, Filter, Found, Places};
use crate::store::{Chain, JournalRow};

/// How many events are looked at of a chain at least, however many chains there are.
const LEAST: u32 = 16;

/// A look at the next events.
#[derive(Clone, Debug, PartialEq)]
pub struct Followed {
    /// Those that fit, oldest first.
    pub events: Vec<Found>,
    /// The last event of each chain that was looked at: the next look begins after them.
    pub last: Places,
    /// True when there was no more to look at.
    pub is_all: bool,
}

impl Archive {
    /// The last event's place in each chain; 0 before the first. Blocks.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub fn last_places(&self) -> Result<Places, ArchiveError> {
        let last = |chain| {
            let head = self.reader(chain)?.head().map_err(ArchiveError::new)?;
            Ok((chain, head.sequence))
        };
        self.chains()?.into_iter().map(last).collect()
    }

    /// Looks at about `limit` events after some places; of a chain without a place there, which is newer, from its first on. The order is that of
    /// each chain, and between chains, within one look, that of time. Blocks.
    ///
    /// # Errors
    /// The journal cannot be read. A damaged event is passed over, with a line in the log: `verify` names it.
    pub fn follow(
        &self,
        filter: &Filter,
        after: &Places,
        limit: u32,
    ) -> Result<Followed, ArchiveError> {
        let chains = self.chains()?;
        let share = limit / u32::try_from(chains.len()).unwrap_or(u32::MAX).max(1);
        let share = share.max(LEAST.min(limit));
        let mut found = Vec::with_capacity(chains.len());
        let mut last = Vec::with_capacity(chains.len());
        let mut is_all = true;
        for chain in chains {
            let after = after.of(chain).unwrap_or(0);
            let rows = self.reader(chain)?.after(after, share).map_err(ArchiveError::new)?;
            last.push((chain, rows.last().map_or(after, |row| row.sequence)));
            is_all &= rows.len() < share as usize;
            found.push(fitting(chain, &rows, filter));
        }
        Ok(Followed { events: merge(found), last: last.into_iter().collect(), is_all })
    }
}

fn fitting(chain: Chain, rows: &[JournalRow], filter: &Filter) -> VecDeque<Found> {
    let fitting = rows.iter().filter(|row| Facts::at_least(&searched(row)).fits(filter));
    let read = fitting.filter_map(|row| {
        let event = event_of(row).inspect_err(|error| {
            tracing::warn!(%error, %chain, sequence = row.sequence, "an audit event cannot be read back");
        });
        Some(Found { chain, sequence: row.sequence, event: event.ok()? })
    });
    read.collect()
}

/// All events, the oldest of the next ones first.
fn merge(mut chains: Vec<VecDeque<Found>>) -> Vec<Found> {
    let mut merged = Vec::new();
    loop {
        let next = chains.iter_mut().filter(|chain| !chain.is_empty());
        let oldest = next.min_by_key(|chain| chain.front().map(|found| found.event.time));
        match oldest.and_then(VecDeque::pop_front) {
            Some(found) => merged.push(found),
            None => return merged,
        }
    }
}
