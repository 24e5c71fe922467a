//! The file of the index: opened, found damaged, removed.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use rusqlite::{Connection, ErrorCode, TransactionBehavior, ffi};

use super::files::{self, make_private};
use crate::store::{Error, TermHasher};

const SCHEMA: &str = include_str!("migrations/index.sql");
/// Another number makes the file anew.
const VERSION: u32 = 2;

pub(super) fn connect(path: &Path) -> rusqlite::Result<Connection> {
    if let Err(error) = make_private(path) {
        return Err(failure(ffi::SQLITE_CANTOPEN, error.to_string()));
    }
    let mut connection = files::open(path)?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    // a search never waits for whoever writes the index, as long as it is there
    if version(&connection)? == 0 {
        create(&mut connection)?;
    }
    match version(&connection)? {
        VERSION => {}
        other => return Err(failure(ffi::SQLITE_NOTADB, format!("the index has version {other}"))),
    }
    let known: Option<u32> =
        connection.query_row("SELECT known_term FROM progress", [], |row| row.get(0))?;
    if known != Some(hasher(&connection)?.known().0) {
        return Err(failure(ffi::SQLITE_NOTADB, "its terms are hashed otherwise".to_owned()));
    }
    Ok(connection)
}

fn version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

fn create(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // somebody else may have been faster
    if version(&transaction)? == 0 {
        transaction.execute_batch(SCHEMA)?;
        let known = hasher(&transaction)?.known();
        transaction.execute("UPDATE progress SET known_term = ?", [known.0])?;
        transaction.pragma_update(None, "user_version", VERSION)?;
    }
    transaction.commit()
}

/// The hasher of this file's terms.
pub(super) fn hasher(connection: &Connection) -> rusqlite::Result<TermHasher> {
    connection
        .prepare_cached("SELECT seed FROM progress")?
        .query_row([], |row| row.get(0).map(i64::cast_unsigned).map(TermHasher::new))
}

pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    match error {
        // the one row of the progress is gone, or says something else
        rusqlite::Error::QueryReturnedNoRows
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::IntegralValueOutOfRange(..) => true,
        other => matches!(
            other.sqlite_error_code(),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
        ),
    }
}

pub(super) fn remove(path: &Path) -> Result<(), Error> {
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

fn failure(code: i32, problem: String) -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(ffi::Error::new(code), Some(problem))
}
