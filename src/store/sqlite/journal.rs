//! The append-only journal of sealed audit events: one row an event, no secondary index, the chain's head read in the transaction that appends.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::Inner;
use super::column::bytes;
use super::wal::Mover;
use crate::model::Claims;
use crate::store::column::{nanoseconds, signed, unsigned};
use crate::store::journal::WriteJournal;
use crate::store::{Appended, Chain, ChainHead, Error, JournalRow, Seal};

/// How many hashes of stored claims are remembered: 32 bytes each, some thousand jobs.
const REMEMBERED_CLAIMS: usize = 16 << 10;

/// The connection of the thread that commits.
pub(super) struct Writer {
    inner: Arc<Inner>,
    pub(super) connection: Connection,
    recent: RecentClaims,
    mover: Mover,
}

impl Writer {
    pub(super) fn open(inner: Arc<Inner>) -> Result<Self, Error> {
        let connection = inner.files.connect()?;
        let mover = Mover::start(&inner.files, &connection)?;
        Ok(Self { inner, connection, recent: RecentClaims::default(), mover })
    }
}

impl WriteJournal for Writer {
    fn chain(&self) -> Chain {
        Chain::default()
    }

    fn append(&mut self, seal: Seal<'_>) -> Result<Appended, Error> {
        let recent = &mut self.recent;
        let (rows, added, state) = transact(&self.inner, &mut self.connection, |transaction| {
            let state = state(transaction)?;
            recent.forget_unless(state.claims_epoch);
            let rows = seal(head(transaction)?);
            let added = insert(transaction, &rows, recent)?;
            Ok((rows, added, state))
        })?;
        self.recent.remember(added);
        let bytes = rows.iter().map(JournalRow::size).sum();
        self.mover.committed(&self.connection, bytes);
        Ok(Appended { policy_revision: state.policy_revision })
    }

    fn head(&mut self) -> Result<ChainHead, Error> {
        head(&self.connection)
    }

    fn heads(&mut self) -> Result<Vec<(Chain, ChainHead)>, Error> {
        Ok(vec![(Chain::default(), head(&self.connection)?)])
    }

    fn last_checkpoint(&mut self) -> Result<u64, Error> {
        let last: Option<i64> =
            self.connection
                .query_row("SELECT max(sequence) FROM audit_checkpoint", [], |row| row.get(0))?;
        Ok(last.map_or(0, unsigned))
    }

    fn add_checkpoint(&mut self, sequence: u64, body: &str) -> Result<(), Error> {
        transact(&self.inner, &mut self.connection, |transaction| {
            transaction
                .prepare_cached(
                    "INSERT OR REPLACE INTO audit_checkpoint (sequence, body) VALUES (?, ?)",
                )?
                .execute(params![signed(sequence), body])?;
            Ok(())
        })
    }

    fn probe(&mut self) -> Result<(), Error> {
        for statement in [
            "INSERT OR REPLACE INTO probe (id, filler) VALUES (1, zeroblob(65536))",
            "DELETE FROM probe",
        ] {
            transact(&self.inner, &mut self.connection, |transaction| {
                transaction.prepare_cached(statement)?.execute([])?;
                Ok(())
            })?;
        }
        Ok(())
    }
}

fn transact<T>(
    inner: &Inner,
    connection: &mut Connection,
    work: impl FnOnce(&Transaction<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let _writing = inner.writing.lock();
    inner.files.check()?;
    #[cfg(test)]
    inner.fault.arm(connection, false)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let result = work(&transaction)?;
    transaction.commit()?;
    Ok(result)
}

struct State {
    policy_revision: u64,
    claims_epoch: u64,
}

fn state(connection: &Connection) -> Result<State, Error> {
    Ok(connection.prepare_cached("SELECT policy_revision, claims_epoch FROM state")?.query_row(
        [],
        |row| {
            Ok(State {
                policy_revision: unsigned(row.get(0)?),
                claims_epoch: unsigned(row.get(1)?),
            })
        },
    )?)
}

pub(super) fn policy_revision(connection: &Connection) -> Result<u64, Error> {
    Ok(state(connection)?.policy_revision)
}

pub(super) fn set_policy_revision(
    transaction: &Transaction<'_>,
    revision: u64,
) -> Result<(), Error> {
    transaction
        .prepare_cached("UPDATE state SET policy_revision = ?")?
        .execute([signed(revision)])?;
    Ok(())
}

pub(super) fn head(connection: &Connection) -> Result<ChainHead, Error> {
    let read = |sql| {
        connection
            .prepare_cached(sql)?
            .query_row([], |row| {
                Ok(ChainHead { sequence: unsigned(row.get(0)?), hash: bytes(row, 1)? })
            })
            .optional()
    };
    if let Some(last) =
        read("SELECT sequence, hash FROM audit_journal ORDER BY sequence DESC LIMIT 1")?
    {
        return Ok(last);
    }
    Ok(read("SELECT sequence, hash FROM audit_pruned")?.unwrap_or_default())
}

pub(super) fn insert(
    transaction: &Transaction<'_>,
    rows: &[JournalRow],
    recent: &RecentClaims,
) -> Result<ClaimsPlaces, Error> {
    let mut event = transaction.prepare_cached(
        "INSERT INTO audit_journal (sequence, id, time, salt, open, personal, claims_hash, claims, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    let mut add_claims =
        transaction.prepare_cached("INSERT INTO audit_claims (hash, body) VALUES (?, ?)")?;
    let mut added = ClaimsPlaces::new();
    for row in rows {
        let mut place = row.claims.as_ref().and_then(|claims| recent.place(claims, &added));
        if let Some(claims) = row.claims.as_ref().filter(|_| place.is_none()) {
            let new = add_claims.insert(params![claims.hash(), claims.json()])?;
            added.insert(*claims.hash(), new);
            place = Some(new);
        }
        event.execute(params![
            signed(row.sequence),
            row.id.as_bytes(),
            nanoseconds(row.time),
            row.salt,
            row.body.open(),
            row.body.personal(),
            row.claims.as_ref().map(Claims::hash),
            place,
            row.hash,
        ])?;
    }
    Ok(added)
}

/// Where claims are kept, by their SHA-256.
pub(super) type ClaimsPlaces = HashMap<[u8; 32], i64>;

/// Claims known to be stored, to skip the work; forgotten when claims were deleted, by whatever process.
#[derive(Default)]
pub(super) struct RecentClaims {
    epoch: u64,
    places: ClaimsPlaces,
}

impl RecentClaims {
    /// Where they are: remembered, or just `added`.
    fn place(&self, claims: &Claims, added: &ClaimsPlaces) -> Option<i64> {
        self.places.get(claims.hash()).or_else(|| added.get(claims.hash())).copied()
    }

    fn forget_unless(&mut self, epoch: u64) {
        if self.epoch != epoch {
            self.places.clear();
            self.epoch = epoch;
        }
    }

    fn remember(&mut self, added: ClaimsPlaces) {
        if self.places.len().saturating_add(added.len()) > REMEMBERED_CLAIMS {
            self.places.clear();
        }
        self.places.extend(added);
    }
}
