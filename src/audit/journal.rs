//! The append-only journal: one thread commits what queued while the last commit ran.

use std::borrow::Borrow;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use parking_lot::Mutex;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio_util::task::TaskTracker;

use super::chain::Prepared;
use super::committer::{Committer, Finished, Queued};
use super::fields::Fields;
use super::key::SigningKey;
use super::queue::{NotQueued, Queue};
use super::{Archive, Error, Event, Filter, Kind, Outcome};
use crate::model::{AccessTokenId, Clock, DecisionId};
use crate::store::{Seal, Store};

use super::health::{Health, WriteState};

/// How many events may wait: at 100,000 a second that is less than a tenth of one.
const QUEUE: usize = 8 << 10;

/// The journal. Cheap to clone. When the last clone is dropped, what is queued is still written.
#[derive(Clone, Debug)]
pub struct Journal {
    pub(super) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(super) struct Inner {
    queue: Arc<Queue<Queued>>,
    health: Arc<Health>,
    archive: Archive,
    pub(super) committer: Mutex<Option<thread::JoinHandle<()>>>,
    answers: TaskTracker,
    news: Notify,
}

/// What a recorded event tells.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Recorded {
    /// The store's policy revision in the same transaction: newer than the snapshot that decided = decide again.
    pub policy_revision: u64,
}

impl Journal {
    /// Starts the journal's thread, its signed checkpoints (the file of the key is made when it is missing) and its indexer.
    ///
    /// # Errors
    /// The journal or the key cannot be opened.
    pub async fn start(
        store: &Store,
        key_file: &Path,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        Self::start_with(store, key_file, clock, QUEUE).await
    }

    pub(super) async fn start_with(
        store: &Store,
        key_file: &Path,
        clock: Arc<dyn Clock>,
        capacity: usize,
    ) -> Result<Self, Error> {
        let (store, key_file) = (store.clone(), key_file.to_owned());
        let (finished, answers) = mpsc::unbounded_channel();
        // what the thread says, checkpoints above all, goes where its caller's log goes
        let log = tracing::dispatcher::get_default(tracing::Dispatch::clone);
        let journal = tokio::task::spawn_blocking(move || {
            tracing::dispatcher::with_default(&log, || {
                Self::open(&store, &key_file, clock, capacity, finished)
            })
        })
        .await
        .map_err(Error::unavailable)??;
        // the waiters are woken by one task of the serving runtime: a wake-up across threads for each costs more than the commit
        journal.inner.answers.spawn(answer(answers));
        journal.inner.answers.close();
        Ok(journal)
    }

    fn open(
        store: &Store,
        key_file: &Path,
        clock: Arc<dyn Clock>,
        capacity: usize,
        finished: mpsc::UnboundedSender<Finished>,
    ) -> Result<Self, Error> {
        let key = SigningKey::open(key_file).map_err(Error::unavailable)?;
        let queue = Arc::new(Queue::new(capacity));
        let commands = Arc::clone(&queue);
        let health = Arc::new(Health::default());
        let committer = Committer::new(store, key, clock, Arc::clone(&health), finished)?;
        let log = tracing::dispatcher::get_default(tracing::Dispatch::clone);
        let thread = thread::Builder::new()
            .name("audit-journal".to_owned())
            .spawn(move || tracing::dispatcher::with_default(&log, || committer.run(&commands)))
            .map_err(Error::unavailable)?;
        Ok(Self {
            inner: Arc::new(Inner {
                queue,
                health,
                archive: Archive::open(store),
                committer: Mutex::new(Some(thread)),
                answers: TaskTracker::new(),
                news: Notify::new(),
            }),
        })
    }

