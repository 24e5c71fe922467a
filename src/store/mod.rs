//! Where definitions, their history, revocations and audit rows are kept.
//!
//! Embedded, that is two SQLite files: policy and journal in one, because a change and its event are one transaction; the search index of the
//! journal in another, which can be rebuilt. With several replicas it is a PostgreSQL database, and each replica has a hash chain of its own in
//! the journal.

mod chain;
mod column;
mod config;
mod definition;
mod engine;
mod error;
#[cfg(test)]
pub(crate) mod for_test;
mod history;
mod index;
mod journal;
mod news;
mod page;
mod postgres;
mod read;
mod row;
mod sqlite;
mod used_token;

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use self::engine::{Change, Engine, PageOf};
use self::postgres::Postgres;
use self::sqlite::Sqlite;
use self::used_token::UsedToken;
use crate::model::{
    AccessTokenId, DefinitionChange, Definitions, RegistryName, ScopeMap, ScopeMapName, Token,
};

pub use self::chain::{Chain, ChainHead};
pub(crate) use self::column::nanoseconds;
pub use self::config::{Config, Url};
pub use self::error::Error;
pub use self::history::Changes;
pub use self::index::{
    Field, IndexQuery, Progress, SearchIndex, Segment, Snapshot, Term, TermHasher,
};
pub use self::journal::JournalWriter;
pub use self::news::PolicyNews;
pub use self::page::Page;
pub use self::read::JournalReader;
pub use self::row::{Appended, Body, JournalRow, Seal, Searched};

/// The store. Cheap to clone. Its async methods do not block the caller's thread.
#[derive(Clone, Debug)]
pub struct Store {
    engine: Arc<dyn Engine>,
}

impl Store {
    /// Opens or makes the store, and migrates it.
    ///
    /// # Errors
    /// The URL is not one of ours, or the files or the database cannot be used: with the file or the host named.
    pub async fn open(config: &Config, data_dir: &Path) -> Result<Self, Error> {
        let (config, data_dir) = (config.clone(), data_dir.to_owned());
        blocking(move || Self::open_blocking(&config, &data_dir)).await
    }

    /// As [`Store::open`], on the caller's thread.
    pub fn open_blocking(config: &Config, data_dir: &Path) -> Result<Self, Error> {
        let url = postgres::url_of(config)?;
        let engine: Arc<dyn Engine> = match url.sqlite_file() {
            Some(file) => Arc::new(Sqlite::open(&data_dir.join(file))?),
            None if url.is_postgres() => Arc::new(Postgres::open(config, &url)?),
            None => {
                return Err(Error::Config(format!(
                    "store.url `{url}` is not known: write `sqlite:FILE`, where FILE is relative to the data folder, or \
                     `postgres://USER:PASSWORD@HOST/DATABASE`"
                )));
            }
        };
        Ok(Self { engine })
    }

    /// The definitions as they are now.
    pub async fn definitions(&self) -> Result<Definitions, Error> {
        self.engine.definitions().await
    }

    /// The definitions as they were at a revision, rolled back from the history.
    ///
    /// # Errors
    /// [`Error::UnknownRevision`] when it lies in the future.
    pub async fn definitions_at(&self, revision: u64) -> Result<Definitions, Error> {
        self.engine.definitions_at(revision).await
    }

    /// What became of the definitions after a revision; it costs as much as changed.
    ///
    /// # Errors
    /// [`Error::UnknownRevision`] when the revision lies in the future.
    pub async fn changes_since(&self, revision: u64) -> Result<Changes, Error> {
        self.engine.changes_since(revision).await
    }

    /// At most `limit` scope maps of a registry whose names come after `after`. What a page costs does not depend on how many there are.
    pub async fn scope_maps_after(
        &self,
        registry: RegistryName,
        after: String,
        limit: u32,
    ) -> Result<Page<ScopeMap>, Error> {
        self.engine.scope_maps(PageOf { registry, after, limit }).await
    }

