//! Reads the journal beside whoever writes it.

use std::ops::Range;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::column::{bytes, text};
use super::files::Files;
use super::{journal, scan};
use crate::model::{Claims, DecisionId};
use crate::store::column::{signed, timestamp, unsigned};
use crate::store::read::{Order, ReadJournal, Rows, Take};
use crate::store::{Body, ChainHead, Error, JournalRow};

/// A connection that reads.
pub(super) struct Reader {
    pub(super) connection: Connection,
}

impl Reader {
    pub(super) fn open(files: &Files) -> Result<Self, Error> {
        let connection = files.connect()?;
        connection.pragma_update(None, "query_only", true)?;
        Ok(Self { connection })
    }
}

impl ReadJournal for Reader {
    fn head(&self) -> Result<ChainHead, Error> {
        journal::head(&self.connection)
    }

    fn pruned(&self) -> Result<Option<(ChainHead, String)>, Error> {
        Ok(self
            .connection
            .prepare_cached("SELECT sequence, hash, body FROM audit_pruned")?
            .query_row([], |row| {
                let head = ChainHead { sequence: unsigned(row.get(0)?), hash: bytes(row, 1)? };
                Ok((head, row.get(2)?))
            })
            .optional()?)
    }

    fn rows(&self, rows: Rows, limit: u32) -> Result<Vec<JournalRow>, Error> {
        let (condition, sequence) = match rows {
            Rows::After(sequence) => ("sequence > ? ORDER BY sequence", sequence),
            Rows::At(sequence) => ("sequence = ?", sequence),
            Rows::Before(sequence) => ("sequence < ? ORDER BY sequence DESC", sequence),
        };
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT event.sequence, event.id, event.time, event.salt, event.open, event.personal, event.hash, event.claims_hash, audit_claims.body \
             FROM (SELECT * FROM audit_journal WHERE {condition} LIMIT ?) AS event \
             LEFT JOIN audit_claims ON audit_claims.place = event.claims"
        ))?;
        let rows = statement.query_map(params![signed(sequence), limit], journal_row)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn checkpoints_after(&self, sequence: u64, limit: u32) -> Result<Vec<(u64, String)>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT sequence, body FROM audit_checkpoint WHERE sequence > ? ORDER BY sequence LIMIT ?",
        )?;
        let rows = statement.query_map(params![signed(sequence), limit], |row| {
            Ok((unsigned(row.get(0)?), row.get(1)?))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn last_checkpoint(&self) -> Result<u64, Error> {
        let last: Option<i64> = self
            .connection
            .prepare_cached("SELECT max(sequence) FROM audit_checkpoint")?
            .query_row([], |row| row.get(0))?;
        Ok(last.map_or(0, unsigned))
    }

    fn scan(&self, order: Order, places: &Range<u64>, take: Take<'_>) -> Result<(), Error> {
        scan::scan(&self.connection, order, places, take)
    }

    fn place_of(&self, id: DecisionId, places: &Range<u64>) -> Result<Option<u64>, Error> {
        scan::place_of(&self.connection, id, places)
    }

    fn first_from(&self, place: u64) -> Result<Option<u64>, Error> {
        let first: Option<i64> = self
            .connection
            .prepare_cached("SELECT min(sequence) FROM audit_journal WHERE sequence >= ?")?
            .query_row([signed(place)], |row| row.get(0))?;
        Ok(first.map(unsigned))
    }

    fn hash_of(&self, place: u64) -> Result<Option<[u8; 32]>, Error> {
        Ok(self
            .connection
            .prepare_cached("SELECT hash FROM audit_journal WHERE sequence = ?")?
            .query_row([signed(place)], |row| bytes(row, 0))
            .optional()?)
    }
}

fn journal_row(row: &Row<'_>) -> rusqlite::Result<JournalRow> {
    let claims = match row.get_ref(7)? {
        ValueRef::Null => None,
        _ => Some(Claims::from_stored(bytes(row, 7)?, text(row, 8)?)),
    };
    Ok(JournalRow {
        sequence: unsigned(row.get(0)?),
        id: DecisionId::from_bytes(bytes(row, 1)?),
        time: timestamp(row.get(2)?),
        salt: bytes(row, 3)?,
        body: Body::join(text(row, 4)?, text(row, 5)?),
        hash: bytes(row, 6)?,
        claims,
    })
}
