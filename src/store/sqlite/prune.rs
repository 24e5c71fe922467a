//! Deletes the oldest events, in pieces that fit into the disk reserve.

use rusqlite::{Connection, params};

use super::{Inner, journal};
use crate::store::column::signed;
use crate::store::{ChainHead, Error};

/// How many rows of claims are deleted in one transaction.
const PIECE: usize = 1000;

impl Inner {
    /// Deletes the events up to `last`, and records with the signed `record` that the chain starts there. Works on a full disk, when the piece is small.
    pub(super) fn prune_events(&self, last: ChainHead, record: &str) -> Result<(), Error> {
        let sequence = signed(last.sequence);
        self.with_reserve(&mut |transaction| {
            transaction.execute("DELETE FROM audit_journal WHERE sequence <= ?", [sequence])?;
            transaction.execute("DELETE FROM audit_checkpoint WHERE sequence <= ?", [sequence])?;
            transaction.execute(
                "INSERT OR REPLACE INTO audit_pruned (id, sequence, hash, body) VALUES (1, ?, ?, ?)",
                params![sequence, last.hash, record],
            )?;
            Ok(())
        })
    }

    /// Deletes the claims that no event refers to any more, and returns how many.
    pub(super) fn prune_claims(&self) -> Result<u64, Error> {
        let reader = self.files.connect()?;
        let (seen, candidates) = unreferenced(&reader)?;
        let mut deleted: u64 = 0;
        for piece in candidates.chunks(PIECE) {
            deleted = deleted.saturating_add(self.with_reserve(&mut |transaction| {
                // whoever remembers stored claims must write them again
                transaction.execute("UPDATE state SET claims_epoch = claims_epoch + 1", [])?;
                let mut delete = transaction.prepare_cached(
                    "DELETE FROM audit_claims WHERE place = ?1 AND NOT EXISTS \
                     (SELECT 1 FROM audit_journal WHERE sequence > ?2 AND claims = ?1)",
                )?;
                let mut deleted: usize = 0;
                for place in piece {
                    deleted = deleted.saturating_add(delete.execute(params![place, signed(seen)])?);
                }
                Ok(u64::try_from(deleted).unwrap_or(u64::MAX))
            })?);
        }
        Ok(deleted)
    }
}

/// The claims that no event up to the head refers to. Found outside of a writing transaction: with millions of events it takes seconds.
fn unreferenced(connection: &Connection) -> Result<(u64, Vec<i64>), Error> {
    let snapshot = connection.unchecked_transaction()?;
    let head = journal::head(&snapshot)?;
    let mut statement = snapshot
        .prepare("SELECT place FROM audit_claims EXCEPT SELECT claims FROM audit_journal")?;
    let places = statement.query_map([], |row| row.get(0))?;
    Ok((head.sequence, places.collect::<rusqlite::Result<_>>()?))
}
