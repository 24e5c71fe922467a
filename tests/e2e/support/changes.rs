//! An operator who changes the policy again and again, and remembers what was accepted.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tonic::Code;

use super::caller::Caller;
use super::{AUDIENCE, Issuer, Operator, Replicas};

/// How often a change is made.
const EVERY: Duration = Duration::from_millis(250);

/// Changes that go on.
pub(crate) struct Changes {
    accepted: Arc<Mutex<BTreeSet<String>>>,
    stop: CancellationToken,
    working: JoinSet<()>,
}

impl Changes {
    /// Makes one token after the other, by all replicas in turn.
    pub(crate) fn on(replicas: &Replicas) -> Self {
        let (accepted, stop) = (Arc::default(), CancellationToken::new());
        let mut working = JoinSet::new();
        let caller = Caller::of(&replicas.grpc_urls(), 0);
        let issuer = Arc::clone(&replicas.issuer);
        working.spawn(work(caller, issuer, Arc::clone(&accepted), stop.clone()));
        Self { accepted, stop, working }
    }

    /// Ends them; the names of the tokens that were accepted.
    pub(crate) async fn stop(mut self) -> BTreeSet<String> {
        self.stop.cancel();
        self.working.join_next().await.unwrap().unwrap();
        std::mem::take(&mut *self.accepted.lock())
    }
}

async fn work(
    mut caller: Caller,
    issuer: Arc<Issuer>,
    accepted: Arc<Mutex<BTreeSet<String>>>,
    stop: CancellationToken,
) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for number in 0.. {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let name = format!("change-{number:04}");
        let identity = issuer.token(AUDIENCE, &serde_json::json!({"sub": Replicas::OPERATOR}));
        let outcome = caller.call(|channel| {
            let (mut operator, name) = (Operator::new(channel, identity.clone()), name.clone());
            let issuer = issuer.url().to_owned();
            async move {
                match operator.create(&name, &issuer, &name).await {
                    // the answer to the attempt before was lost, not the change
                    Err(status) if status.code() == Code::AlreadyExists => Ok(()),
                    outcome => outcome,
                }
            }
        });
        if outcome.await.result.is_ok() {
            accepted.lock().insert(name);
        }
    }
}
