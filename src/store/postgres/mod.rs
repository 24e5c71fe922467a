//! The store of several replicas: a PostgreSQL database.
//!
//! All that writes is a function of the database, called alone: one round trip, and whoever freezes holds no lock. Each process appends to a chain of
//! its own, by one connection that holds the chain; whatever reads shares some others.

mod address;
mod batch;
mod claim;
mod deed;
mod error;
mod index;
mod index_draft;
mod journal;
mod link;
mod migration;
mod news;
mod own_chain;
mod partition;
mod policy;
mod read;
mod row;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::postgres::PgConnection;
use sqlx::{Executor, Row};
use tokio::sync::Mutex;

use self::address::Address;
pub(super) use self::address::url_of;
use self::batch::number_of;
use self::claim::{Server, refuse_unsafe};
use self::deed::{Changed, Deed};
use self::index::IndexTables;
use self::journal::Writer;
use self::link::{LONG, Link, SHORT, Shared, Work};
use self::news::News;
use self::own_chain::{OwnChain, SharedChain, lock};
use self::read::Reader;
use self::row::chain_of;
use super::column::signed;
use super::engine::{Change, Engine, PageOf};
use super::journal::WriteJournal;
use super::read::ReadJournal;
use super::used_token::UsedToken;
use super::{
    Appended, Chain, ChainHead, Changes, Config, Error, Page, PolicyNews, Seal, SearchIndex, Url,
};
use crate::model::{AccessTokenId, DefinitionChange, Definitions, ScopeMap, ScopeMapName, Token};

/// A store in a PostgreSQL database.
#[derive(Clone, Debug)]
pub(super) struct Postgres {
    link: Shared,
    own: Arc<SharedChain>,
    news: Arc<News>,
}

impl Postgres {
    /// Connects to the database and migrates it; blocking.
    ///
    /// # Errors
    /// The URL or the database cannot be used: with the host named.
    pub(super) fn open(config: &Config, url: &Url) -> Result<Self, Error> {
        let address = Address::of(config, url)?;
        let link = Arc::new(Link::new(address, config.connections)?);
        link.wait(prepare(&link)).map_err(|error| match error {
            Error::Config(problem) | Error::Unavailable(problem) => Error::Config(format!(
                "the database `{}` cannot be used: {problem}",
                link.address()
            )),
            other => other,
        })?;
        let own = Arc::new(Mutex::new(OwnChain::new(Arc::clone(&link))));
        Ok(Self { link, own, news: Arc::new(News::new()) })
    }

    async fn read<T: Send + 'static>(
        &self,
        patience: Duration,
        work: impl for<'c> Fn(&'c mut PgConnection) -> Work<'c, T> + Send + Sync + 'static,
    ) -> Result<T, Error> {
        let link = Arc::clone(&self.link);
        self.link.run(async move { link.with(patience, work).await }).await
    }

    /// What a change comes to.
    async fn deed(&self, change: Change) -> Result<Deed, Error> {
        Ok(match change {
            Change::Events => Deed::Append,
            Change::Revocation { id, expire_time } => Deed::revocation(id, expire_time),
            Change::Definitions { revision, changes, actor, now } => {
                Deed::Definitions(Box::new(Changed::new(revision, &changes, actor, now)?))
            }
            Change::Replacement { after, actor, now } => {
                let before = self.definitions().await?;
                // whoever changes something from now on makes this one stale
                if before.revision.checked_add(1) != Some(after.revision) {
                    return Err(Error::Stale);
                }
                let changes = DefinitionChange::between(&before, &after);
                Deed::Definitions(Box::new(Changed::new(after.revision, &changes, actor, now)?))
            }
        })
    }
}

async fn prepare(link: &Shared) -> Result<(), Error> {
    let mut connection = link.connect().await?;
    refuse_unsafe(Server::ask(&mut connection).await?)?;
    migration::migrate(&mut connection).await?;
    drop(connection);
    partition::make(link).await
}

#[async_trait]
impl Engine for Postgres {
    async fn definitions(&self) -> Result<Definitions, Error> {
        self.read(LONG, |connection| Box::pin(policy::definitions(connection))).await
    }

