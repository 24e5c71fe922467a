//! What a decision wants of the cache, and what it minted, until its event is durable.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use super::policies::InForce;
use crate::cache::{Expires, Order, Sharing, Unrecorded};
use crate::model::AccessTokenId;
use crate::policy::Permit;
use crate::registry::{AccessToken, Driver, Error, Minting, Registry};
use crate::telemetry::metrics;

/// How long a driver may take to take something back.
const WITHDRAWAL: Duration = Duration::from_secs(30);

/// An access token for a permit: one that was minted before and still stands, or a new one.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    pub(super) registry: &'a Registry,
    pub(super) permit: &'a Permit<'a>,
    /// Of the new one.
    pub(super) id: AccessTokenId,
    pub(super) at_least_until: Timestamp,
    pub(super) in_force: &'a InForce,
    pub(super) tasks: &'a TaskTracker,
}

impl Order<AccessToken, Error> for Wanted<'_> {
    fn sharing(&self) -> Sharing {
        self.registry.sharing
    }

    fn accepts(&self, access_token: &AccessToken) -> bool {
        access_token.expire_time() >= self.at_least_until
            && !self.in_force.is_revoked(access_token.id())
    }

    async fn mint(&self) -> Result<AccessToken, Error> {
        self.registry.driver.issue(self.permit, self.id).await
    }

    fn withdraw(&self, access_token: AccessToken) {
        withdraw(self.tasks, &self.registry.driver, Arc::new(access_token));
    }
}

/// An access token that was minted for a decision. Dropped before it is recorded, it is forgotten and taken back where it was minted
/// (attack clause G5).
#[derive(Debug)]
pub(super) struct Minted {
    access_token: Arc<AccessToken>,
    unrecorded: Option<Box<Unrecorded<AccessToken, Error>>>,
    driver: Arc<dyn Driver>,
    tasks: TaskTracker,
    record: Record,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Record {
    Pending,
    Durable,
}

impl Minted {
    /// What was minted to `wanted`; for reuse where the cache knows it.
    pub(super) fn new(
        wanted: &Wanted<'_>,
        access_token: &Arc<AccessToken>,
        unrecorded: Option<Box<Unrecorded<AccessToken, Error>>>,
    ) -> Self {
        Self {
            access_token: Arc::clone(access_token),
            unrecorded,
            driver: Arc::clone(&wanted.registry.driver),
            tasks: wanted.tasks.clone(),
            record: Record::Pending,
        }
    }

    /// Its event is durable: it may be handed out, here and by other replicas.
    pub(super) fn recorded(mut self) {
        self.record = Record::Durable;
        if let Some(unrecorded) = self.unrecorded.take() {
            unrecorded.recorded();
        }
    }
}

impl Drop for Minted {
    fn drop(&mut self) {
        if self.record == Record::Pending {
            withdraw(&self.tasks, &self.driver, Arc::clone(&self.access_token));
        }
    }
}

/// Begins to take back an access token that nobody was given. The tracker waits for it, the caller does not.
fn withdraw(tasks: &TaskTracker, driver: &Arc<dyn Driver>, access_token: Arc<AccessToken>) {
    // without a runtime the program is at its end
    let (Minting::Remote, Ok(runtime)) = (driver.minting(), Handle::try_current()) else { return };
    metrics::cache_withdrawn();
    let driver = Arc::clone(driver);
    let withdrawal = async move {
        let problem = match timeout(WITHDRAWAL, driver.withdraw(&access_token)).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the driver took too long".to_owned(),
        };
        let (id, registry) = (access_token.id(), access_token.registry());
        tracing::error!(%id, %registry, %problem, "an access token that nobody was given cannot be taken back; it ends by itself");
    };
    tasks.spawn_on(withdrawal, &runtime);
}

#[cfg(test)]
pub(super) mod tests;
