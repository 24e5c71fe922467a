//! A replay for an operator: the differences come as they are found, the summary last.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::replay::{Difference, Replay, Summary};
use super::unreadable;
use super::uses::back;
use crate::broker::manage::{Candidate, Operator, Place, Read, Reading, Role, Target};
use crate::broker::{Broker, Call, Error, Refusal};

/// How far back is looked when nobody says.
pub const DEFAULT_SINCE: Duration = Duration::from_hours(7 * 24);

/// How many may replay at once: each reads through the trail.
pub(in crate::broker) const MAX_REPLAYS: usize = 2;

/// How many answers wait for their reader.
const WAITING: usize = 64;

/// Which recorded requests to decide again, under which policy.
#[derive(Clone, Debug)]
pub struct ReplayPolicy {
    /// The policy.
    pub candidate: Candidate,
    /// How far to look back.
    pub since: Duration,
}

/// One answer of a replay.
#[derive(Clone, Debug)]
pub enum Replayed {
    /// A request that would be decided otherwise.
    Difference(Difference),
    /// The end.
    Summary(Summary),
    /// It cannot go on.
    Failed(Refusal),
}

impl Read for ReplayPolicy {
    type Output = Arc<Replay>;

    fn target(&self) -> Target<'_> {
        Target {
            method: "ReplayPolicy",
            role: Role::Viewer,
            place: Place::Somewhere,
            definition: None,
        }
    }

    async fn read(&self, reading: &Reading<'_>) -> Result<Arc<Replay>, Error> {
        let (present, candidate) = (reading.present(), self.candidate.clone());
        let in_force = reading.snapshot_shared();
        let since = back(reading.now(), self.since);
        let authority = reading.authority.clone();
        let compared =
            tokio::task::spawn_blocking(move || candidate.compare(&present, Role::Viewer));
        let compared = compared
            .await
            .map_err(|_panic| Error::Internal("the work on a policy file panicked".to_owned()))??;
        let candidate = Arc::new(compared.snapshot);
        Ok(Arc::new(Replay { candidate, present: in_force, authority, since }))
    }
}

impl Broker {
    /// Decides recorded requests again. It goes on until the end of the trail or until nobody listens any more.
    pub async fn replay(
        self: &Arc<Self>,
        call: Call,
        operator: Operator,
        replay: ReplayPolicy,
    ) -> Result<mpsc::Receiver<Replayed>, Refusal> {
        let replay = self.read(call, operator, replay).await?;
        let Ok(place) = Arc::clone(&self.replaying).try_acquire_owned() else {
            let retry_after = Duration::from_secs(10);
            return Err(self.unrecorded(Error::Overloaded { retry_after }));
        };
        let (answers, answered) = mpsc::channel(WAITING);
        let broker = Arc::clone(self);
        self.tasks.spawn_blocking(move || {
            let archive = broker.journal.archive();
            let result = replay.run(
                archive,
                || !answers.is_closed(),
                |difference| answers.blocking_send(Replayed::Difference(difference)).is_ok(),
            );
            let last = match result {
                Ok(summary) => Replayed::Summary(summary),
                Err(error) => Replayed::Failed(broker.unrecorded(unreadable(error))),
            };
            drop(place);
            // who hung up does not wait for it
            answers.blocking_send(last).ok();
        });
        Ok(answered)
    }
}
