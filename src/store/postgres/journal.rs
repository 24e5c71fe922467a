//! What the thread that commits uses, as blocking calls.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::{Executor, Row};

use super::batch::number_of;
use super::deed::Deed;
use super::link::{SHORT, Shared};
use super::own_chain::{SharedChain, lock};
use super::partition;
use super::row::{bytes, chain_of};
use crate::store::column::{signed, unsigned};
use crate::store::journal::WriteJournal;
use crate::store::{Appended, Chain, ChainHead, Error, Seal};

/// How often it is made sure that there is a partition for the month to come.
const PARTITIONS: Duration = Duration::from_hours(1);

/// Appends to the chain of this process.
pub(super) struct Writer {
    link: Shared,
    own: Arc<SharedChain>,
    chain: Chain,
    partitions_made: Instant,
}

impl Writer {
    /// Claims a chain.
    pub(super) fn open(link: Shared, own: Arc<SharedChain>) -> Result<Self, Error> {
        let claim = link.wait(async { lock(&own).await?.hold().await })?;
        Ok(Self { link, own, chain: claim.chain, partitions_made: Instant::now() })
    }

    /// Not before a signed checkpoint was kept: nobody waits for it.
    fn make_partitions(&mut self) {
        if self.partitions_made.elapsed() < PARTITIONS {
            return;
        }
        self.partitions_made = Instant::now();
        if let Err(error) = self.link.wait(partition::make(&self.link)) {
            tracing::warn!(%error, "no partition of the audit journal could be made for the next month");
        }
    }
}

impl WriteJournal for Writer {
    fn chain(&self) -> Chain {
        self.chain
    }

    fn append(&mut self, seal: Seal<'_>) -> Result<Appended, Error> {
        let (appended, chain) = self.link.wait(async {
            let mut own = lock(&self.own).await?;
            let appended = own.append(&Deed::Append, seal).await;
            Ok((appended, own.chain()))
        })?;
        self.chain = chain.unwrap_or(self.chain);
        appended
    }

    fn head(&mut self) -> Result<ChainHead, Error> {
        let claim = self.link.wait(async { lock(&self.own).await?.hold().await })?;
        self.chain = claim.chain;
        Ok(claim.head)
    }

    fn heads(&mut self) -> Result<Vec<(Chain, ChainHead)>, Error> {
        self.link.wait(self.link.with(SHORT, |connection| {
            Box::pin(async {
                let sql = "SELECT chain, sequence, hash FROM audit_chain ORDER BY chain";
                let rows = connection.fetch_all(sqlx::query(sql)).await?.into_iter().map(|row| {
                    let sequence = unsigned(row.try_get(1)?);
                    Ok((chain_of(row.try_get(0)?), ChainHead { sequence, hash: bytes(&row, 2)? }))
                });
                rows.collect()
            })
        }))
    }

    fn last_checkpoint(&mut self) -> Result<u64, Error> {
        self.link.wait(last_checkpoint(&self.link, self.chain))
    }

    fn add_checkpoint(&mut self, sequence: u64, body: &str) -> Result<(), Error> {
        let (chain, body) = (number_of(self.chain), body.to_owned());
        self.link.wait(self.link.with(SHORT, |connection| {
            let add = sqlx::query(
                "INSERT INTO audit_checkpoint (chain, sequence, body) VALUES ($1, $2, $3) \
                 ON CONFLICT (chain, sequence) DO UPDATE SET body = excluded.body",
            );
            let add = add.bind(chain).bind(signed(sequence)).bind(body.clone());
            Box::pin(async { Ok(add.execute(connection).await.map(drop)?) })
        }))?;
        self.make_partitions();
        Ok(())
    }

    fn probe(&mut self) -> Result<(), Error> {
        let chain = self.link.wait(async {
            let mut own = lock(&self.own).await?;
            own.probe().await?;
            Ok(own.chain())
        })?;
        self.chain = chain.unwrap_or(self.chain);
        Ok(())
    }
}

/// The last event of a chain that a checkpoint covers; 0 without one.
pub(super) async fn last_checkpoint(link: &Shared, chain: Chain) -> Result<u64, Error> {
    let chain = number_of(chain);
    link.with(SHORT, |connection| {
        let last =
            sqlx::query_scalar("SELECT max(sequence) FROM audit_checkpoint WHERE chain = $1");
        Box::pin(async move {
            let last: Option<i64> = last.bind(chain).fetch_one(connection).await?;
            Ok(last.map_or(0, unsigned))
        })
    })
    .await
}
