//! Where definitions, their history, revocations and audit rows are kept.
//!
//! Embedded, that is two SQLite files: policy and journal in one, because a change and its event are one transaction;
//! the search index of the journal in another, which can be rebuilt. Both are in WAL mode; the first with `synchronous=FULL`.

mod change;
pub(super) mod column;
mod definitions;
mod error;
#[cfg(test)]
mod fault;
pub(super) mod files;
mod history;
mod journal;
mod migration;
mod page;
mod prune;
mod read;
mod reserve;
mod revocation;
mod scan;
mod wal;

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use parking_lot::Mutex;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use self::files::Files;
use self::reserve::Reserve;
use crate::model::{AccessTokenId, DefinitionChange, Definitions};

pub(crate) use self::column::nanoseconds;
pub use self::error::Error;
pub use self::history::Changes;
pub use self::journal::{Appended, Body, ChainHead, JournalRow, JournalWriter, Seal};
pub use self::page::Page;
pub use self::read::JournalReader;
pub use self::scan::Searched;
pub use super::index::{
    Field, IndexQuery, Progress, SearchIndex, Segment, Snapshot, Term, TermHasher,
};

/// The `[store]` section.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// `sqlite:FILE`, relative to the data folder.
    pub url: String,
}

impl Default for Config {
    fn default() -> Self {
        Self { url: "sqlite:dockpass.db".to_owned() }
    }
}

/// The store. Cheap to clone. Its async methods do not block the caller's thread.
#[derive(Clone, Debug)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    files: Files,
    /// For definitions and revocations; the journal has a connection of its own.
    connection: Mutex<Connection>,
    /// Held by whoever writes: SQLite's own lock is not fair, and a busy journal would keep a change of policy waiting.
    writing: Mutex<()>,
    reserve: Reserve,
    #[cfg(test)]
    fault: fault::Fault,
}

impl Store {
    /// Opens or makes the store, and migrates it.
    ///
    /// # Errors
    /// The URL is not one of ours, or the files cannot be used: with the file named.
    pub async fn open(config: &Config, data_dir: &Path) -> Result<Self, Error> {
        let (config, data_dir) = (config.clone(), data_dir.to_owned());
        blocking(move || Self::open_blocking(&config, &data_dir)).await
    }

    /// As [`Store::open`], on the caller's thread.
    pub fn open_blocking(config: &Config, data_dir: &Path) -> Result<Self, Error> {
        let files = Files::prepare(config, data_dir)?;
        let reserve = Reserve::new(files.reserve.clone());
        let open = || {
            let mut connection = files.connect()?;
            migration::migrate(&mut connection, migration::MIGRATIONS)?;
            Ok(connection)
        };
        let connection = match open() {
            // the WAL takes some room too: whoever comes to prune must get in
            Err(Error::Full) => {
                reserve.release();
                open()
            }
            result => result,
        }
        .map_err(|error| files.unusable(&error))?;
        reserve.refill();
        Ok(Self {
            inner: Arc::new(Inner {
                reserve,
                connection: Mutex::new(connection),
                writing: Mutex::new(()),
                files,
                #[cfg(test)]
                fault: fault::Fault::default(),
            }),
        })
    }

    /// The definitions as they are now.
    pub async fn definitions(&self) -> Result<Definitions, Error> {
        self.read(definitions::load).await
    }

    /// The definitions as they were at a revision, rolled back from the history.
    ///
    /// # Errors
    /// [`Error::UnknownRevision`] when it lies in the future.
    pub async fn definitions_at(&self, revision: u64) -> Result<Definitions, Error> {
        self.read(move |connection| history::definitions_at(connection, revision)).await
    }

    /// Replaces the definitions by `after` (whose revision is one more than the present), records what changed by whom in the history, and appends
    /// the sealed events, in one transaction. Only rows whose content differs are written. It works on a full disk, by the reserve.
    ///
    /// # Errors
    /// [`Error::Stale`] when the present revision is not the one before.
    pub async fn replace_definitions(
        &self,
        after: Definitions,
        actor: String,
        now: Timestamp,
        seal: Seal<'static>,
    ) -> Result<Appended, Error> {
        self.change(seal, move |transaction| definitions::replace(transaction, &after, &actor, now))
            .await
    }

    /// Makes `revision` (one more than the present) by some changes, otherwise as [`Store::replace_definitions`]: it costs as much as changes,
    /// however many definitions there are.
    ///
    /// # Errors
    /// [`Error::Stale`] when the present revision is not the one before.
    pub async fn change_definitions(
        &self,
        revision: u64,
        changes: Vec<DefinitionChange>,
        actor: String,
        now: Timestamp,
        seal: Seal<'static>,
    ) -> Result<Appended, Error> {
        self.change(seal, move |transaction| {
            definitions::change(transaction, revision, &changes, &actor, now)
        })
        .await
    }

    /// What became of the definitions after a revision; it costs as much as changed.
    ///
    /// # Errors
    /// [`Error::UnknownRevision`] when the revision lies in the future.
    pub async fn changes_since(&self, revision: u64) -> Result<Changes, Error> {
        self.read(move |connection| history::changes_since(connection, revision)).await
    }

    /// Records that an access token is taken back, with its event, in one transaction. The row counts as a policy revision, so that every replica looks.
    /// It works on a full disk, by the reserve.
    pub async fn revoke(
        &self,
        id: AccessTokenId,
        expire_time: Timestamp,
        seal: Seal<'static>,
    ) -> Result<Appended, Error> {
        self.change(seal, move |transaction| revocation::add(transaction, id, expire_time)).await
    }

    /// The access tokens that are taken back and have not ended at `now`.
    pub async fn revocations(
        &self,
        now: Timestamp,
    ) -> Result<Vec<(AccessTokenId, Timestamp)>, Error> {
        self.read(move |connection| revocation::all(connection, now)).await
    }

    /// The present policy revision (definitions and revocations).
    pub async fn policy_revision(&self) -> Result<u64, Error> {
        self.read(journal::policy_revision).await
    }

    /// Appends events that must not be kept out by a full disk, such as that of a prune; uses the reserve.
    pub async fn record(&self, seal: Seal<'static>) -> Result<Appended, Error> {
        self.change(seal, |_| Ok(())).await
    }

    /// The journal's own connection, for the thread that commits.
    pub fn journal(&self) -> Result<JournalWriter, Error> {
        JournalWriter::open(Arc::clone(&self.inner))
    }

    /// A connection that reads the journal, beside any writer; blocking.
    pub fn journal_reader(&self) -> Result<JournalReader, Error> {
        JournalReader::open(&self.inner.files)
    }

    /// The search index of the journal, made anew when it is missing or damaged; blocking.
    pub fn search_index(&self) -> Result<SearchIndex, Error> {
        SearchIndex::open(&self.inner.files.index)
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let inner = Arc::clone(&self.inner);
        blocking(move || {
            let connection = inner.connection.lock();
            // one transaction, so that all statements see the same state beside another process's writes
            let transaction = connection.unchecked_transaction()?;
            work(&transaction)
        })
        .await
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(Error::Unavailable(format!("its work ended early: {error}"))))
}

#[cfg(test)]
mod tests;
