//! The thread of the journal: takes what queued, commits it at once, hands all waiters back together, and signs checkpoints.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

use super::chain::Prepared;
use super::checkpoint::{Checkpoint, Statement};
use super::fields::Fields;
use super::health::Health;
use super::indexer::Indexer;
use super::key::SigningKey;
use super::queue::{More, Queue};
use super::{Error, Recorded};
use crate::model::Clock;
use crate::store::{self, Chain, ChainHead, JournalWriter, Store};
use crate::telemetry::{CHECKPOINTS, metrics};

/// The most events of one transaction: it bounds how long the first of them waits.
const BATCH: usize = 1024;
/// After so many together, as many are about to come:
const MANY: usize = 32;
/// then a transaction begins no sooner than so long after the one before. It costs the processor nearly as much for one event as for thirty, and
/// who waits for it waits for the processor already. A store that takes longer is not waited for.
const GATHER: Duration = Duration::from_micros(600);
/// A checkpoint is due after so many events of the own chain,
const CHECKPOINT_EVENTS: u64 = 1000;
/// or so long after the last one, when there is something new in any chain.
const CHECKPOINT_INTERVAL: Duration = Duration::from_mins(1);
/// The shortest time between two checkpoints, for each chain that they name: so all replicas together sign no more often than one alone.
const CHECKPOINT_PAUSE: Duration = Duration::from_millis(250);
/// How often an idle thread looks whether something is due.
const TICK: Duration = Duration::from_secs(1);
/// How often one that cannot write tries again: several times before whoever was refused comes back ([`Error::RETRY_AFTER`]).
const PROBE: Duration = Duration::from_millis(250);

/// An event and who waits for it.
pub(super) struct Queued {
    pub(super) fields: Fields,
    pub(super) done: oneshot::Sender<Result<Recorded, Error>>,
}

/// A batch that was committed, or not.
pub(super) struct Finished {
    pub(super) waiters: Vec<oneshot::Sender<Result<Recorded, Error>>>,
    pub(super) result: Result<Recorded, Error>,
}

/// The state of the thread.
pub(super) struct Committer {
    store: Store,
    writer: JournalWriter,
    key: SigningKey,
    clock: Arc<dyn Clock>,
    health: Arc<Health>,
    finished: mpsc::UnboundedSender<Finished>,
    indexer: Indexer,
    /// The chain that is written, indexed and signed.
    chain: Chain,
    head: ChainHead,
    /// Up to where a checkpoint covers the chain.
    checkpoint: u64,
    /// All heads, as they were when a checkpoint was signed last.
    heads: Vec<(Chain, ChainHead)>,
    checkpoint_tried: Instant,
    /// When it was last looked whether the journal can be reached, or written.
    probed: Instant,
}

impl Committer {
    pub(super) fn new(
        store: &Store,
        key: SigningKey,
        clock: Arc<dyn Clock>,
        health: Arc<Health>,
        finished: mpsc::UnboundedSender<Finished>,
    ) -> Result<Self, Error> {
        let mut writer = store.journal().map_err(Error::unavailable)?;
        let chain = writer.chain();
        let now = Instant::now();
        Ok(Self {
            head: writer.head().map_err(Error::unavailable)?,
            checkpoint: writer.last_checkpoint().map_err(Error::unavailable)?,
            heads: writer.heads().map_err(Error::unavailable)?,
            indexer: Indexer::start(store, chain)?,
            store: store.clone(),
            writer,
            key,
            clock,
            health,
            finished,
            chain,
            checkpoint_tried: now,
            probed: now,
        })
    }

    /// Works until the queue is closed. A panic costs its batch, which is answered, and not the thread.
    pub(super) fn run(mut self, queue: &Queue<Queued>) {
        let mut taken = Vec::new();
        while queue.take(&mut taken, self.patience()) == More::Perhaps {
            let (begun, size) = (Instant::now(), taken.len());
            loop {
                let batch: Vec<_> = taken.drain(..taken.len().min(BATCH)).collect();
                let left = taken.len();
                self.guarded(|this| this.work(batch, left));
                if taken.is_empty() {
                    break;
                }
            }
            thread::sleep(rest(size, begun.elapsed()));
        }
        self.guarded(Self::sign_checkpoint);
    }

    /// How long the thread may be idle.
    fn patience(&self) -> Duration {
        if self.health.last_write_worked() { TICK } else { PROBE }
    }

    fn guarded(&mut self, work: impl FnOnce(&mut Self)) {
        if catch_unwind(AssertUnwindSafe(|| work(self))).is_err() {
            tracing::error!("the thread of the audit journal panicked, and goes on");
            self.health.ended();
            self.health.failed("its thread panicked".to_owned());
        }
    }

    /// Records a batch while `left` more events wait, and does what else is due.
    fn work(&mut self, batch: Vec<Queued>, left: usize) {
        let is_idle = batch.is_empty();
        if !is_idle {
            self.record(batch, left);
        }
        if (is_idle || !self.health.last_write_worked()) && self.probed.elapsed() >= self.patience()
        {
            self.look();
        }
        if let Err(error) = self.follow_writer() {
            tracing::warn!(%error, "the new chain of the audit journal cannot be used yet");
        }
        let new = self.head.sequence.saturating_sub(self.checkpoint);
        let waited = self.checkpoint_tried.elapsed();
        if (new >= CHECKPOINT_EVENTS && waited >= self.pause()) || waited >= CHECKPOINT_INTERVAL {
            self.sign_checkpoint();
        }
    }

