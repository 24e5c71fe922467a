//! Reads what an event is found by, row after row and without a copy: the claims and the seal stay where they are.

use std::ops::{ControlFlow, Range};

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

use super::column::{bytes, signed, text, timestamp, unsigned};
use super::{Error, JournalReader};
use crate::model::DecisionId;

/// The part of an event that searches look at.
#[derive(Clone, Copy, Debug)]
pub struct Searched<'a> {
    /// Its place in the chain.
    pub sequence: u64,
    /// The decision that it records.
    pub id: DecisionId,
    /// When.
    pub time: Timestamp,
    /// The JSON of what everybody may see; empty when it was damaged.
    pub open: &'a str,
    /// The JSON of who called; empty when it was damaged.
    pub personal: &'a str,
}

impl JournalReader {
    /// Hands over the events of a range, oldest first.
    pub fn each(
        &self,
        places: &Range<u64>,
        mut take: impl FnMut(&Searched<'_>),
    ) -> Result<(), Error> {
        self.scan("", places, |event| {
            take(event);
            ControlFlow::Continue(())
        })
    }

    /// Hands over the events of a range, newest first, until it is told to stop.
    pub fn each_back(
        &self,
        places: &Range<u64>,
        take: impl FnMut(&Searched<'_>) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        self.scan("DESC", places, take)
    }

    /// The place of a decision within a range, found by looking at each.
    pub fn place_of(&self, id: DecisionId, places: &Range<u64>) -> Result<Option<u64>, Error> {
        let place: Option<i64> = self
            .connection
            .prepare_cached(
                "SELECT sequence FROM audit_journal WHERE sequence >= ? AND sequence < ? AND id = ? LIMIT 1",
            )?
            .query_row(params![signed(places.start), signed(places.end), id.as_bytes()], |row| {
                row.get(0)
            })
            .optional()?;
        Ok(place.map(unsigned))
    }

    /// The place of the first event at or after `place`.
    pub fn first_from(&self, place: u64) -> Result<Option<u64>, Error> {
        let first: Option<i64> = self
            .connection
            .prepare_cached("SELECT min(sequence) FROM audit_journal WHERE sequence >= ?")?
            .query_row([signed(place)], |row| row.get(0))?;
        Ok(first.map(unsigned))
    }

    /// The hash of an event.
    pub fn hash_of(&self, place: u64) -> Result<Option<[u8; 32]>, Error> {
        Ok(self
            .connection
            .prepare_cached("SELECT hash FROM audit_journal WHERE sequence = ?")?
            .query_row([signed(place)], |row| bytes(row, 0))
            .optional()?)
    }

    fn scan(
        &self,
        order: &str,
        places: &Range<u64>,
        mut take: impl FnMut(&Searched<'_>) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT sequence, id, time, open, personal FROM audit_journal \
             WHERE sequence >= ? AND sequence < ? ORDER BY sequence {order}"
        ))?;
        let mut rows = statement.query([signed(places.start), signed(places.end)])?;
        while let Some(row) = rows.next()? {
            if take(&searched(row)?).is_break() {
                break;
            }
        }
        Ok(())
    }
}

fn searched<'a>(row: &'a Row<'_>) -> rusqlite::Result<Searched<'a>> {
    let id = row.get_ref(1)?.as_blob()?.try_into().map_err(|_| rusqlite::Error::InvalidQuery)?;
    Ok(Searched {
        sequence: unsigned(row.get(0)?),
        id: DecisionId::from_bytes(id),
        time: timestamp(row.get(2)?),
        open: text(row, 3).unwrap_or_default(),
        personal: text(row, 4).unwrap_or_default(),
    })
}
