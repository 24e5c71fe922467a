//! The embedded store: two SQLite files, policy and journal in one, because a change and its event are one transaction; the search index of the
//! journal in another, which can be rebuilt. Both are in WAL mode; the first with `synchronous=FULL`.

mod change;
mod column;
mod definitions;
mod error;
#[cfg(test)]
mod fault;
mod files;
mod history;
mod index;
mod index_file;
mod journal;
mod migration;
mod page;
mod prune;
mod read;
mod reserve;
mod revocation;
mod scan;
mod used_token;
mod wal;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use parking_lot::Mutex;
use rusqlite::Connection;

use self::files::Files;
use self::index::IndexFile;
use self::journal::Writer;
use self::read::Reader;
use self::reserve::Reserve;
use super::engine::{Change, Engine, PageOf};
use super::journal::WriteJournal;
use super::read::ReadJournal;
use super::used_token::UsedToken;
use super::{
    Appended, Chain, ChainHead, Changes, Error, Page, PolicyNews, Seal, SearchIndex, blocking,
};
use crate::model::{AccessTokenId, Definitions, ScopeMap, ScopeMapName, Token};

/// An embedded store.
#[derive(Clone, Debug)]
pub(super) struct Sqlite {
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

impl Sqlite {
    /// Opens or makes the store in a file and those beside it, and migrates it; blocking.
    ///
    /// # Errors
    /// The files cannot be used: with the file named.
    pub(super) fn open(database: &Path) -> Result<Self, Error> {
        let files = Files::prepare(database)?;
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

#[async_trait]
impl Engine for Sqlite {
    async fn definitions(&self) -> Result<Definitions, Error> {
        self.read(definitions::load).await
    }

    async fn definitions_at(&self, revision: u64) -> Result<Definitions, Error> {
        self.read(move |connection| history::definitions_at(connection, revision)).await
    }

    async fn changes_since(&self, revision: u64) -> Result<Changes, Error> {
        self.read(move |connection| history::changes_since(connection, revision)).await
    }

    async fn policy_revision(&self) -> Result<u64, Error> {
        self.read(journal::policy_revision).await
    }

    async fn revocations(&self, now: Timestamp) -> Result<Vec<(AccessTokenId, Timestamp)>, Error> {
        self.read(move |connection| revocation::all(connection, now)).await
    }

    async fn scope_maps(&self, page: PageOf) -> Result<Page<ScopeMap>, Error> {
        self.read(move |connection| page::scope_maps(connection, &page)).await
    }

    async fn tokens(
        &self,
        page: PageOf,
        tied_to: Option<ScopeMapName>,
    ) -> Result<Page<Token>, Error> {
        self.read(move |connection| page::tokens(connection, &page, tied_to.as_ref())).await
    }

    async fn change(&self, change: Change, seal: Seal<'static>) -> Result<Appended, Error> {
        let inner = Arc::clone(&self.inner);
        blocking(move || inner.change(&change, seal)).await
    }

    async fn use_up(&self, token: UsedToken) -> Result<bool, Error> {
        let inner = Arc::clone(&self.inner);
        blocking(move || {
            inner.transaction(&mut |transaction| used_token::use_up(transaction, &token))
        })
        .await
    }

    async fn time(&self) -> Result<Option<Timestamp>, Error> {
        Ok(None)
    }

    fn policy_news(&self) -> PolicyNews {
        PolicyNews::none()
    }

    fn chains(&self) -> Result<Vec<Chain>, Error> {
        Ok(vec![Chain::default()])
    }

    fn journal(&self) -> Result<Box<dyn WriteJournal>, Error> {
        Ok(Box::new(Writer::open(Arc::clone(&self.inner))?))
    }

    fn journal_reader(&self, chain: Chain) -> Result<Box<dyn ReadJournal>, Error> {
        only(chain)?;
        Ok(Box::new(Reader::open(&self.inner.files)?))
    }

    fn search_index(&self, chain: Chain) -> Result<SearchIndex, Error> {
        only(chain)?;
        Ok(SearchIndex::new(Box::new(IndexFile::open(&self.inner.files.index)?)))
    }

    fn prune_events(&self, chain: Chain, last: ChainHead, record: &str) -> Result<(), Error> {
        only(chain)?;
        self.inner.prune_events(last, record)
    }

    fn prune_claims(&self) -> Result<u64, Error> {
        self.inner.prune_claims()
    }

    #[cfg(test)]
    fn embedded(&self) -> Option<&Self> {
        Some(self)
    }
}

/// There is one chain.
fn only(chain: Chain) -> Result<(), Error> {
    if chain == Chain::default() {
        return Ok(());
    }
    Err(Error::Unavailable(format!(
        "there is no chain `{chain}`: an embedded store has chain 0 only"
    )))
}

#[cfg(test)]
mod tests;
