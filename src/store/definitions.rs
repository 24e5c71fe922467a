//! Scope maps and tokens: all are read, only those that changed are written.

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::{Connection, Transaction, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::column::{nanoseconds, signed};
use super::{Error, history, journal};
use crate::model::{Definitions, ScopeMap, Token};

/// A kind of definition that has a table of its own.
pub(super) trait Definition: Serialize + DeserializeOwned {
    /// The table, and the `kind` of the history.
    const TABLE: &str;
    /// The registry and the name.
    fn key(&self) -> (&str, &str);
}

impl Definition for ScopeMap {
    const TABLE: &str = "scope_map";
    fn key(&self) -> (&str, &str) {
        (self.registry.as_str(), self.name.as_str())
    }
}

impl Definition for Token {
    const TABLE: &str = "token";
    fn key(&self) -> (&str, &str) {
        (self.registry.as_str(), self.name.as_str())
    }
}

pub(super) fn load(connection: &Connection) -> Result<Definitions, Error> {
    Ok(Definitions {
        revision: journal::policy_revision(connection)?,
        scope_maps: load_all(connection)?,
        tokens: load_all(connection)?,
    })
}

/// True when a revision after this one is of definitions.
pub(super) fn changed_since(connection: &Connection, revision: u64) -> Result<bool, Error> {
    Ok(connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM policy_revision WHERE revision > ? AND kind = 'definitions')")?
        .query_row([signed(revision)], |row| row.get(0))?)
}

fn load_all<T: Definition>(connection: &Connection) -> Result<Vec<T>, Error> {
    let mut statement = connection
        .prepare_cached(&format!("SELECT body FROM {} ORDER BY registry, name", T::TABLE))?;
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(parse(
            row.get_ref(0)?.as_str().map_err(|error| Error::damaged(T::TABLE, error))?,
        )?);
    }
    Ok(all)
}

pub(super) fn parse<T: Definition>(body: &str) -> Result<T, Error> {
    serde_json::from_str(body).map_err(|error| Error::damaged(T::TABLE, error))
}

/// Writes what differs, and the history of it.
pub(super) fn replace(
    transaction: &Transaction<'_>,
    after: &Definitions,
    actor: &str,
    now: Timestamp,
) -> Result<(), Error> {
    if Some(after.revision) != journal::policy_revision(transaction)?.checked_add(1) {
        return Err(Error::Stale);
    }
    journal::set_policy_revision(transaction, after.revision)?;
    transaction
        .prepare_cached("INSERT INTO policy_revision (revision, time, actor, kind) VALUES (?, ?, ?, 'definitions')")?
        .execute(params![signed(after.revision), nanoseconds(now), actor])?;
    replace_all(transaction, after.revision, &after.scope_maps)?;
    replace_all(transaction, after.revision, &after.tokens)
}

fn replace_all<T: Definition>(
    transaction: &Transaction<'_>,
    revision: u64,
    after: &[T],
) -> Result<(), Error> {
    for change in differences(transaction, after)? {
        history::add(transaction, revision, T::TABLE, &change)?;
        let table = T::TABLE;
        let (registry, name) = (&change.registry, &change.name);
        match &change.after {
            Some(body) => transaction
                .prepare_cached(&format!(
                    "INSERT OR REPLACE INTO {table} (registry, name, body) VALUES (?, ?, ?)"
                ))?
                .execute(params![registry, name, body])?,
            None => transaction
                .prepare_cached(&format!("DELETE FROM {table} WHERE registry = ? AND name = ?"))?
                .execute(params![registry, name])?,
        };
    }
    Ok(())
}

/// What became of one definition: both bodies as JSON; neither is never the case.
pub(super) struct Change {
    pub(super) registry: String,
    pub(super) name: String,
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
}

/// Compares content, not revision numbers: what a caller forgot to number is written all the same.
fn differences<T: Definition>(
    transaction: &Transaction<'_>,
    after: &[T],
) -> Result<Vec<Change>, Error> {
    let mut wanted: HashMap<&str, HashMap<&str, &T>> = HashMap::new();
    for one in after {
        let (registry, name) = one.key();
        wanted.entry(registry).or_default().insert(name, one);
    }
    let mut changes = Vec::new();
    let mut statement =
        transaction.prepare_cached(&format!("SELECT registry, name, body FROM {}", T::TABLE))?;
    let mut rows = statement.query([])?;
    let mut body = Vec::new();
    while let Some(row) = rows.next()? {
        let text = |column| row.get_ref(column)?.as_str().map_err(rusqlite::Error::from);
        let (registry, name, before) = (text(0)?, text(1)?, text(2)?);
        let after = wanted.get_mut(registry).and_then(|names| names.remove(name));
        body.clear();
        if let Some(after) = after {
            write_json(&mut body, after)?;
            if body == before.as_bytes() {
                continue;
            }
        }
        changes.push(Change {
            registry: registry.to_owned(),
            name: name.to_owned(),
            before: Some(before.to_owned()),
            after: after.map(|_| String::from_utf8_lossy(&body).into_owned()),
        });
    }
    for after in wanted.into_values().flat_map(HashMap::into_values) {
        let (registry, name) = after.key();
        body.clear();
        write_json(&mut body, after)?;
        changes.push(Change {
            registry: registry.to_owned(),
            name: name.to_owned(),
            before: None,
            after: Some(String::from_utf8_lossy(&body).into_owned()),
        });
    }
    Ok(changes)
}

fn write_json<T: Definition>(body: &mut Vec<u8>, definition: &T) -> Result<(), Error> {
    serde_json::to_writer(body, definition)
        .map_err(|error| Error::Unavailable(format!("a {} cannot be written: {error}", T::TABLE)))
}
