//! How every use case is run: within its limits and its deadline, to its end, and into the audit trail before the reply.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use jiff::Timestamp;
use tokio::time::Instant;

use super::draft::{Draft, Stage};
use super::finishing::{Finishing, until};
use super::line::{Line, method};
use super::refusals::Recording;
use super::{Broker, Call, Error, Refusal};
use crate::audit::Kind;
use crate::model::DecisionId;
use crate::telemetry::metrics::{self, InFlight};

/// How often a decision is made again because the policy changed while it was recorded.
const ATTEMPTS: u32 = 4;

/// How much longer than the deadline a caller waits for its audit event.
const RECORDING: Duration = Duration::from_secs(2);

/// One thing that a caller can ask for.
pub(super) trait UseCase: Send + Sync + 'static {
    /// What the audit trail calls it.
    const KIND: Kind;
    /// What becomes of its outcome when the policy changes while it is recorded.
    const STANDING: Standing = Standing::WhilePolicyHolds;
    /// Who cuts it short at its deadline.
    const CUT: Cut = Cut::Anywhere;
    /// What the caller gets.
    type Output: Send + 'static;

    /// Does it, or says why not; `draft` learns what the audit trail must know. May run again when the policy changed meanwhile.
    fn run(
        &self,
        broker: &Broker,
        draft: &mut Draft,
    ) -> impl Future<Output = Result<Self::Output, Error>> + Send;
}

/// What becomes of an outcome when the policy changes while it is recorded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Standing {
    /// It is what it is: it rests on no policy, or looked at the newest itself.
    Always,
    /// It is decided again, by the newer policy.
    WhilePolicyHolds,
}

/// Where a use case is cut short at its deadline.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Cut {
    /// Wherever it is: it changes nothing that outlives it.
    Anywhere,
    /// Only where it says so itself, by [`in_time`]: what it has begun to store is stored, and its caller is told so.
    BeforeItStores,
}

impl Broker {
    /// Runs a use case: what began is finished and recorded, also when the caller hangs up.
    pub(super) async fn decide<U: UseCase>(
        self: &Arc<Self>,
        call: Call,
        use_case: U,
    ) -> Result<U::Output, Refusal> {
        let started = Instant::now();
        let place = match self.limits.enter(call.peer) {
            Ok(place) => place,
            Err(error) => return Err(self.refuse_early(U::KIND, &call, error).await),
        };
        let limit = call.timeout.map_or(self.deadline, |timeout| timeout.min(self.deadline));
        let deadline = started + limit;
        let broker = Arc::clone(self);
        let work = async move {
            let _held = (place, InFlight::begin(method(U::KIND)));
            broker.guarded(&call, &use_case, started, deadline).await
        };
        until(deadline + RECORDING, pin!(Finishing::new(&self.tasks, work)))
            .await
            .unwrap_or_else(|| Err(self.unrecorded(Error::DeadlineExceeded)))
    }

    /// A panic is answered and recorded.
    async fn guarded<U: UseCase>(
        &self,
        call: &Call,
        use_case: &U,
        started: Instant,
        deadline: Instant,
    ) -> Result<U::Output, Refusal> {
        let attempts = self.attempts(call, use_case, started, deadline);
        match AssertUnwindSafe(attempts).catch_unwind().await {
            Ok(outcome) => outcome,
            Err(panicked) => {
                // its message could hold a secret
                drop(panicked);
                let error = Error::Internal("the program panicked: the log says where".to_owned());
                Err(self.refuse_early(U::KIND, call, error).await)
            }
        }
    }

    async fn attempts<U: UseCase>(
        &self,
        call: &Call,
        use_case: &U,
        mut started: Instant,
        deadline: Instant,
    ) -> Result<U::Output, Refusal> {
        let (mut verified, mut overtaken) = (None, None);
        for _ in 0..ATTEMPTS {
            let in_force = self.policies.in_force();
            let now = self.clock.now();
            let mut draft = Draft::new(U::KIND, call, now, deadline, Arc::clone(&in_force));
            draft.verified = verified;
            draft.event.supersedes = overtaken;
            let outcome = {
                let run = pin!(use_case.run(self, &mut draft));
                match U::CUT {
                    Cut::Anywhere => in_time(deadline, run).await,
                    Cut::BeforeItStores => run.await,
                }
            };
            verified = draft.verified.take();
            overtaken = Some(draft.id());
            let given = draft.event.grant.as_ref().map(|grant| grant.access_token);
            let (outcome, latest) = self.record(call, &mut draft, outcome, started).await;
            let decides = |_: &u64| U::STANDING == Standing::WhilePolicyHolds;
            let Some(revision) = latest.filter(decides) else { return outcome };
            // the policy changed while the decision was made: what it touches is decided again
            // boxed, since it is rare, and its room would be in every request
            let newer = Box::pin(self.policies.at_least(revision, self.clock.now()));
            if let Err(error) = newer.await {
                return Err(self.refuse_early(U::KIND, call, error.into()).await);
            }
            if self.policies.in_force().upholds(&in_force, given) {
                return outcome;
            }
            started = Instant::now();
        }
        let error = Error::Overloaded { retry_after: Duration::from_secs(1) };
        Err(self.refuse_early(U::KIND, call, error).await)
    }

