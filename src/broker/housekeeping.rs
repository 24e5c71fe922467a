//! What has to be done besides requests, until the program ends.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::Broker;
use crate::cache::Expires;

/// How often the store is asked whether its policy changed; every request that is recorded asks as well.
const POLL: Duration = Duration::from_secs(1);

/// How often what has ended is forgotten, and the clock is compared.
const SWEEP: Duration = Duration::from_mins(1);

impl Broker {
    /// Looks for new policy, writes the counted refusals, forgets quiet callers and what has ended, and compares the clock, until `stop`.
    pub async fn housekeeping(self: Arc<Self>, stop: CancellationToken) {
        let mut ticks = interval(POLL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut swept: Option<Instant> = None;
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            self.look_for_new_policy().await;
            self.write_refusals(self.refusals.closed(self.clock.now())).await;
            self.limits.forget_quiet();
            if swept.is_none_or(|swept| swept.elapsed() >= SWEEP) {
                swept = Some(Instant::now());
                self.forget_ended().await;
                self.compare_clock().await;
            }
        }
    }

    /// Brings new policy in force as soon as the store tells of it, until `stop`. News may be lost: [`Broker::housekeeping`] looks without them.
    pub async fn follow_policy(self: Arc<Self>, stop: CancellationToken) {
        let mut news = self.store.policy_news();
        while stop.run_until_cancelled(news.changed()).await.is_some() {
            self.look_for_new_policy().await;
        }
    }

    async fn look_for_new_policy(&self) {
        if let Err(error) = self.policies.catch_up(self.clock.now()).await {
            tracing::warn!(%error, "cannot look for new policy");
        }
    }

    /// Frees what has ended; not on the serving threads, since all that is kept is looked at.
    async fn forget_ended(self: &Arc<Self>) {
        let broker = Arc::clone(self);
        let swept = tokio::task::spawn_blocking(move || {
            let now = broker.clock.now();
            broker.cache.forget(|access_token| access_token.expire_time() <= now);
            broker.verifiers.forget_ended();
        });
        if swept.await.is_err() {
            tracing::error!("what has ended could not be forgotten");
        }
    }

    /// Brokers that share a store compare their clocks with its server's, and so with each other's.
    async fn compare_clock(&self) {
        let before = self.clock.now();
        match self.store.time().await {
            Ok(Some(theirs)) => self.skew.compare(theirs, before, self.clock.now()),
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "the clock cannot be compared with the store's"),
        }
    }
}
