//! Scope maps and tokens: all are read at start, and only those that changed are written.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::{history, journal};
use crate::model::{DefinitionChange, Definitions, ScopeMap, Token};
use crate::store::Error;
use crate::store::column::{nanoseconds, signed};
use crate::store::definition::{Definition, Loading, write};

/// How many pages SQLite keeps while all definitions are read.
const PAGES_OF_A_SCAN: i64 = 32;

pub(super) fn load(connection: &Connection) -> Result<Definitions, Error> {
    // what is read once, from end to end, need not stay in memory
    let usual: i64 = connection.pragma_query_value(None, "cache_size", |row| row.get(0))?;
    connection.pragma_update(None, "cache_size", PAGES_OF_A_SCAN)?;
    let definitions = read(connection);
    connection.pragma_update(None, "cache_size", usual)?;
    definitions
}

fn read(connection: &Connection) -> Result<Definitions, Error> {
    Ok(Definitions {
        revision: journal::policy_revision(connection)?,
        scope_maps: load_all(connection)?,
        tokens: load_all(connection)?,
    })
}

fn load_all<T: Definition>(connection: &Connection) -> Result<Vec<T>, Error> {
    let count: i64 =
        connection
            .query_one(&format!("SELECT count(*) FROM {}", T::TABLE), [], |row| row.get(0))?;
    let mut statement = connection
        .prepare_cached(&format!("SELECT body FROM {} ORDER BY registry, name", T::TABLE))?;
    let mut rows = statement.query([])?;
    let mut all = Loading::of(count);
    while let Some(row) = rows.next()? {
        all.add(row.get_ref(0)?.as_str().map_err(|error| Error::damaged(T::TABLE, error))?)?;
    }
    Ok(all.end())
}

/// Replaces all definitions: what differs is found by reading them all.
pub(super) fn replace(
    transaction: &Transaction<'_>,
    after: &Definitions,
    actor: &str,
    now: Timestamp,
) -> Result<(), Error> {
    let changes = DefinitionChange::between(&load(transaction)?, after);
    change(transaction, after.revision, &changes, actor, now)
}

/// Writes the changes that make `revision`, and the history of them.
pub(super) fn change(
    transaction: &Transaction<'_>,
    revision: u64,
    changes: &[DefinitionChange],
    actor: &str,
    now: Timestamp,
) -> Result<(), Error> {
    if Some(revision) != journal::policy_revision(transaction)?.checked_add(1) {
        return Err(Error::Stale);
    }
    journal::set_policy_revision(transaction, revision)?;
    transaction
        .prepare_cached("INSERT INTO policy_revision (revision, time, actor, kind) VALUES (?, ?, ?, 'definitions')")?
        .execute(params![signed(revision), nanoseconds(now), actor])?;
    for change in changes {
        match change {
            DefinitionChange::ScopeMapPut(map) => put(transaction, revision, &**map),
            DefinitionChange::ScopeMapGone { registry, name } => {
                delete::<ScopeMap>(transaction, revision, (registry.as_str(), name.as_str()))
            }
            DefinitionChange::TokenPut(token) => put(transaction, revision, &**token),
            DefinitionChange::TokenGone { registry, name } => {
                delete::<Token>(transaction, revision, (registry.as_str(), name.as_str()))
            }
        }?;
    }
    Ok(())
}

fn put<T: Definition>(
    transaction: &Transaction<'_>,
    revision: u64,
    after: &T,
) -> Result<(), Error> {
    let body = write(after)?;
    let (registry, name) = after.key();
    let before = body_of::<T>(transaction, after.key())?;
    if before.as_deref() == Some(body.as_str()) {
        return Ok(());
    }
    transaction
        .prepare_cached(&format!(
            "INSERT OR REPLACE INTO {} (registry, name, body) VALUES (?, ?, ?)",
            T::TABLE
        ))?
        .execute(params![registry, name, body])?;
    history::add::<T>(transaction, revision, after.key(), before.as_deref(), Some(&body))
}

fn delete<T: Definition>(
    transaction: &Transaction<'_>,
    revision: u64,
    key: (&str, &str),
) -> Result<(), Error> {
    let Some(before) = body_of::<T>(transaction, key)? else { return Ok(()) };
    transaction
        .prepare_cached(&format!("DELETE FROM {} WHERE registry = ? AND name = ?", T::TABLE))?
        .execute(params![key.0, key.1])?;
    history::add::<T>(transaction, revision, key, Some(&before), None)
}

fn body_of<T: Definition>(
    transaction: &Transaction<'_>,
    (registry, name): (&str, &str),
) -> Result<Option<String>, Error> {
    Ok(transaction
        .prepare_cached(&format!("SELECT body FROM {} WHERE registry = ? AND name = ?", T::TABLE))?
        .query_row(params![registry, name], |row| row.get(0))
        .optional()?)
}

#[cfg(test)]
mod tests {
    use crate::store::sqlite::tests::{sqlite, store};
    use crate::store::tests::sample::definitions_of;

    #[tokio::test]
    async fn a_connection_keeps_as_many_pages_after_a_scan_as_before_even_one_that_failed() {
        let (_folder, store) = store().await;
        let pages = || {
            let connection = sqlite(&store).inner.connection.lock();
            connection.pragma_query_value(None, "cache_size", |row| row.get::<_, i64>(0)).unwrap()
        };
        let usual = pages();
        assert_ne!(usual, super::PAGES_OF_A_SCAN);
        definitions_of(&store, 3).await;
        assert_eq!(pages(), usual);
        assert_eq!(store.definitions().await.unwrap().tokens.len(), 3);
        assert_eq!(pages(), usual);
        let damage = "UPDATE token SET body = '{}' WHERE name = (SELECT max(name) FROM token)";
        sqlite(&store).inner.connection.lock().execute(damage, []).unwrap();
        store.definitions().await.unwrap_err();
        assert_eq!(pages(), usual);
    }
}
