//! What an engine does: SQLite and PostgreSQL alike.

use std::fmt;

use async_trait::async_trait;
use jiff::Timestamp;

use super::journal::WriteJournal;
use super::read::ReadJournal;
use super::used_token::UsedToken;
use super::{Appended, Chain, ChainHead, Changes, Error, Page, PolicyNews, Seal, SearchIndex};
use crate::model::{
    AccessTokenId, DefinitionChange, Definitions, RegistryName, ScopeMap, ScopeMapName, Token,
};

/// A change that is one transaction with its events.
#[derive(Debug)]
pub(super) enum Change {
    /// Nothing but the events.
    Events,
    /// All definitions are replaced by these.
    Replacement {
        after: Definitions,
        /// Who, for the history.
        actor: String,
        now: Timestamp,
    },
    /// Some definitions become others, which makes this revision.
    Definitions { revision: u64, changes: Vec<DefinitionChange>, actor: String, now: Timestamp },
    /// An access token is taken back.
    Revocation { id: AccessTokenId, expire_time: Timestamp },
}

/// Which page of definitions.
#[derive(Clone, Debug)]
pub(super) struct PageOf {
    pub(super) registry: RegistryName,
    /// The name before the first.
    pub(super) after: String,
    /// The most that are on it.
    pub(super) limit: u32,
}

/// A store. The methods that are not `async` block their thread.
#[async_trait]
pub(super) trait Engine: fmt::Debug + Send + Sync {
    async fn definitions(&self) -> Result<Definitions, Error>;
    async fn definitions_at(&self, revision: u64) -> Result<Definitions, Error>;
    async fn changes_since(&self, revision: u64) -> Result<Changes, Error>;
    async fn policy_revision(&self) -> Result<u64, Error>;
    async fn revocations(&self, now: Timestamp) -> Result<Vec<(AccessTokenId, Timestamp)>, Error>;
    async fn scope_maps(&self, page: PageOf) -> Result<Page<ScopeMap>, Error>;
    async fn tokens(
        &self,
        page: PageOf,
        tied_to: Option<ScopeMapName>,
    ) -> Result<Page<Token>, Error>;

    async fn change(&self, change: Change, seal: Seal<'static>) -> Result<Appended, Error>;

    /// True for the first use.
    async fn use_up(&self, token: UsedToken) -> Result<bool, Error>;

    /// The time of the database server; `None` where there is no server.
    async fn time(&self) -> Result<Option<Timestamp>, Error>;
    fn policy_news(&self) -> PolicyNews;

    fn chains(&self) -> Result<Vec<Chain>, Error>;
    fn journal(&self) -> Result<Box<dyn WriteJournal>, Error>;
    fn journal_reader(&self, chain: Chain) -> Result<Box<dyn ReadJournal>, Error>;
    fn search_index(&self, chain: Chain) -> Result<SearchIndex, Error>;
    fn prune_events(&self, chain: Chain, last: ChainHead, record: &str) -> Result<(), Error>;
    fn prune_claims(&self) -> Result<u64, Error>;

    /// The embedded store, for the tests that break its files.
    #[cfg(test)]
    fn embedded(&self) -> Option<&super::sqlite::Sqlite> {
        None
    }
}
