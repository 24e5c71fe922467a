//! The files of an embedded store: where they are, who may read them, and whether they are still the ones that were opened.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::{Config, Error};

/// How long a connection waits for a lock that another process holds.
const LOCK_WAIT: Duration = Duration::from_secs(2);

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
    pub(super) fn prepare(config: &Config, data_dir: &Path) -> Result<Self, Error> {
        let Some(name) = config.url.strip_prefix("sqlite:").filter(|name| !name.is_empty()) else {
            return Err(Error::Config(format!(
                "store.url `{}` is not known: write `sqlite:FILE`, where FILE is relative to the data folder",
                config.url
            )));
        };
        let database = data_dir.join(name);
        let problem = |error: io::Error| {
            Error::Config(format!(
                "the store's file `{}` cannot be used: {error}",
                database.display()
            ))
        };
        let folder = database.parent().unwrap_or(data_dir);
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(problem)?;
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
    pub(super) fn connect(&self) -> Result<Connection, Error> {
        let connection = open(&self.database)?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        Ok(connection)
    }
}

/// A connection in WAL mode, for a file that can be made here.
pub(super) fn open(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(LOCK_WAIT)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
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