    /// Records an event; returns when it is durable. An event whose caller stops waiting is recorded all the same.
    ///
    /// # Errors
    /// It is not recorded, or it is not known: nothing may be handed out.
    pub async fn append(&self, event: impl Borrow<Event>) -> Result<Recorded, Error> {
        // what `benches/load` alone is built with, to compare: the event is made, and goes nowhere
        if cfg!(dockpass_without_audit) {
            return Ok(Recorded { policy_revision: 0 });
        }
        if let Some(problem) = self.inner.health.problem() {
            return Err(Error::unavailable(problem));
        }
        let (done, recorded) = oneshot::channel();
        match self.inner.queue.push(Queued { fields: Fields::of(event.borrow()), done }) {
            Ok(()) => {}
            Err(NotQueued::Full) => return Err(Error::Overloaded),
            Err(NotQueued::Closed) => return Err(Error::unavailable("it is closed")),
        }
        let recorded = recorded.await.unwrap_or_else(|_| {
            Err(Error::unavailable("whether the event was written is not known"))
        });
        self.inner.news.notify_waiters();
        recorded
    }

    /// Ends when an event was recorded by this process after this call.
    pub fn news(&self) -> impl Future<Output = ()> + '_ {
        self.inner.news.notified()
    }

    /// Seals an event for a transaction of the store that is not the journal's own: a change and its event are one.
    pub fn seal(event: impl Borrow<Event>) -> Seal<'static> {
        let fields = Fields::of(event.borrow());
        Box::new(move |head| vec![Prepared::new(fields).after(head)])
    }

    /// The event of a decision, found in the index or, just written, in the journal's tail.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub async fn find(&self, id: DecisionId) -> Result<Option<Event>, Error> {
        let archive = self.inner.archive.clone();
        tokio::task::spawn_blocking(move || Ok(archive.find(id)?.map(|found| found.event)))
            .await
            .map_err(Error::unavailable)?
    }

    /// The event that handed out an access token: the decision that minted it has the token's id. Where that one was refused after all
    /// (its deadline passed, or it could not be recorded), whoever waited for the same mint was given it by an event of its own.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub async fn grant_of(&self, id: AccessTokenId) -> Result<Option<Event>, Error> {
        let gives = |event: &Event| event.grant.as_ref().is_some_and(|g| g.access_token == id);
        if let Some(minted) = self.find(id.into()).await?.filter(gives) {
            return Ok(Some(minted));
        }
        let archive = self.inner.archive.clone();
        let reused = Filter {
            kind: Some(Kind::Issue),
            outcome: Some(Outcome::Allowed),
            access_token: Some(id),
            ..Filter::default()
        };
        let listed = tokio::task::spawn_blocking(move || archive.list(&reused, None, 1))
            .await
            .map_err(Error::unavailable)??;
        Ok(listed.events.into_iter().next().map(|found| found.event))
    }

    /// Reads what was recorded; its methods block.
    pub fn archive(&self) -> &Archive {
        &self.inner.archive
    }

    /// False while the journal cannot be written, or hangs in a commit; then it tries again by itself every second.
    pub fn is_writable(&self) -> bool {
        self.inner.health.problem().is_none()
    }

    /// Returns when the journal can be written, or, to watch for the opposite, when it cannot.
    pub async fn until(&self, health: WriteState) {
        self.inner.health.until(health).await;
    }

    /// Writes what is queued and a last checkpoint, and ends the thread. Later events are refused.
    pub async fn close(&self) {
        let Some(thread) = self.inner.committer.lock().take() else { return };
        self.inner.queue.close();
        let ended = tokio::task::spawn_blocking(move || thread.join().is_ok());
        if !matches!(ended.await, Ok(true)) {
            tracing::error!("the thread of the audit journal did not end in order");
        }
        self.inner.answers.wait().await;
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.queue.close();
    }
}

async fn answer(mut finished: mpsc::UnboundedReceiver<Finished>) {
    while let Some(Finished { waiters, result }) = finished.recv().await {
        for waiter in waiters {
            // whoever hung up does not wait for the answer
            drop(waiter.send(result.clone()));
        }
    }
}