    async fn definitions_at(&self, revision: u64) -> Result<Definitions, Error> {
        self.read(LONG, move |connection| Box::pin(policy::definitions_at(connection, revision)))
            .await
    }

    async fn changes_since(&self, revision: u64) -> Result<Changes, Error> {
        self.read(LONG, move |connection| Box::pin(policy::changes_since(connection, revision)))
            .await
    }

    async fn policy_revision(&self) -> Result<u64, Error> {
        self.read(SHORT, |connection| Box::pin(policy::revision(connection))).await
    }

    async fn revocations(&self, now: Timestamp) -> Result<Vec<(AccessTokenId, Timestamp)>, Error> {
        self.read(SHORT, move |connection| Box::pin(policy::revocations(connection, now))).await
    }

    async fn scope_maps(&self, page: PageOf) -> Result<Page<ScopeMap>, Error> {
        self.read(SHORT, move |connection| {
            let page = page.clone();
            Box::pin(async move { policy::scope_maps(connection, &page).await })
        })
        .await
    }

    async fn tokens(
        &self,
        page: PageOf,
        tied_to: Option<ScopeMapName>,
    ) -> Result<Page<Token>, Error> {
        self.read(SHORT, move |connection| {
            let (page, tied_to) = (page.clone(), tied_to.clone());
            Box::pin(async move { policy::tokens(connection, &page, tied_to.as_ref()).await })
        })
        .await
    }

    async fn change(&self, change: Change, seal: Seal<'static>) -> Result<Appended, Error> {
        let deed = self.deed(change).await?;
        let own = Arc::clone(&self.own);
        self.link.run(async move { lock(&own).await?.append(&deed, seal).await }).await
    }

    async fn use_up(&self, token: UsedToken) -> Result<bool, Error> {
        // asked twice, because a connection broke in between, it is false for the first use as well: in doubt a token was used
        self.read(SHORT, move |connection| Box::pin(policy::use_up(connection, token))).await
    }

    async fn time(&self) -> Result<Option<Timestamp>, Error> {
        self.read(SHORT, |connection| Box::pin(policy::time(connection))).await.map(Some)
    }

    fn policy_news(&self) -> PolicyNews {
        self.news.subscribe(&self.link)
    }

    fn chains(&self) -> Result<Vec<Chain>, Error> {
        self.link.wait(self.link.with(SHORT, |connection| {
            Box::pin(async {
                let sql = "SELECT chain FROM audit_chain ORDER BY chain";
                let rows = connection.fetch_all(sqlx::query(sql)).await?;
                rows.into_iter().map(|row| Ok(chain_of(row.try_get(0)?))).collect()
            })
        }))
    }

    fn journal(&self) -> Result<Box<dyn WriteJournal>, Error> {
        Ok(Box::new(Writer::open(Arc::clone(&self.link), Arc::clone(&self.own))?))
    }

    fn journal_reader(&self, chain: Chain) -> Result<Box<dyn ReadJournal>, Error> {
        Ok(Box::new(Reader::new(Arc::clone(&self.link), chain)))
    }

    fn search_index(&self, chain: Chain) -> Result<SearchIndex, Error> {
        let tables = IndexTables::open(Arc::clone(&self.link), chain)?;
        Ok(SearchIndex::new(Box::new(tables)))
    }

    fn prune_events(&self, chain: Chain, last: ChainHead, record: &str) -> Result<(), Error> {
        let (number, record) = (number_of(chain), record.to_owned());
        self.link.wait(self.link.with(SHORT, |connection| {
            let prune = sqlx::query("SELECT prune_events($1, $2, $3, $4)");
            let prune = prune.bind(number).bind(signed(last.sequence)).bind(last.hash.to_vec());
            let prune = prune.bind(record.clone());
            Box::pin(async { Ok(prune.execute(connection).await.map(drop)?) })
        }))
    }

    fn prune_claims(&self) -> Result<u64, Error> {
        self.link.wait(partition::sweep(&self.link))
    }
}
