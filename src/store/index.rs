//! The search index of the journal: a file of its own that follows behind, and can be made anew at any time.

use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{
    Connection, ErrorCode, OptionalExtension, TransactionBehavior, params, params_from_iter,
};

use super::column::{bytes, nanoseconds, signed, unsigned};
use super::files::{self, make_private};
use super::{ChainHead, Error};
use crate::model::DecisionId;

const SCHEMA: &str = include_str!("migrations/index.sql");
/// Another number makes the file anew.
const VERSION: u32 = 1;

/// What an event is found by.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct IndexEntry {
    /// Its place in the chain.
    pub sequence: u64,
    /// The decision.
    pub id: Option<DecisionId>,
    /// When.
    pub time: Timestamp,
    /// The word for what it is about.
    pub kind: String,
    /// The word for why it was refused; absent = it was allowed.
    pub reason: Option<String>,
    /// The registry asked for.
    pub registry: Option<String>,
    /// The repositories asked for.
    pub repositories: Vec<String>,
    /// The name of the token that was acted as or asked for.
    pub token: Option<String>,
    /// `iss` of the identity.
    pub issuer: Option<String>,
    /// `sub` of the identity.
    pub subject: Option<String>,
    /// The access token that it is about.
    pub access_token: Option<[u8; 16]>,
}

/// What is searched for; absent = whatever.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct IndexQuery {
    /// Not before.
    pub since: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
    /// The word for what it is about.
    pub kind: Option<String>,
    /// Only what was allowed (false) or refused (true).
    pub refused: Option<bool>,
    /// The word for why it was refused.
    pub reason: Option<String>,
    /// The registry.
    pub registry: Option<String>,
    /// A repository.
    pub repository: Option<String>,
    /// The token's name.
    pub token: Option<String>,
    /// `iss`.
    pub issuer: Option<String>,
    /// `sub`.
    pub subject: Option<String>,
    /// The access token.
    pub access_token: Option<[u8; 16]>,
}

/// The search index; blocking.
pub struct SearchIndex {
    path: PathBuf,
    connection: Connection,
}

impl fmt::Debug for SearchIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SearchIndex").field("path", &self.path).finish_non_exhaustive()
    }
}

impl SearchIndex {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let connection = match connect(path) {
            Ok(connection) => connection,
            Err(error) if is_damage(&error) => {
                tracing::warn!(%error, "the search index of the audit journal is damaged and made anew");
                remove(path)?;
                connect(path)?
            }
            Err(error) => return Err(error.into()),
        };
        Ok(Self { path: path.to_owned(), connection })
    }

    /// Up to which event the journal is indexed.
    pub fn progress(&self) -> Result<ChainHead, Error> {
        progress(&self.connection).map_err(Error::from)
    }

    /// Adds entries that follow `after`, and remembers `head` as the progress. Nothing happens when somebody else was faster.
    pub fn add(
        &mut self,
        after: ChainHead,
        entries: &[IndexEntry],
        head: ChainHead,
    ) -> Result<(), Error> {
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if progress(&transaction)? != after {
            return Ok(());
        }
        for entry in entries {
            insert(&transaction, entry)?;
        }
        transaction
            .prepare_cached(
                "INSERT OR REPLACE INTO progress (id, sequence, hash) VALUES (1, ?, ?)",
            )?
            .execute(params![signed(head.sequence), head.hash])?;
        Ok(transaction.commit()?)
    }

    /// Forgets the events up to `sequence`, which the journal lost by a prune.
    pub fn prune(&mut self, sequence: u64) -> Result<(), Error> {
        let transaction = self.connection.transaction()?;
        for sql in
            ["DELETE FROM repository WHERE sequence <= ?", "DELETE FROM event WHERE sequence <= ?"]
        {
            transaction.execute(sql, [signed(sequence)])?;
        }
        Ok(transaction.commit()?)
    }

    /// Throws the index away and starts anew.
    pub fn reset(&mut self) -> Result<(), Error> {
        self.connection = Connection::open_in_memory()?;
        remove(&self.path)?;
        self.connection = connect(&self.path)?;
        Ok(())
    }

    /// The place of a decision's event, or of the event that an access token came from.
    pub fn find(&self, id: DecisionId) -> Result<Option<u64>, Error> {
        let sequence: Option<i64> = self
            .connection
            .prepare_cached("SELECT sequence FROM event WHERE id = ? ORDER BY sequence LIMIT 1")?
            .query_row([id.as_bytes()], |row| row.get(0))
            .optional()?;
        Ok(sequence.map(unsigned))
    }

    /// The places of events before `before` that the query fits, newest first, at most `limit`.
    pub fn search(&self, query: &IndexQuery, before: u64, limit: u32) -> Result<Vec<u64>, Error> {
        let (sql, values) = statement(query, before, limit);
        let mut statement = self.connection.prepare_cached(&sql)?;
        let found =
            statement.query_map(params_from_iter(values), |row| row.get(0).map(unsigned))?;
        Ok(found.collect::<rusqlite::Result<_>>()?)
    }
}

