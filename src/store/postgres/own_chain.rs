//! The chain of this process, and the connection that holds it: all that appends goes through here, one after the other.
//!
//! A chain is held by an advisory lock of the connection, which ends with it, and by an owner number that each claim makes anew. So a connection that
//! breaks frees the chain for others, and whoever was frozen meanwhile cannot append to what is somebody else's by now.

use std::time::{Duration, Instant};

use sqlx::postgres::PgConnection;
use sqlx::{Connection, Executor};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::timeout;

use super::batch::{Batch, KnownClaims, number_of};
use super::claim::{Claim, Owner};
use super::deed::Deed;
use super::error::{CHAIN_LOST, Problem};
use super::link::{SHORT, Shared, Work};
use crate::store::column::unsigned;
use crate::store::{Appended, Chain, Error, JournalRow, Seal};

/// How often what others got in the way of is done again.
const TRIES: u32 = 3;
/// What took longer than this is not tried again: its caller waited long enough.
const SOON: Duration = Duration::from_secs(1);
/// The server gives up a statement by itself a little sooner than it is given up here.
const PATIENCE: Duration = Duration::from_secs(6);
/// How long others may keep it busy.
const BUSY: Duration = Duration::from_secs(10);
const SESSION: &str = "SET statement_timeout = '5s'";
/// The same for what grows with what is changed.
const PATIENCE_FOR_MUCH: Duration = Duration::from_secs(62);
const SESSION_FOR_MUCH: &str = "SET statement_timeout = '60s'";
/// A connection that rested so long is looked at before events are sealed for it: what was sealed for one chain fits no other.
const RESTED: Duration = Duration::from_secs(1);

/// What appends to the journal.
#[derive(Debug)]
pub(super) struct OwnChain {
    link: Shared,
    /// `None`: a chain has to be claimed first.
    held: Option<Held>,
    /// The chain that was claimed last, and its owner of then.
    last: Option<(Chain, Owner)>,
    known: KnownClaims,
}

#[derive(Debug)]
struct Held {
    connection: PgConnection,
    claim: Claim,
    used: Instant,
}

/// The chain of a process, shared by its journal and its changes.
pub(super) type SharedChain = Mutex<OwnChain>;

/// Waits until nobody else appends.
pub(super) async fn lock(own: &SharedChain) -> Result<MutexGuard<'_, OwnChain>, Error> {
    timeout(BUSY, own.lock()).await.map_err(|_| Problem::Hangs.into())
}

impl OwnChain {
    pub(super) fn new(link: Shared) -> Self {
        Self { link, held: None, last: None, known: KnownClaims::default() }
    }

    /// The chain that is held, or was last.
    pub(super) fn chain(&self) -> Option<Chain> {
        self.last.map(|(chain, _)| chain)
    }

    /// Which chain is held, and where it stands; claims one when none is.
    pub(super) async fn hold(&mut self) -> Result<Claim, Error> {
        if self.held.as_ref().is_some_and(|held| held.used.elapsed() >= RESTED) {
            self.on_held(SHORT, |held| Box::pin(async { Ok(held.connection.ping().await?) }))
                .await
                .ok();
        }
        if let Some(held) = &self.held {
            return Ok(held.claim);
        }
        let held = self.claim().await?;
        let claim = held.claim;
        if self.chain() != Some(claim.chain) {
            tracing::info!(
                chain = claim.chain.0,
                "this process appends to a chain of the audit journal"
            );
        }
        self.known.forget();
        self.last = Some((claim.chain, claim.owner));
        self.held = Some(held);
        Ok(claim)
    }

    /// Appends what `seal` makes of the chain's head, with whatever else the deed is: both or neither.
    ///
    /// # Errors
    /// Nothing was done, or, when the connection was lost, it is not known.
    pub(super) async fn append(&mut self, deed: &Deed, seal: Seal<'_>) -> Result<Appended, Error> {
        let begun = Instant::now();
        let claim = self.hold().await?;
        let rows = seal(claim.head);
        let mut tries = 1;
        loop {
            let problem = match self.attempt(claim, deed, &rows).await {
                Ok(revision) => return Ok(Appended { policy_revision: unsigned(revision) }),
                Err(problem) => problem,
            };
            if tries == TRIES || begun.elapsed() > SOON {
                return Err(problem.into());
            }
            tries += 1;
            match problem {
                Problem::Lost(error) => {
                    if self.was_done(claim, &rows, error).await? {
                        return self.policy_revision().await;
                    }
                }
                passing if passing.is_passing() => {}
                problem => return Err(problem.into()),
            }
        }
    }