    /// Makes the event durable, or counts it together with others like it. Returns the outcome, and the store's policy revision when it
    /// is newer than the one that decided.
    async fn record<T>(
        &self,
        call: &Call,
        draft: &mut Draft,
        outcome: Result<T, Error>,
        started: Instant,
    ) -> (Result<T, Refusal>, Option<u64>) {
        if let Err(error) = &outcome {
            draft.fail(error);
        }
        if let Some(decision_id) = self.count(call, draft, started) {
            return (refused(outcome, decision_id), None);
        }
        self.append(call, draft, outcome, started).await
    }

    async fn append<T>(
        &self,
        call: &Call,
        draft: &mut Draft,
        outcome: Result<T, Error>,
        started: Instant,
    ) -> (Result<T, Refusal>, Option<u64>) {
        // dropped here, unless it says below that it is recorded: nothing is handed out that is not, now or by reuse
        let minted = draft.minted.take();
        let (decision_id, revision) = (draft.id(), draft.in_force.revision);
        let line = Line::of(&draft.event);
        if draft.stage == Stage::Written {
            line.log(call, started.elapsed());
            return (refused(outcome, decision_id), None);
        }
        match self.journal.append(&draft.event).await {
            Ok(recorded) => {
                if let (Some(minted), Ok(_)) = (minted, &outcome) {
                    minted.recorded();
                }
                line.log(call, started.elapsed());
                let newer = Some(recorded.policy_revision).filter(|newest| *newest > revision);
                (refused(outcome, decision_id), newer)
            }
            Err(error) => {
                let error = Error::from(error);
                line.refused_by(&error).log(call, started.elapsed());
                (Err(Refusal { decision_id, error }), None)
            }
        }
    }

    /// Counts the refusal of an unknown caller together with others like it; the first of them is an event of its own.
    fn count(&self, call: &Call, draft: &Draft, started: Instant) -> Option<DecisionId> {
        let reason = draft.event.reason.filter(|_| draft.stage == Stage::Unknown)?;
        match self.refusals.count(call.peer, reason, draft.time()) {
            Recording::Alone => None,
            Recording::Counted(id) => {
                let reason = Some(reason.as_str());
                metrics::record_decision(method(draft.event.kind), reason, started.elapsed());
                Some(id)
            }
        }
    }

    /// Refuses before, or outside of, a use case. In a flood that costs next to nothing.
    pub(super) async fn refuse_early(&self, kind: Kind, call: &Call, error: Error) -> Refusal {
        let (now, reason) = (self.clock.now(), error.reason());
        match self.refusals.count(call.peer, reason, now) {
            Recording::Counted(decision_id) => {
                metrics::record_decision(method(kind), Some(reason.as_str()), Duration::ZERO);
                Refusal { decision_id, error }
            }
            // boxed, since it is rare, and its room would be in every request
            Recording::Alone => Box::pin(self.refuse_alone(kind, call, error, now)).await,
        }
    }

    async fn refuse_alone(&self, kind: Kind, call: &Call, error: Error, now: Timestamp) -> Refusal {
        let started = Instant::now();
        let mut draft = Draft::new(kind, call, now, started, self.policies.in_force());
        draft.fail(&error);
        match self.append::<()>(call, &mut draft, Err(error.clone()), started).await {
            // a caller that is refused anyway need not hear that the refusal could not be recorded
            (Err(Refusal { decision_id, .. }), _) => Refusal { decision_id, error },
            (Ok(()), _) => self.unrecorded(error),
        }
    }

    pub(super) fn unrecorded(&self, error: Error) -> Refusal {
        Refusal { decision_id: DecisionId::new(self.clock.now()), error }
    }
}

/// What `work` gives, unless it takes longer than until `deadline`.
pub(super) async fn in_time<T>(
    deadline: Instant,
    work: Pin<&mut impl Future<Output = Result<T, Error>>>,
) -> Result<T, Error> {
    until(deadline, work).await.unwrap_or(Err(Error::DeadlineExceeded))
}

fn refused<T>(outcome: Result<T, Error>, decision_id: DecisionId) -> Result<T, Refusal> {
    outcome.map_err(|error| Refusal { decision_id, error })
}

#[cfg(test)]
mod tests;