    /// At most `limit` tokens of a registry whose names come after `after`; only those tied to `scope_map`, if one is named. What a page costs
    /// does not depend on how many there are.
    pub async fn tokens_after(
        &self,
        registry: RegistryName,
        scope_map: Option<ScopeMapName>,
        after: String,
        limit: u32,
    ) -> Result<Page<Token>, Error> {
        self.engine.tokens(PageOf { registry, after, limit }, scope_map).await
    }

    /// Replaces the definitions by `after` (whose revision is one more than the present), records what changed by whom in the history, and appends
    /// the sealed events, in one transaction. Only rows whose content differs are written. It works on a full disk, by the reserve of an embedded store.
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
        self.engine.change(Change::Replacement { after, actor, now }, seal).await
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
        self.engine.change(Change::Definitions { revision, changes, actor, now }, seal).await
    }

    /// Records that an access token is taken back, with its event, in one transaction. The row counts as a policy revision, so that every replica looks.
    /// It works on a full disk, by the reserve of an embedded store.
    pub async fn revoke(
        &self,
        id: AccessTokenId,
        expire_time: Timestamp,
        seal: Seal<'static>,
    ) -> Result<Appended, Error> {
        self.engine.change(Change::Revocation { id, expire_time }, seal).await
    }

    /// Appends events that must not be kept out by a full disk, such as that of a prune; uses the reserve of an embedded store.
    pub async fn record(&self, seal: Seal<'static>) -> Result<Appended, Error> {
        self.engine.change(Change::Events, seal).await
    }

    /// The access tokens that are taken back and have not ended at `now`.
    pub async fn revocations(
        &self,
        now: Timestamp,
    ) -> Result<Vec<(AccessTokenId, Timestamp)>, Error> {
        self.engine.revocations(now).await
    }

    /// Remembers, durably and for all processes, that an identity token is used, by the hash of its issuer and id. False when it was before: of many
    /// who use it at the same time one hears true.
    pub async fn use_up(
        &self,
        hash: [u8; 32],
        expire_time: Timestamp,
        now: Timestamp,
    ) -> Result<bool, Error> {
        self.engine.use_up(UsedToken { hash, expire_time, now }).await
    }

    /// The present policy revision (definitions and revocations).
    pub async fn policy_revision(&self) -> Result<u64, Error> {
        self.engine.policy_revision().await
    }

    /// Tells when the policy may have changed.
    pub fn policy_news(&self) -> PolicyNews {
        self.engine.policy_news()
    }

    /// The clock of the database server, for the report of clock skew; `None` for an embedded store.
    pub async fn time(&self) -> Result<Option<Timestamp>, Error> {
        self.engine.time().await
    }

    /// The chains of the journal that have or had events, by their numbers; blocking.
    pub fn chains(&self) -> Result<Vec<Chain>, Error> {
        self.engine.chains()
    }

    /// What appends to this process's chain of the journal, for the thread that commits; blocking.
    pub fn journal(&self) -> Result<JournalWriter, Error> {
        Ok(JournalWriter::new(self.engine.journal()?))
    }

    /// What reads a chain of the journal, beside any writer; blocking. A chain that does not exist has no events.
    pub fn journal_reader(&self, chain: Chain) -> Result<JournalReader, Error> {
        Ok(JournalReader::new(chain, self.engine.journal_reader(chain)?))
    }

    /// The search index of a chain of the journal, made anew when it is missing or damaged; blocking.
    pub fn search_index(&self, chain: Chain) -> Result<SearchIndex, Error> {
        self.engine.search_index(chain)
    }

    /// Deletes the events of a chain up to `last`, and records with the signed `record` that the chain starts there; blocking. Works on a full disk
    /// of an embedded store, when the piece is small.
    pub fn prune_events(&self, chain: Chain, last: ChainHead, record: &str) -> Result<(), Error> {
        self.engine.prune_events(chain, last, record)
    }

    /// Deletes the claims that no event refers to any more, and returns how many; blocking.
    pub fn prune_claims(&self) -> Result<u64, Error> {
        self.engine.prune_claims()
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
