//! The audit event of a decision while it is made.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;
use tokio::time::Instant;

use super::minted::Minted;
use super::policies::InForce;
use super::{Call, Error, LocalUser};
use crate::audit::{Event, Grant, Kind, RequestRecord};
use crate::identity::{self, Identity};
use crate::model::{
    AccessRequest, AccessTokenId, DecisionId, Form, JsonObject, Permissions, Reason, Reuse,
};
use crate::policy::Permit;

/// The audit event of a decision while it is made.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) event: Event,
    pub(super) in_force: Arc<InForce>,
    pub(super) stage: Stage,
    /// When the caller waits no longer.
    pub(super) deadline: Instant,
    /// The caller, where what proves it does not depend on policy: when a decision is made again it is not verified again, since an
    /// identity token of single use is used up.
    pub(super) verified: Option<Identity>,
    /// What was minted for this decision, until the event is durable.
    pub(super) minted: Option<Minted>,
}

/// How the event of a draft gets into the trail.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Stage {
    /// The caller is not known: refusals are counted together.
    Unknown,
    /// The caller is known: the event is appended.
    Known,
    /// It is in the trail already, in one transaction with the change that it records; or it is an allowed read, which leaves no event.
    Written,
}

impl Draft {
    pub(super) fn new(
        kind: Kind,
        call: &Call,
        now: Timestamp,
        deadline: Instant,
        in_force: Arc<InForce>,
    ) -> Self {
        let event = Event {
            peer: Some(call.peer.to_string()),
            trace: call.trace.clone(),
            policy_revision: Some(in_force.snapshot.revision()),
            ..Event::new(DecisionId::new(now), now, kind)
        };
        Self { event, in_force, stage: Stage::Unknown, deadline, verified: None, minted: None }
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
        if matches!(identity.kind(), identity::Kind::Workload(_)) {
            self.verified = Some(identity.clone());
        }
        let (facts, claims) = identity.facts();
        self.event.identity = Some(facts);
        self.event.claims = claims;
    }

    /// Notes the user of this machine who asks.
    pub(super) fn local_user(&mut self, user: &LocalUser) {
        self.stage = Stage::Known;
        self.event.identity = JsonObject::of(user);
    }

    /// Notes what is given.
    pub(super) fn grant(
        &mut self,
        permit: &Permit<'_>,
        access_token: AccessTokenId,
        given: Given<'_>,
    ) {
        self.event.grant = Some(Grant {
            access_token,
            token: permit.token(),
            token_name: permit.token_name().clone(),
            scope_map: permit.scope_map().clone(),
            credential: permit.credential(),
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

    /// Notes the refusal that ended it: nothing is given.
    pub(super) fn fail(&mut self, error: &Error) {
        self.refuse(error.reason(), error.to_string());
        self.event.grant = None;
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

    /// What it wrote may be stored, with its event, or not: the answer was lost. Whoever asks is told by a decision of its own.
    pub(super) fn doubtful(&mut self) {
        let cause = self.event.id;
        self.event.id = DecisionId::new(self.event.time);
        if let Some(change) = self.event.change.as_mut().and_then(Value::as_object_mut) {
            change.insert("cause".to_owned(), cause.to_string().into());
        }
    }

    /// It was allowed, and gives nothing and changes nothing, so it leaves no event. A refusal does.
    pub(super) const fn needs_no_event(&mut self) {
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
