//! A full disk for tests: the number of pages that the database may have.

use std::sync::atomic::{AtomicU32, Ordering};

use rusqlite::Connection;

use super::Sqlite;
use super::files::PAGE_SIZE;
use crate::store::{Error, Store};

/// Pages in the reserve.
const RESERVE_PAGES: u32 = (4 << 20) / PAGE_SIZE;

#[derive(Debug, Default)]
pub(super) struct Fault {
    /// 0: as many as SQLite allows.
    pages: AtomicU32,
}

impl Fault {
    /// Sets the limit on a connection before it writes; a released reserve is room for more pages.
    pub(super) fn arm(&self, connection: &Connection, released: bool) -> Result<(), Error> {
        let limit = match self.pages.load(Ordering::SeqCst) {
            0 => u32::MAX - 1,
            pages if released => pages + RESERVE_PAGES,
            pages => pages,
        };
        connection.query_row(&format!("PRAGMA max_page_count = {limit}"), [], |_| Ok(()))?;
        Ok(())
    }
}

impl Store {
    fn sqlite(&self) -> &Sqlite {
        self.engine.embedded().expect("an embedded store")
    }

    /// Fills the disk: the database cannot grow from now on, but into the reserve.
    pub(crate) fn fill_disk(&self) {
        let connection = self.sqlite().inner.connection.lock();
        // pages that were freed before would be room as well
        connection.execute_batch("VACUUM").unwrap();
        let pages: u32 = connection.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
        self.sqlite().inner.fault.pages.store(pages, Ordering::SeqCst);
    }

    /// Makes room again.
    pub(crate) fn empty_disk(&self) {
        self.sqlite().inner.fault.pages.store(0, Ordering::SeqCst);
    }

    /// The file of policy and journal.
    pub(crate) fn database_file(&self) -> std::path::PathBuf {
        self.sqlite().inner.files.database.clone()
    }

    /// The file of the search index.
    pub(crate) fn index_file(&self) -> std::path::PathBuf {
        self.sqlite().inner.files.index.clone()
    }
}
