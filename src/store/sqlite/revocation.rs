//! Access tokens that were taken back.

use jiff::Timestamp;
use rusqlite::{Connection, Transaction, params};

use super::column::bytes;
use super::journal;
use crate::model::{AccessTokenId, DecisionId};
use crate::store::Error;
use crate::store::column::{nanoseconds, signed, timestamp};
use crate::store::used_token::over_for_everybody;

/// Adds one, as a policy revision of its own.
pub(super) fn add(
    transaction: &Transaction<'_>,
    id: AccessTokenId,
    expire_time: Timestamp,
) -> Result<(), Error> {
    let revision = journal::policy_revision(transaction)?.saturating_add(1);
    journal::set_policy_revision(transaction, revision)?;
    transaction
        .prepare_cached("INSERT OR REPLACE INTO revocation (id, expire_time) VALUES (?, ?)")?
        .execute(params![id.as_bytes(), nanoseconds(expire_time)])?;
    // when and by whom is in the event of the same transaction
    transaction
        .prepare_cached("INSERT INTO policy_revision (revision, time, actor, kind) VALUES (?, NULL, NULL, 'revocation')")?
        .execute([signed(revision)])?;
    Ok(())
}

/// Deletes those but `newest` that ended long before `now`, a little at a time.
pub(super) fn sweep(
    transaction: &Transaction<'_>,
    newest: AccessTokenId,
    now: Timestamp,
) -> Result<(), Error> {
    transaction
        .prepare_cached(
            "DELETE FROM revocation WHERE id IN (SELECT id FROM revocation WHERE expire_time < ? AND id <> ? LIMIT 100)",
        )?
        .execute(params![nanoseconds(over_for_everybody(now)), newest.as_bytes()])?;
    Ok(())
}

/// Those that have not ended at `now`.
pub(super) fn all(
    connection: &Connection,
    now: Timestamp,
) -> Result<Vec<(AccessTokenId, Timestamp)>, Error> {
    let mut statement = connection
        .prepare_cached("SELECT id, expire_time FROM revocation WHERE expire_time > ?")?;
    let rows = statement.query_map([nanoseconds(now)], |row| {
        let id = DecisionId::from_bytes(bytes(row, 0)?);
        Ok((AccessTokenId::from(id), timestamp(row.get(1)?)))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
