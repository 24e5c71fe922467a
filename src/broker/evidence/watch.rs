//! Follows the audit trail while it grows.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep_until, timeout};

use super::search::place;
use super::{unreadable, visible};
use crate::audit::{Archive, Filter, Followed, Found, Places};
use crate::broker::manage::{Authority, Operator, Read, Reading, Role, Target};
use crate::broker::{Broker, Call, Error, Refusal};

/// How many may watch at once.
pub(in crate::broker) const MAX_WATCHERS: usize = 64;

/// How many events are looked at in one round.
const PIECE: u32 = 256;

/// The shortest time between two rounds: what comes in meanwhile is one round.
const GATHER: Duration = Duration::from_millis(100);

/// How often the journal is looked at without being told of anything new: other replicas append too.
const TICK: Duration = Duration::from_secs(1);

/// Which events to follow.
#[derive(Clone, Debug)]
pub struct WatchEvents {
    /// Which.
    pub filter: Filter,
    /// Those after these places; absent = those that are recorded from now on, in whatever chain.
    pub after: Option<Places>,
}

/// The events, as they are recorded.
#[derive(Debug)]
pub struct Watching {
    broker: Arc<Broker>,
    authority: Authority,
    filter: Filter,
    after: Places,
    next_round: Instant,
    _place: OwnedSemaphorePermit,
}

impl Read for WatchEvents {
    type Output = (Authority, Places);

    fn target(&self) -> Target<'_> {
        Target {
            method: "WatchAuditEvents",
            role: Role::Viewer,
            place: place(&self.filter),
            definition: None,
        }
    }

    async fn read(&self, reading: &Reading<'_>) -> Result<(Authority, Places), Error> {
        let after = match &self.after {
            Some(after) => after.clone(),
            None => reading.archive(Archive::last_places).await?,
        };
        Ok((reading.authority.clone(), after))
    }
}

impl Broker {
    /// Begins to follow the trail.
    pub async fn watch(
        self: &Arc<Self>,
        call: Call,
        operator: Operator,
        watch: WatchEvents,
    ) -> Result<Watching, Refusal> {
        let filter = watch.filter.clone();
        let (authority, after) = self.read(call, operator, watch).await?;
        let Ok(place) = Arc::clone(&self.watching).try_acquire_owned() else {
            return Err(self.unrecorded(Error::Overloaded { retry_after: TICK }));
        };
        Ok(Watching {
            broker: Arc::clone(self),
            authority,
            filter,
            after,
            next_round: Instant::now(),
            _place: place,
        })
    }
}

impl Watching {
    /// The next events, at least one, each chain's oldest first, and with each where to go on after it. Waits for them.
    ///
    /// # Errors
    /// The trail cannot be read.
    pub async fn next(&mut self) -> Result<Vec<(Found, Places)>, Refusal> {
        let broker = Arc::clone(&self.broker);
        loop {
            sleep_until(self.next_round).await;
            self.next_round = Instant::now() + GATHER;
            // asked for before the look: what comes in during it is news
            let news = broker.journal.news();
            let followed = self.look().await.map_err(|error| self.broker.unrecorded(error))?;
            let mut place = std::mem::replace(&mut self.after, followed.last);
            if !followed.events.is_empty() {
                let placed = followed.events.into_iter().map(|found| {
                    place.pass(&found);
                    (found, place.clone())
                });
                return Ok(placed.collect());
            }
            if followed.is_all {
                // whichever comes first: the look is the same
                timeout(TICK, news).await.ok();
            }
        }
    }

    /// One round: what fits of the next events and may be seen.
    async fn look(&self) -> Result<Followed, Error> {
        let (archive, filter) = (self.broker.journal.archive().clone(), self.filter.clone());
        let after = self.after.clone();
        let followed = tokio::task::spawn_blocking(move || archive.follow(&filter, &after, PIECE));
        let mut followed = followed
            .await
            .map_err(|_panic| Error::Internal("a look into the audit trail panicked".to_owned()))?
            .map_err(unreadable)?;
        followed.events.retain(|found| visible::may_see(&self.authority, &found.event));
        Ok(followed)
    }
}
