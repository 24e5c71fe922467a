//! The history of the policy: who, when, before, after.

use rusqlite::{Connection, Transaction, params};

use super::definitions::load;
use super::journal;
use crate::model::Definitions;
use crate::store::column::signed;
use crate::store::definition::Definition;
use crate::store::history::{LastForms, RollBack};
use crate::store::{Changes, Error};

/// Adds what became of one definition: both bodies as JSON, and never neither.
pub(super) fn add<T: Definition>(
    transaction: &Transaction<'_>,
    revision: u64,
    (registry, name): (&str, &str),
    before: Option<&str>,
    after: Option<&str>,
) -> Result<(), Error> {
    transaction
        .prepare_cached(
            "INSERT INTO policy_change (revision, kind, registry, name, before, after) VALUES (?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![signed(revision), T::TABLE, registry, name, before, after])?;
    Ok(())
}

/// Reads what happened after `revision`: it costs as much as changed, however many definitions there are.
pub(super) fn changes_since(connection: &Connection, revision: u64) -> Result<Changes, Error> {
    let newest = journal::policy_revision(connection)?;
    if revision > newest {
        return Err(Error::UnknownRevision(revision, newest));
    }
    let mut statement = connection.prepare_cached(
        "SELECT kind, registry, name, after FROM policy_change WHERE revision > ? ORDER BY revision",
    )?;
    let mut last = LastForms::default();
    let mut rows = statement.query([signed(revision)])?;
    while let Some(row) = rows.next()? {
        last.add((row.get(0)?, row.get(1)?, row.get(2)?), row.get(3)?);
    }
    last.changes(newest)
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
    let mut past = RollBack::from(present);
    let mut statement = connection.prepare_cached(
        "SELECT registry, name, before FROM policy_change WHERE revision > ? AND kind = ? ORDER BY revision DESC",
    )?;
    let mut rows = statement.query(params![signed(revision), T::TABLE])?;
    while let Some(row) = rows.next()? {
        past.undo((row.get(0)?, row.get(1)?), row.get::<_, Option<String>>(2)?.as_deref())?;
    }
    Ok(past.into_past())
}
