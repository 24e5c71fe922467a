//! How every use case is run: within its limits and its deadline, to its end, and into the audit trail before the reply.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::draft::{Draft, Stage};
use super::refusals::Recording;
use super::{Broker, Call, Error, Refusal};
use crate::audit::{Event, Kind};
use crate::model::{DecisionId, Reason};
use crate::telemetry::metrics::{self, InFlight};
use crate::telemetry::{self, Blame, Method, Outcome};

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

impl Broker {
    /// Runs a use case as a task of its own: what began is finished and recorded, also when the caller hangs up.
    pub(super) async fn decide<U: UseCase>(
        self: &Arc<Self>,
        call: Call,
        use_case: U,
    ) -> Result<U::Output, Refusal> {
        let limit = call.timeout.map_or(self.deadline, |timeout| timeout.min(self.deadline));
        let deadline = Instant::now() + limit;
        let broker = Arc::clone(self);
        let begun = call.clone();
        let task =
            self.tasks.spawn(async move { broker.attempts(&begun, &use_case, deadline).await });
        match timeout_at(deadline + RECORDING, task).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(ended)) => {
                // its message could hold a secret
                drop(ended);
                let error = Error::Internal("the program panicked: the log says where".to_owned());
                Err(self.refuse_early(U::KIND, &call, error).await)
            }
            Err(_elapsed) => Err(self.unrecorded(Error::DeadlineExceeded)),
        }
    }

    async fn attempts<U: UseCase>(
        &self,
        call: &Call,
        use_case: &U,
        deadline: Instant,
    ) -> Result<U::Output, Refusal> {
        let _in_flight = InFlight::begin(method(U::KIND));
        let _place = match self.limits.enter() {
            Ok(place) => place,
            Err(error) => return Err(self.refuse_early(U::KIND, call, error).await),
        };
        if let Err(error) = self.limits.address(call.peer) {
            return Err(self.refuse_early(U::KIND, call, error).await);
        }
        let (mut verified, mut overtaken) = (None, None);
        for _ in 0..ATTEMPTS {
            let started = Instant::now();
            let in_force = self.policies.in_force();
            let mut draft = Draft::new(U::KIND, call, self.clock.now(), Arc::clone(&in_force));
            draft.verified = verified;
            draft.event.supersedes = overtaken;
            let outcome = match timeout_at(deadline, use_case.run(self, &mut draft)).await {
                Ok(outcome) => outcome,
                Err(_elapsed) => Err(Error::DeadlineExceeded),
            };
            verified = draft.verified.take();
            overtaken = Some(draft.id());
            let given = draft.event.grant.as_ref().map(|grant| grant.access_token);
            let (outcome, latest) = self.record(call, draft, outcome, started).await;
            let decides = |_: &u64| U::STANDING == Standing::WhilePolicyHolds;
            let Some(revision) = latest.filter(decides) else { return outcome };
            // the policy changed while the decision was made: what it touches is decided again
            if let Err(error) = self.policies.at_least(revision, self.clock.now()).await {
                return Err(self.refuse_early(U::KIND, call, error.into()).await);
            }
            if self.policies.in_force().upholds(&in_force, given) {
                return outcome;
            }
        }
        let error = Error::Overloaded { retry_after: Duration::from_secs(1) };
        Err(self.refuse_early(U::KIND, call, error).await)
    }

    /// Makes the event durable. Returns the outcome, and the store's policy revision when it is newer than the one that decided.
    async fn record<T>(
        &self,
        call: &Call,
        mut draft: Draft,
        outcome: Result<T, Error>,
        started: Instant,
    ) -> (Result<T, Refusal>, Option<u64>) {
        if let Err(error) = &outcome {
            draft.event.reason = Some(error.reason());
            draft.event.detail = Some(error.to_string());
            draft.event.grant = None;
        }
        let decision_id = draft.id();
        let revision = draft.in_force.revision;
        let minted = draft.event.grant.as_ref().filter(|grant| !grant.reused);
        let minted = minted.map(|grant| grant.access_token);
        if let Some(counted) = self.count(call, &draft, started) {
            return (refused(outcome, counted), None);
        }
        let line = Line::of(&draft.event);
        if draft.stage == Stage::Written {
            line.log(call, started);
            return (refused(outcome, decision_id), None);
        }
        match self.journal.append(draft.event).await {
            Ok(recorded) => {
                line.log(call, started);
                let newer = Some(recorded.policy_revision).filter(|newest| *newest > revision);
                (refused(outcome, decision_id), newer)
            }
            // nothing is handed out that is not recorded, now or by reuse
            Err(error) => {
                if let Some(id) = minted {
                    self.cache.forget(move |access_token| access_token.id() == id);
                }
                let error = Error::from(error);
                line.refused_by(&error).log(call, started);
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

    /// Refuses before, or outside of, a use case.
    pub(super) async fn refuse_early(&self, kind: Kind, call: &Call, error: Error) -> Refusal {
        let draft = Draft::new(kind, call, self.clock.now(), self.policies.in_force());
        let (refused, _) = self.record::<()>(call, draft, Err(error.clone()), Instant::now()).await;
        match refused {
            // a caller that is refused anyway need not hear that the refusal could not be recorded
            Err(Refusal { decision_id, .. }) => Refusal { decision_id, error },
            Ok(()) => self.unrecorded(error),
        }
    }

    pub(super) fn unrecorded(&self, error: Error) -> Refusal {
        Refusal { decision_id: DecisionId::new(self.clock.now()), error }
    }
}

fn refused<T>(outcome: Result<T, Error>, decision_id: DecisionId) -> Result<T, Refusal> {
    outcome.map_err(|error| Refusal { decision_id, error })
}

/// What the log says of a decision, when it is known whether it was recorded.
struct Line {
    id: DecisionId,
    kind: Kind,
    refused: Option<(Reason, String)>,
}

impl Line {
    fn of(event: &Event) -> Self {
        let detail = || event.detail.clone().unwrap_or_default();
        let refused = event.reason.map(|reason| (reason, detail()));
        Self { id: event.id, kind: event.kind, refused }
    }

    fn refused_by(self, error: &Error) -> Self {
        Self { refused: Some((error.reason(), error.to_string())), ..self }
    }

    fn log(&self, call: &Call, started: Instant) {
        let outcome = match &self.refused {
            None => Outcome::Allowed,
            Some((reason, detail)) => {
                Outcome::Refused { reason: reason.as_str(), blame: blame(*reason), detail }
            }
        };
        telemetry::decision(&telemetry::Decision {
            method: method(self.kind),
            id: &self.id,
            peer: &call.peer,
            trace: call.trace.as_deref(),
            outcome,
            elapsed: started.elapsed(),
        });
    }
}

const fn method(kind: Kind) -> Method {
    match kind {
        Kind::Check => Method::Check,
        Kind::Exchange => Method::DockerToken,
        Kind::Issue => Method::Issue,
        Kind::ManagementRead => Method::ManagementRead,
        Kind::PolicyChange => Method::PolicyChange,
        Kind::Notification => Method::Notification,
        Kind::Revoke => Method::Revoke,
        _ => Method::Unreadable,
    }
}

/// Who is to blame for a refusal: the level of its log line.
const fn blame(reason: Reason) -> Blame {
    match reason {
        Reason::AuditUnavailable
        | Reason::Internal
        | Reason::RegistryDenied
        | Reason::RegistryOvergrant
        | Reason::RegistryUnavailable
        | Reason::StoreUnavailable => Blame::Us,
        Reason::IdentityInvalid | Reason::IssuerUnavailable => Blame::Suspect,
        _ => Blame::Caller,
    }
}

#[cfg(test)]
mod tests;