    /// Finds out whether the journal can be written.
    pub(super) async fn probe(&mut self) -> Result<(), Error> {
        let chain = number_of(self.hold().await?.chain);
        self.on_held(PATIENCE, |held| {
            let probe = sqlx::query("SELECT probe_journal($1)").bind(chain);
            Box::pin(async { Ok(probe.execute(&mut held.connection).await.map(drop)?) })
        })
        .await?;
        Ok(())
    }

    async fn claim(&self) -> Result<Held, Error> {
        let mut connection = self.link.connect().await?;
        let claim = async {
            connection.execute(SESSION).await?;
            Claim::make(&mut connection, self.last).await
        };
        let claim = timeout(PATIENCE, claim).await.unwrap_or(Err(Problem::Hangs))?;
        Ok(Held { connection, claim, used: Instant::now() })
    }

    /// One try to append rows that were sealed for a claim.
    async fn attempt(
        &mut self,
        claim: Claim,
        deed: &Deed,
        rows: &[JournalRow],
    ) -> Result<i64, Problem> {
        let batch = Batch::new(claim.head, rows, &mut self.known);
        // after another claim the owner is another, but not the chain
        let owner = self.last.map_or(claim.owner, |(_, owner)| owner);
        let mut arguments = deed.arguments().map_err(sqlx::Error::Encode)?;
        batch.add_to(&mut arguments, claim.chain, &owner).map_err(sqlx::Error::Encode)?;
        let statement = sqlx::query_scalar_with(deed.sql(), arguments);
        let result = if deed.is_much() {
            self.on_held(PATIENCE_FOR_MUCH, |held| {
                Box::pin(async {
                    held.connection.execute(SESSION_FOR_MUCH).await?;
                    let done = statement.fetch_one(&mut held.connection).await;
                    // a connection that would go on like that is given up
                    let hurried = held.connection.execute(SESSION).await;
                    hurried.map_err(|error| Problem::Lost(Problem::from(error).into()))?;
                    Ok(done?)
                })
            })
            .await
        } else {
            self.on_held(PATIENCE, |held| {
                Box::pin(async { Ok(statement.fetch_one(&mut held.connection).await?) })
            })
            .await
        };
        match (&result, &mut self.held) {
            (Ok(_), Some(held)) => {
                held.claim.head = rows.last().map_or(claim.head, JournalRow::head);
            }
            _ => self.known.forget(),
        }
        result
    }

    /// Whether rows were appended before the connection broke: the chain tells, if it can be had again.
    async fn was_done(
        &mut self,
        claim: Claim,
        rows: &[JournalRow],
        lost: Error,
    ) -> Result<bool, Error> {
        let now = self.hold().await?;
        if now.chain == claim.chain && now.head == claim.head {
            return Ok(false);
        }
        let done = rows.last().is_some_and(|last| last.head() == now.head);
        if now.chain == claim.chain && done { Ok(true) } else { Err(lost) }
    }

    async fn policy_revision(&mut self) -> Result<Appended, Error> {
        let revision = self
            .on_held(SHORT, |held| {
                let statement = sqlx::query_scalar("SELECT policy_revision FROM state");
                Box::pin(async { Ok(statement.fetch_one(&mut held.connection).await?) })
            })
            .await?;
        Ok(Appended { policy_revision: unsigned(revision) })
    }

    /// Works with the connection that holds the chain. When it turns out to be of no use, or the chain to be lost, it is given up.
    async fn on_held<T>(
        &mut self,
        patience: Duration,
        work: impl for<'h> FnOnce(&'h mut Held) -> Work<'h, T>,
    ) -> Result<T, Problem> {
        let Some(held) = &mut self.held else {
            return Err(Problem::Lost(Error::Unavailable(
                "it has no chain of the journal".to_owned(),
            )));
        };
        let result = timeout(patience, work(held)).await;
        let result = result.unwrap_or_else(|_| Err(Problem::Hangs));
        held.used = Instant::now();
        if result.as_ref().is_err_and(|problem| problem.is_lost() || problem.is(CHAIN_LOST)) {
            self.held = None;
        }
        result
    }
}
