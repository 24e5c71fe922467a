//! Every revision of the policy: who, when, before, after.

use std::collections::BTreeMap;

use rusqlite::{Connection, Transaction, params};

use super::column::signed;
use super::definitions::{Change, Definition, load, parse};
use super::{Error, journal};
use crate::model::Definitions;

pub(super) fn add(
    transaction: &Transaction<'_>,
    revision: u64,
    kind: &str,
    change: &Change,
) -> Result<(), Error> {
    let Change { registry, name, before, after } = change;
    transaction
        .prepare_cached(
            "INSERT INTO policy_change (revision, kind, registry, name, before, after) VALUES (?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![signed(revision), kind, registry, name, before, after])?;
    Ok(())
}

/// Takes back what happened after `revision`.
pub(super) fn definitions_at(connection: &Connection, revision: u64) -> Result<Definitions, Error> {
    let newest = journal::policy_revision(connection)?;
    if revision > newest {
        return Err(Error::UnknownRevision(revision, newest));
    }
    let mut definitions = load(connection)?;
    definitions.scope_maps = roll_back(connection, revision, definitions.scope_maps)?;
    definitions.tokens = roll_back(connection, revision, definitions.tokens)?;
    definitions.revision = revision;
    Ok(definitions)
}

fn roll_back<T: Definition>(
    connection: &Connection,
    revision: u64,
    present: Vec<T>,
) -> Result<Vec<T>, Error> {
    let mut all: BTreeMap<(String, String), T> =
        present.into_iter().map(|one| (owned(one.key()), one)).collect();
    let mut statement = connection.prepare_cached(
        "SELECT registry, name, before FROM policy_change WHERE revision > ? AND kind = ? ORDER BY revision DESC",
    )?;
    let mut rows = statement.query(params![signed(revision), T::TABLE])?;
    while let Some(row) = rows.next()? {
        let key = (row.get(0)?, row.get(1)?);
        match row.get::<_, Option<String>>(2)? {
            Some(before) => all.insert(key, parse(&before)?),
            None => all.remove(&key),
        };
    }
    Ok(all.into_values().collect())
}

fn owned((registry, name): (&str, &str)) -> (String, String) {
    (registry.to_owned(), name.to_owned())
}
