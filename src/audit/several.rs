//! Several events for one transaction: those of a change that touches several definitions.

use super::{Event, Journal};
use crate::store::{ChainHead, Seal};

impl Journal {
    /// Seals events, one after the other, for a transaction of the store that is not the journal's own.
    pub fn seal_all(events: Vec<Event>) -> Seal<'static> {
        Box::new(move |mut head| {
            let mut rows = Vec::with_capacity(events.len());
            for event in events {
                rows.extend(Self::seal(event)(head));
                if let Some(last) = rows.last() {
                    head = ChainHead { sequence: last.sequence, hash: last.hash };
                }
            }
            rows
        })
    }
}
