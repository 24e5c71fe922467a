//! The files of an embedded store: where they are, who may read them, and whether they are still the ones that were opened.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::store::Error;

/// How long a connection waits for a lock that another process holds.
const LOCK_WAIT: Duration = Duration::from_secs(2);

/// Bytes. Each page that a commit touches costs system calls: twice of SQLite's own choice is a fifth less work a batch of events, and no more
/// for a single one.
pub(super) const PAGE_SIZE: u32 = 8 << 10;

/// The paths of one store.
#[derive(Clone, Debug)]
pub(super) struct Files {
    /// Policy and journal.
    pub(super) database: PathBuf,
    /// The search index of the journal.
    pub(super) index: PathBuf,
    /// Disk space kept for changes on a full disk.
    pub(super) reserve: PathBuf,
    /// Device and inode of the database when it was opened.
    identity: (u64, u64),
}

impl Files {
    /// Finds the files, and makes the folder and the database file when they are missing, for their owner only.
    pub(super) fn prepare(database: &Path) -> Result<Self, Error> {
        let database = database.to_owned();
        let problem = |error: io::Error| {
            Error::Config(format!(
                "the store's file `{}` cannot be used: {error}",
                database.display()
            ))
        };
        let folder = database.parent().unwrap_or_else(|| Path::new("."));
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(problem)?;
        refuse_orphan(&database)?;
        make_private(&database).map_err(problem)?;
        let identity = identity(&database).map_err(problem)?;
        let beside = |suffix: &str| {
            let stem = database.file_stem().unwrap_or_default().to_string_lossy();
            database.with_file_name(format!("{stem}{suffix}"))
        };
        Ok(Self { index: beside("-index.db"), reserve: beside(".reserve"), database, identity })
    }

    /// Fails when the database was deleted or replaced under the running program: what SQLite then
    /// writes goes to a file that nobody will find.
    pub(super) fn check(&self) -> Result<(), Error> {
        match identity(&self.database) {
            Ok(found) if found == self.identity => Ok(()),
            Ok(_) => Err(self.gone("was replaced by another file")),
            Err(error) => Err(self.gone(&error.to_string())),
        }
    }

    /// What is said at start when the database cannot be opened.
    pub(super) fn unusable(&self, error: &Error) -> Error {
        Error::Config(format!(
            "the store's file `{}` cannot be used: {error}",
            self.database.display()
        ))
    }

    fn gone(&self, problem: &str) -> Error {
        Error::Unavailable(format!(
            "the file `{}`: {problem}; put it back, or start again",
            self.database.display()
        ))
    }

    /// A connection that writes to the database, durable at each commit.
    ///
    /// Another file in the place of the database is not read: SQLite deletes the WAL that lies beside an empty file, and would take the last
    /// events with it.
    pub(super) fn connect(&self) -> Result<Connection, Error> {
        self.check()?;
        let connection = handle(&self.database)?;
        // what was opened is ours, as nothing else was there before and after; up to here it was not read
        self.check()?;
        // of a file that is not empty, it is what it is
        connection.pragma_update(None, "page_size", PAGE_SIZE)?;
        prepare(&connection)?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        Ok(connection)
    }
}

/// A connection in WAL mode.
pub(super) fn open(path: &Path) -> rusqlite::Result<Connection> {
    let connection = handle(path)?;
    prepare(&connection)?;
    Ok(connection)
}

/// Opens a file that is there, and does not read it yet.
fn handle(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags)
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(LOCK_WAIT)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(())
}

/// Fails when the database is missing or empty, but its WAL is there: a new database in its place would delete the events in it.
fn refuse_orphan(database: &Path) -> Result<(), Error> {
    let size = |path: &Path| fs::metadata(path).map_or(0, |metadata| metadata.len());
    let mut wal = database.as_os_str().to_owned();
    wal.push("-wal");
    let wal = PathBuf::from(wal);
    if size(database) > 0 || size(&wal) == 0 {
        return Ok(());
    }
    Err(Error::Config(format!(
        "the store's file `{}` is gone, but `{}` holds the last of its changes: put the file back, or move that one away too for a new store",
        database.display(),
        wal.display()
    )))
}

/// Makes a database file for its owner only, when there is none; SQLite gives its WAL the same mode. One that is there is not even opened:
/// closing it would drop the locks that SQLite holds on it in this process (`howtocorrupt.html`, section 2.2).
pub(super) fn make_private(path: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::metadata(path).map(|metadata| (metadata.dev(), metadata.ino()))
}
