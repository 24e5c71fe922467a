//! What is written to Redis behind the callers' backs, through a bounded queue.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::poll_fn;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::envelope::{Envelope, Fence};
use super::link::{Link, Trouble};
use super::name::Name;
use super::script::{self, Over};
use super::timing::Timing;
use crate::cache::Shareable;
use crate::model::Clock;
use crate::telemetry::metrics;

/// How many errands wait; what comes when it is full is dropped.
const WAITING: usize = 4096;

/// How many are on their way at once.
const AT_ONCE: usize = 64;

/// Where errands are left.
pub(super) struct Outbox<V> {
    sender: mpsc::Sender<Letter<V>>,
    /// Of every errand that is not yet done.
    undone: TaskTracker,
}

/// Where they are taken from.
pub(super) struct Inbox<V>(mpsc::Receiver<Letter<V>>);

/// Something to be done on Redis.
pub(super) enum Errand<V> {
    /// Write a value over whatever is there.
    Write(Arc<V>),
    /// Write a value if there is none.
    WriteIfAbsent(Arc<V>),
    /// Write a value unless a later holder of the lock did, and give the lock back.
    Commit(Fence, Arc<V>),
    /// Ask for more time with the lock.
    Renew(Fence, Duration),
    /// Give the lock back.
    Release(Fence),
}

struct Letter<V> {
    name: Name,
    errand: Errand<V>,
    _undone: TaskTrackerToken,
}

pub(super) fn new<V>() -> (Outbox<V>, Inbox<V>) {
    let (sender, receiver) = mpsc::channel(WAITING);
    let undone = TaskTracker::new();
    undone.close();
    (Outbox { sender, undone }, Inbox(receiver))
}

impl<V> Outbox<V> {
    /// Leaves an errand, or drops it when there are too many. Does not wait.
    pub(super) fn send(&self, name: Name, errand: Errand<V>) {
        let letter = Letter { name, errand, _undone: self.undone.token() };
        if self.sender.try_send(letter).is_err() {
            metrics::cache_write_dropped("queue_full");
        }
    }

    /// Waits until every errand is done.
    pub(super) fn drained(&self) -> impl Future<Output = ()> + Send + '_ {
        self.undone.wait()
    }
}

impl<V> Clone for Outbox<V> {
    fn clone(&self) -> Self {
        Self { sender: self.sender.clone(), undone: self.undone.clone() }
    }
}

impl<V: Shareable> Inbox<V> {
    /// Does the errands, until there can be no more. While Redis is away they are dropped: nothing piles up.
    pub(super) async fn work(
        mut self,
        link: Arc<Link>,
        envelope: Arc<Envelope>,
        clock: Arc<dyn Clock>,
        timing: Timing,
    ) {
        let desk = Desk { link, envelope, clock, timing };
        poll_fn(|cx| self.0.poll_recv(cx))
            .for_each_concurrent(AT_ONCE, |letter| desk.run(letter))
            .await;
    }
}

struct Desk {
    link: Arc<Link>,
    envelope: Arc<Envelope>,
    clock: Arc<dyn Clock>,
    timing: Timing,
}

impl Desk {
    async fn run<V: Shareable>(&self, letter: Letter<V>) {
        let (link, name) = (&self.link, &letter.name);
        let by = Instant::now() + self.timing.write;
        let done = match &letter.errand {
            Errand::Write(value) => self.write(name, &**value, Over::Anything, by).await,
            Errand::WriteIfAbsent(value) => self.write(name, &**value, Over::Nothing, by).await,
            Errand::Commit(fence, value) => match self.sealed(name, fence, &**value) {
                Some((bytes, life)) => script::commit(link, name, fence, &bytes, life, by).await,
                None => script::release(link, name, fence, by).await,
            },
            Errand::Renew(fence, lease) => script::renew(link, name, fence, *lease, by).await,
            Errand::Release(fence) => script::release(link, name, fence, by).await,
        };
        if let Err(trouble) = done {
            metrics::cache_write_dropped("redis");
            tracing::debug!(%trouble, "cache: something was not written to Redis");
        }
    }

    async fn write<V: Shareable>(
        &self,
        name: &Name,
        value: &V,
        over: Over,
        by: Instant,
    ) -> Result<(), Trouble> {
        match self.sealed(name, &Fence::none(), value) {
            Some((bytes, life)) => script::write(&self.link, name, &bytes, life, over, by).await,
            None => Ok(()),
        }
    }

    /// The bytes of a value and how long it still lasts; none when it has ended.
    fn sealed<V: Shareable>(
        &self,
        name: &Name,
        fence: &Fence,
        value: &V,
    ) -> Option<(Vec<u8>, Duration)> {
        let life = Duration::try_from(value.expire_time().duration_since(self.clock.now())).ok()?;
        let bytes = self.envelope.seal(name, fence, value);
        if bytes.is_none() {
            tracing::warn!(key = name.value(), "cache: a value cannot be written to Redis");
        }
        bytes.filter(|_| !life.is_zero()).map(|bytes| (bytes, life))
    }
}
