//! How every use case is run: within its limits and its deadline, to its end, and into the audit trail before the reply.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::policies::InForce;
use super::refusals::Recording;
use super::{Broker, Call, Error, Refusal};
use crate::audit::{Event, Grant, Kind, RequestRecord};
use crate::identity::{self, Evidence, Identity};
use crate::model::{AccessRequest, AccessTokenId, DecisionId, Form, Permissions, Reason, Reuse};
use crate::policy::Permit;
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
    /// What the caller gets.
    type Output: Send + 'static;

    /// Does it, or says why not; `draft` learns what the audit trail must know. May run again when the policy changed meanwhile.
    fn run(
        &self,
        broker: &Broker,
        draft: &mut Draft,
    ) -> impl Future<Output = Result<Self::Output, Error>> + Send;
}

/// The audit event of a decision while it is made.
#[derive(Debug)]
pub(super) struct Draft {
    event: Event,
    in_force: Arc<InForce>,
    stage: Stage,
}

/// How the event of a draft gets into the trail.
#[derive(Debug, PartialEq)]
enum Stage {
    /// The caller is not known: refusals are counted together.
    Unknown,
    /// The caller is known: the event is appended.
    Known,
    /// It is in the trail already, in one transaction with the change that it records.
    Written,
}

impl Draft {
    fn new(kind: Kind, call: &Call, now: Timestamp, in_force: Arc<InForce>) -> Self {
        let event = Event {
            peer: Some(call.peer.to_string()),
            trace: call.trace.clone(),
            policy_revision: Some(in_force.snapshot.revision()),
            ..Event::new(DecisionId::new(now), now, kind)
        };
        Self { event, in_force, stage: Stage::Unknown }
    }

    /// The id of the decision.
    pub(super) const fn id(&self) -> DecisionId {
        self.event.id
    }

    /// The time of the decision.
    pub(super) const fn time(&self) -> Timestamp {
        self.event.time
    }

    /// The policy that decides: the one that the event names.
    pub(super) fn in_force(&self) -> Arc<InForce> {
        Arc::clone(&self.in_force)
    }

    /// Notes what is asked for.
    pub(super) fn request(&mut self, request: &AccessRequest) {
        self.event.request = Some(RequestRecord {
            registry: request.registry.clone(),
            permissions: request.permissions.clone(),
            lifetime: request.lifetime,
            token_name: request.token_name.clone(),
            with_bearer_token: request.form == Form::PasswordAndBearer,
            fresh: request.reuse == Reuse::Never,
        });
    }

    /// Notes who asks. From here on the event is recorded by itself; but refusals of nobody are still counted together.
    pub(super) fn identity(&mut self, identity: &Identity) {
        if !matches!(identity.kind(), identity::Kind::Anonymous) {
            self.stage = Stage::Known;
        }
        let mut evidence = identity.evidence();
        if let Evidence::Workload { claims, .. } = &mut evidence {
            self.event.claims = Some(std::mem::take(claims));
        }
        if let Ok(Value::Object(mut facts)) = serde_json::to_value(&evidence) {
            facts.remove("claims");
            self.event.identity = Some(facts);
        }
    }

    /// Notes what is given.
    pub(super) fn grant(&mut self, permit: &Permit, access_token: AccessTokenId, given: Given<'_>) {
        self.event.grant = Some(Grant {
            access_token,
            token: permit.token(),
            token_name: permit.token_name().clone(),
            scope_map: permit.scope_map().clone(),
            credential: permit.credential().clone(),
            permissions: given.permissions.clone(),
            expire_time: given.expire_time,
            reused: given.reused,
        });
    }

    /// Notes a refusal that is an answer, not an error.
    pub(super) fn refuse(&mut self, reason: Reason, detail: String) {
        self.event.reason = Some(reason);
        self.event.detail = Some(detail);
    }

    /// Notes something that only an operator should know.
    pub(super) fn detail(&mut self, detail: String) {
        self.event.detail = Some(detail);
    }

    /// Notes what is changed.
    pub(super) fn change(&mut self, change: Value) {
        self.event.change = Some(change);
    }

    /// The event as it is, to be written by the use case itself in one transaction with its change.
    pub(super) const fn event(&self) -> &Event {
        &self.event
    }

    /// The use case wrote the event. Until it says so, also when it is cut short, the event is recorded like any other.
    pub(super) const fn written(&mut self) {
        self.stage = Stage::Written;
    }
}

/// What a grant gives.
#[derive(Clone, Copy, Debug)]
pub(super) struct Given<'a> {
    pub(super) permissions: &'a Permissions,
    pub(super) expire_time: Timestamp,
    pub(super) reused: bool,
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
        for _ in 0..ATTEMPTS {
            let started = Instant::now();
            let in_force = self.policies.in_force();
            let mut draft = Draft::new(U::KIND, call, self.clock.now(), in_force);
            let outcome = match timeout_at(deadline, use_case.run(self, &mut draft)).await {
                Ok(outcome) => outcome,
                Err(_elapsed) => Err(Error::DeadlineExceeded),
            };
            let (outcome, latest) = self.record(call, draft, outcome, started).await;
            match latest {
                None => return outcome,
                // the policy changed while the decision was made: it may not stand, so it is made again
                Some(revision) => {
                    if let Err(error) = self.policies.at_least(revision, self.clock.now()).await {
                        return Err(self.refuse_early(U::KIND, call, error.into()).await);
                    }
                }
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
        log(call, &draft.event, started);
        if draft.stage == Stage::Written {
            return (refused(outcome, decision_id), None);
        }
        match self.journal.append(draft.event).await {
            Ok(recorded) if recorded.policy_revision > revision => {
                (refused(outcome, decision_id), Some(recorded.policy_revision))
            }
            Ok(_) => (refused(outcome, decision_id), None),
            // nothing is handed out that is not recorded, now or by reuse
            Err(error) => {
                if let Some(id) = minted {
                    self.cache.forget(move |access_token| access_token.id() == id);
                }
                (Err(Refusal { decision_id, error: error.into() }), None)
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

    fn unrecorded(&self, error: Error) -> Refusal {
        Refusal { decision_id: DecisionId::new(self.clock.now()), error }
    }
}

fn refused<T>(outcome: Result<T, Error>, decision_id: DecisionId) -> Result<T, Refusal> {
    outcome.map_err(|error| Refusal { decision_id, error })
}

fn log(call: &Call, event: &Event, started: Instant) {
    let detail = event.detail.as_deref().unwrap_or_default();
    let outcome = match event.reason {
        None => Outcome::Allowed,
        Some(reason) => {
            Outcome::Refused { reason: reason.as_str(), blame: blame(reason), detail: &detail }
        }
    };
    telemetry::decision(&telemetry::Decision {
        method: method(event.kind),
        id: &event.id,
        peer: &call.peer,
        trace: call.trace.as_deref(),
        outcome,
        elapsed: started.elapsed(),
    });
}

const fn method(kind: Kind) -> Method {
    match kind {
        Kind::Check => Method::Check,
        Kind::Exchange => Method::DockerToken,
        Kind::Issue => Method::Issue,
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
