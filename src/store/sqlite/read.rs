//! Reads the journal beside whoever writes it.

use std::fmt;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::column::{bytes, signed, text, timestamp, unsigned};
use super::files::Files;
use super::{Body, ChainHead, Error, JournalRow, journal};
use crate::model::{Claims, DecisionId};

/// Reads the journal; blocking.
pub struct JournalReader {
    pub(super) connection: Connection,
}

impl fmt::Debug for JournalReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JournalReader").finish_non_exhaustive()
    }
}

impl JournalReader {
    pub(super) fn open(files: &Files) -> Result<Self, Error> {
        let connection = files.connect()?;
        connection.pragma_update(None, "query_only", true)?;
        Ok(Self { connection })
    }

    /// Where the chain stands.
    pub fn head(&self) -> Result<ChainHead, Error> {
        journal::head(&self.connection)
    }

    /// Where the chain starts after a prune: the last event that was deleted, and the signed record of it.
    pub fn pruned(&self) -> Result<Option<(ChainHead, String)>, Error> {
        Ok(self
            .connection
            .prepare_cached("SELECT sequence, hash, body FROM audit_pruned")?
            .query_row([], |row| {
                let head = ChainHead { sequence: unsigned(row.get(0)?), hash: bytes(row, 1)? };
                Ok((head, row.get(2)?))
            })
            .optional()?)
    }

    /// At most `limit` events after `sequence`, oldest first.
    pub fn after(&self, sequence: u64, limit: u32) -> Result<Vec<JournalRow>, Error> {
        self.rows("sequence > ? ORDER BY sequence", sequence, limit)
    }

    /// At most `limit` events before `sequence`, newest first.
    pub fn before(&self, sequence: u64, limit: u32) -> Result<Vec<JournalRow>, Error> {
        self.rows("sequence < ? ORDER BY sequence DESC", sequence, limit)
    }

    /// One event.
    pub fn row(&self, sequence: u64) -> Result<Option<JournalRow>, Error> {
        Ok(self.rows("sequence = ?", sequence, 1)?.pop())
    }

    /// The checkpoints that cover the chain up to an event after `sequence`, oldest first, at most `limit`.
    pub fn checkpoints_after(
        &self,
        sequence: u64,
        limit: u32,
    ) -> Result<Vec<(u64, String)>, Error> {
        let mut statement = self.connection.prepare_cached(
            "SELECT sequence, body FROM audit_checkpoint WHERE sequence > ? ORDER BY sequence LIMIT ?",
        )?;
        let rows = statement.query_map(params![signed(sequence), limit], |row| {
            Ok((unsigned(row.get(0)?), row.get(1)?))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The last event that a checkpoint covers; 0 without one.
    pub fn last_checkpoint(&self) -> Result<u64, Error> {
        let last: Option<i64> = self
            .connection
            .prepare_cached("SELECT max(sequence) FROM audit_checkpoint")?
            .query_row([], |row| row.get(0))?;
        Ok(last.map_or(0, unsigned))
    }

    fn rows(&self, condition: &str, sequence: u64, limit: u32) -> Result<Vec<JournalRow>, Error> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT event.sequence, event.id, event.time, event.salt, event.open, event.personal, event.hash, event.claims_hash, audit_claims.body \
             FROM (SELECT * FROM audit_journal WHERE {condition} LIMIT ?) AS event \
             LEFT JOIN audit_claims ON audit_claims.place = event.claims"
        ))?;
        let rows = statement.query_map(params![signed(sequence), limit], journal_row)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
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