/// The text of a search holds column names only; what is searched for is bound.
fn statement(query: &IndexQuery, before: u64, limit: u32) -> (String, Vec<Value>) {
    let mut sql = "SELECT sequence FROM event WHERE sequence < ?".to_owned();
    let mut values = vec![Value::Integer(signed(before))];
    let mut add = |condition: &str, value: Option<Value>| {
        if let Some(value) = value {
            sql.push_str(" AND ");
            sql.push_str(condition);
            values.push(value);
        }
    };
    let text = |value: &Option<String>| value.clone().map(Value::Text);
    let time = |value: Option<Timestamp>| value.map(|time| Value::Integer(nanoseconds(time)));
    add("time >= ?", time(query.since));
    add("time < ?", time(query.until));
    add("kind = ?", text(&query.kind));
    add("(reason IS NOT NULL) = ?", query.refused.map(|refused| Value::Integer(refused.into())));
    add("reason = ?", text(&query.reason));
    add("registry = ?", text(&query.registry));
    add("token = ?", text(&query.token));
    add("issuer = ?", text(&query.issuer));
    add("subject = ?", text(&query.subject));
    add("access_token = ?", query.access_token.map(|id| Value::Blob(id.to_vec())));
    add("sequence IN (SELECT sequence FROM repository WHERE name = ?)", text(&query.repository));
    sql.push_str(" ORDER BY sequence DESC LIMIT ?");
    values.push(Value::Integer(limit.into()));
    (sql, values)
}

fn insert(connection: &Connection, entry: &IndexEntry) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO event (sequence, id, time, kind, reason, registry, token, issuer, subject, access_token) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            signed(entry.sequence),
            entry.id.map(|id| *id.as_bytes()),
            nanoseconds(entry.time),
            entry.kind,
            entry.reason,
            entry.registry,
            entry.token,
            entry.issuer,
            entry.subject,
            entry.access_token,
        ])?;
    for repository in &entry.repositories {
        connection
            .prepare_cached("INSERT OR IGNORE INTO repository (name, sequence) VALUES (?, ?)")?
            .execute(params![repository, signed(entry.sequence)])?;
    }
    Ok(())
}

fn progress(connection: &Connection) -> rusqlite::Result<ChainHead> {
    let found = connection
        .prepare_cached("SELECT sequence, hash FROM progress")?
        .query_row([], |row| {
            Ok(ChainHead { sequence: unsigned(row.get(0)?), hash: bytes(row, 1)? })
        })
        .optional()?;
    Ok(found.unwrap_or_default())
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    if let Err(error) = make_private(path) {
        return Err(rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CANTOPEN),
            Some(error.to_string()),
        ));
    }
    let mut connection = files::open(path)?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: u32 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if version == 0 {
        transaction.execute_batch(SCHEMA)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
    } else if version != VERSION {
        return Err(rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_NOTADB),
            Some(format!("the index has version {version}")),
        ));
    }
    transaction.commit()?;
    Ok(connection)
}

fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

fn remove(path: &Path) -> Result<(), Error> {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        match fs::remove_file(&name) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(Error::Unavailable(format!(
                    "the search index `{}` cannot be removed: {error}",
                    path.display()
                )));
            }
            _ => {}
        }
    }
    Ok(())
}
