//! Every revision of the policy: who, when, before, after.

use std::collections::BTreeMap;

use rusqlite::{Connection, Transaction, params};

use super::column::signed;
use super::definitions::{Definition, load, parse};
use super::{Error, journal};
use crate::model::{DefinitionChange, Definitions, ScopeMap};

/// What became of the definitions after a revision.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Changes {
    /// The revision that they lead to.
    pub revision: u64,
    /// What differs; each definition once, in its last form.
    pub definitions: Vec<DefinitionChange>,
}

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
    let mut last = BTreeMap::<(String, String, String), Option<String>>::new();
    let mut rows = statement.query([signed(revision)])?;
    while let Some(row) = rows.next()? {
        last.insert((row.get(0)?, row.get(1)?, row.get(2)?), row.get(3)?);
    }
    let definitions = last
        .into_iter()
        .map(|((kind, registry, name), after)| definition_change(&kind, &registry, &name, after))
        .collect::<Result<_, _>>()?;
    Ok(Changes { revision: newest, definitions })
}

fn definition_change(
    kind: &str,
    registry: &str,
    name: &str,
    after: Option<String>,
) -> Result<DefinitionChange, Error> {
    fn key<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, Error> {
        text.parse().map_err(|error| Error::damaged("the history of the policy", error))
    }
    let is_map = kind == ScopeMap::TABLE;
    Ok(match after {
        Some(body) if is_map => DefinitionChange::ScopeMapPut(Box::new(parse(&body)?)),
        Some(body) => DefinitionChange::TokenPut(Box::new(parse(&body)?)),
        None if is_map => {
            DefinitionChange::ScopeMapGone { registry: key(registry)?, name: key(name)? }
        }
        None => DefinitionChange::TokenGone { registry: key(registry)?, name: key(name)? },
    })
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
