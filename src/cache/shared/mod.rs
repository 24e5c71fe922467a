//! The second level: values on Redis, which all replicas share, and one mint at a time for all of them.
//!
//! Nothing here fails a caller. Redis is asked with a budget in time; what it does not answer in time is a miss, and when it does not
//! answer again and again it is not asked until it answers a probe (`keeper`). Writes go through a bounded queue (`outbox`).

mod alarm;
mod breaker;
mod envelope;
mod flight;
mod keeper;
mod lease;
mod link;
mod name;
mod outbox;
mod script;
mod target;
#[cfg(test)]
mod tests;
mod timing;

use std::fmt;
use std::sync::Arc;

use tokio::time::{Instant, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use self::envelope::Envelope;
use self::link::Link;
use self::name::Name;
use self::outbox::Outbox;
use super::{Order, Shareable, Sharing};
use crate::model::Clock;
use crate::seal::KeyRing;

pub(super) use self::lease::Share;
pub(super) use self::target::Target;
pub(super) use self::timing::Timing;

/// The second level, for values of one kind.
pub(super) struct Shared<V> {
    envelope: Arc<Envelope>,
    link: Arc<Link>,
    outbox: Outbox<V>,
    timing: Timing,
    /// Ends the work behind the requests.
    ending: DropGuard,
}

/// Where a value comes from that was not in memory.
pub(super) enum Made<V> {
    /// Another replica, or this one before it was started again.
    Elsewhere,
    /// It was minted here; once it is recorded, it may be shared so.
    Here(Option<Share<V>>),
}

impl<V: Shareable> Shared<V> {
    /// Starts the work behind the requests, on the runtime of the caller.
    pub(super) fn start(
        target: Target,
        ring: Arc<KeyRing>,
        clock: Arc<dyn Clock>,
        timing: Timing,
    ) -> Self {
        let (link, envelope) = (Arc::new(Link::default()), Arc::new(Envelope::new(ring)));
        let (outbox, inbox) = outbox::new();
        let (tasks, ending) = (TaskTracker::new(), CancellationToken::new());
        let keeping = keeper::keep(Arc::clone(&link), target, timing);
        tasks.spawn(ending.clone().run_until_cancelled_owned(keeping));
        let writing = inbox.work(Arc::clone(&link), Arc::clone(&envelope), clock, timing);
        tasks.spawn(ending.clone().run_until_cancelled_owned(writing));
        Self { envelope, link, outbox, timing, ending: ending.drop_guard() }
    }

    /// True while Redis answers.
    pub(super) fn is_up(&self) -> bool {
        self.link.is_up()
    }

    /// Writes what is still to be written, for a short while, and ends the work behind the requests.
    pub(super) async fn close(&self) {
        if timeout(self.timing.closing, self.outbox.drained()).await.is_err() {
            tracing::warn!("cache: not everything was written to Redis");
        }
        self.ending.token().cancel();
    }

    /// A value that the order accepts, or one that it mints.
    ///
    /// # Errors
    /// What the mint failed with.
    pub(super) async fn get_or_mint<E>(
        &self,
        key: &[u8; 32],
        order: &impl Order<V, E>,
    ) -> Result<(V, Made<V>), E> {
        let name = Name::new(key);
        if order.sharing() == Sharing::Mints {
            return self.mint_once(name, order).await;
        }
        if let Some(value) = self.look(&name, order).await {
            return Ok((value, Made::Elsewhere));
        }
        let value = order.mint().await?;
        Ok((value, Made::Here(Some(Share::plain(&self.outbox, name)))))
    }

    /// The value on Redis, if the order accepts it. Whatever goes wrong is a miss.
    async fn look<E>(&self, name: &Name, order: &impl Order<V, E>) -> Option<V> {
        let by = Instant::now() + self.timing.budget;
        let bytes = script::look(&self.link, name, by).await.ok()?;
        if bytes.is_empty() {
            return None;
        }
        self.envelope.open::<V>(name, &bytes).filter(|value| order.accepts(value))
    }
}

impl<V> fmt::Debug for Shared<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}