    /// Finds out whether a journal that failed can be written again, or whether one that nobody writes to can still be reached: who asks for
    /// its health must not learn it from the first decision that is refused.
    fn look(&mut self) {
        self.probed = Instant::now();
        let result = if self.health.last_write_worked() {
            self.health.began(0);
            let head = self.writer.head();
            self.health.ended();
            head.map(drop)
        } else {
            self.writer.probe()
        };
        // what is wrong is in the health by now
        self.note(result).ok();
    }

    fn pause(&self) -> Duration {
        CHECKPOINT_PAUSE.saturating_mul(u32::try_from(self.heads.len()).unwrap_or(u32::MAX).max(1))
    }

    /// When another replica took the chain while this one was frozen or cut off, the writer goes on with another one, and this with it. No event is
    /// in both: what failed was answered so, and is not tried again.
    ///
    /// # Errors
    /// The writer has another chain, and nothing may be signed for the one that is known here.
    fn follow_writer(&mut self) -> Result<(), Error> {
        if self.writer.chain() == self.chain {
            return Ok(());
        }
        let head = self.writer.head().map_err(Error::unavailable)?;
        // asked after the head, which may have come with yet another chain
        let chain = self.writer.chain();
        let checkpoint = self.writer.last_checkpoint().map_err(Error::unavailable)?;
        self.indexer = Indexer::start(&self.store, chain)?;
        tracing::warn!(lost = %self.chain, %chain, "another replica took the chain of the audit journal: this one goes on with another chain");
        (self.chain, self.head, self.checkpoint) = (chain, head, checkpoint);
        Ok(())
    }

    fn record(&mut self, batch: Vec<Queued>, left: usize) {
        let size = batch.len();
        let (events, waiters): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|queued| (queued.fields, queued.done)).unzip();
        let events = Prepared::all(events.into_iter());
        let begun = Instant::now();
        self.health.began(size.saturating_add(left));
        let result = self.commit(events);
        self.health.ended();
        metrics::audit_commit(size, begun.elapsed());
        let result = self
            .note(result)
            .map(|appended| Recorded { policy_revision: appended.policy_revision });
        if self.finished.send(Finished { waiters, result }).is_err() {
            tracing::debug!("nobody waits for the audit journal any more");
        }
    }

    fn commit(&mut self, events: Vec<Prepared>) -> Result<store::Appended, store::Error> {
        let mut last = self.head;
        let appended = self.writer.append(Box::new(|mut head: ChainHead| {
            let rows = events
                .into_iter()
                .map(|event| {
                    let row = event.after(head);
                    head = ChainHead { sequence: row.sequence, hash: row.hash };
                    row
                })
                .collect();
            last = head;
            rows
        }))?;
        self.head = last;
        self.indexer.wake();
        Ok(appended)
    }

    /// Keeps the health up to date with what a write said.
    fn note<T>(&self, result: Result<T, store::Error>) -> Result<T, Error> {
        match result {
            Ok(value) => {
                self.health.worked();
                Ok(value)
            }
            Err(error) => {
                self.health.failed(error.to_string());
                Err(Error::unavailable(error))
            }
        }
    }

    fn sign_checkpoint(&mut self) {
        self.checkpoint_tried = Instant::now();
        let result = self.try_checkpoint();
        if let Err(error) = result {
            tracing::warn!(%error, "no checkpoint of the audit journal could be written");
        }
    }

    fn try_checkpoint(&mut self) -> Result<(), Error> {
        // changes of policy append beside this thread, to whatever chain this process has by now
        let head = self.writer.head().map_err(Error::unavailable)?;
        // the writer keeps a checkpoint under its own chain: one that was made for another would be taken for forged
        self.follow_writer()?;
        let heads = self.writer.heads().map_err(Error::unavailable)?;
        let own = heads.iter().find(|(chain, _)| *chain == self.chain).map(|(_, head)| *head);
        self.head = own.unwrap_or(head);
        let sequence = self.head.sequence;
        if sequence == 0 || (sequence <= self.checkpoint && heads == self.heads) {
            return Ok(());
        }
        let (now, all) = (self.clock.now(), heads.iter().copied());
        let json = Checkpoint::sign(Statement::Checkpoint, now, all, &self.key).to_json();
        self.writer.add_checkpoint(sequence, &json).map_err(Error::unavailable)?;
        (self.checkpoint, self.heads) = (sequence, heads);
        // the copy outside of the store: without one, what came after the last checkpoint that is left can be cut off unseen
        tracing::info!(target: CHECKPOINTS, checkpoint = json);
        Ok(())
    }
}

/// How long to wait for others after so many that took so long.
fn rest(size: usize, took: Duration) -> Duration {
    if size < MANY { Duration::ZERO } else { GATHER.saturating_sub(took) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_crowd_waits_for_others_and_a_slow_store_is_not_waited_for() {
        assert_eq!(rest(1, Duration::ZERO), Duration::ZERO);
        assert_eq!(rest(MANY - 1, Duration::ZERO), Duration::ZERO);
        assert_eq!(rest(MANY, GATHER / 4), GATHER * 3 / 4);
        assert_eq!(rest(BATCH, GATHER * 2), Duration::ZERO);
    }
}
