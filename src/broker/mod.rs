//! The use cases, and the only place that knows the order of their steps.
//!
//! A use case is one file (`issue`, `check`, `revoke`, `docker_token`); `decision` runs each of them within its limits and
//! deadline, to its end, and into the audit trail before the reply.

mod call;
mod check;
mod decision;
mod dependency;
mod docker_token;
mod draft;
mod error;
pub mod evidence;
mod finishing;
mod housekeeping;
mod issue;
mod limits;
mod line;
pub mod manage;
mod minted;
mod policies;
mod refusals;
mod revoke;
mod touched;
mod used_tokens;

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use self::dependency::ClockSkew;
use self::evidence::{MAX_REPLAYS, MAX_WATCHERS, Recent};
use self::limits::Limits;
use self::manage::{AdminConfig, Admins};
use self::policies::Policies;
use self::refusals::Refusals;
use crate::audit::{Event, Journal, Kind};
use crate::cache::Cache;
use crate::identity::{Presented, Verifiers};
use crate::model::{
    AccessRequest, AccessTokenId, Clock, DecisionId, Permissions, ScopeMapName, Secret, TokenName,
};
use crate::policy::Context;
use crate::registry::{self, AccessToken, Registries};
use crate::store::Store;

pub use self::call::{Call, Peer};
pub use self::dependency::{Dependency, State};
pub use self::error::{Error, FieldViolation, Refusal};
pub use self::evidence::Report;
pub use self::limits::Config as LimitsConfig;
pub use self::manage::{LocalUser, Operator, Role};
pub use self::policies::Error as StartError;
pub use self::used_tokens::StoredUses;

/// How many counted refusals are appended at once: less than the journal's queue holds.
const APPENDS: usize = 256;

/// The broker.
#[derive(Debug)]
pub struct Broker {
    admins: Admins,
    cache: Cache<AccessToken, registry::Error>,
    /// Held by whoever changes the policy: changes are made one after the other.
    changing: tokio::sync::Mutex<()>,
    clock: Arc<dyn Clock>,
    /// How far it is from the store's.
    skew: ClockSkew,
    deadline: Duration,
    journal: Journal,
    limits: Limits,
    policies: Policies,
    refusals: Refusals,
    /// Reports of uses that are in the trail.
    reported: Recent,
    registries: Registries,
    store: Store,
    tasks: TaskTracker,
    verifiers: Verifiers,
    /// Taken by whoever verifies the whole trail.
    verifying: Arc<Semaphore>,
    /// Taken by those who replay the trail.
    replaying: Arc<Semaphore>,
    /// Taken by those who watch the trail.
    watching: Arc<Semaphore>,
}

/// What a broker is made of.
#[derive(Debug)]
pub struct Parts {
    /// Who may manage.
    pub admins: Vec<AdminConfig>,
    /// Access tokens for reuse.
    pub cache: Cache<AccessToken, registry::Error>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// What of the configuration bounds policy.
    pub context: Context,
    /// The audit journal.
    pub journal: Journal,
    /// Limits.
    pub limits: LimitsConfig,
    /// The registries.
    pub registries: Registries,
    /// Definitions and revocations.
    pub store: Store,
    /// Who is calling.
    pub verifiers: Verifiers,
}

/// An access token as it is handed out.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The access token.
    pub access_token: Arc<AccessToken>,
    /// It was handed out before.
    pub reused: bool,
}

/// What `IssueAccessToken` would have answered.
#[derive(Clone, Debug)]
pub struct Checked {
    /// Names the decision.
    pub decision_id: DecisionId,
    /// The token, the scope map and the end, when it would be allowed.
    pub allowed: Option<(TokenName, ScopeMapName, Timestamp)>,
}

/// What a docker client asks of the token endpoint.
#[derive(Clone, Debug)]
pub struct DockerTokenRequest {
    /// The `service` that names the registry.
    pub service: String,
    /// The repositories and actions of all scopes; empty for a login.
    pub permissions: Permissions,
    /// The `account`; when it and a Basic username are both there, they must agree.
    pub account: Option<String>,
    /// A refresh token is wanted.
    pub offline: bool,
    /// What was presented.
    pub presented: Presented,
    /// The refresh grant: the same refresh token goes back.
    pub refresh_grant: bool,
}

/// What the token endpoint answers.
#[derive(Clone, Debug)]
pub struct DockerToken {
    /// The JWT for the registry.
    pub jwt: Secret,
    /// How long it lasts, in whole seconds, at least 60.
    pub expires_in: u64,
    /// When it was signed.
    pub issue_time: Timestamp,
    /// What it lets through.
    pub granted: Permissions,
    /// The refresh token, where one was wanted and is due.
    pub refresh_token: Option<Secret>,
}

impl Broker {
    /// Makes the broker from its parts, with the policy that the store holds.
    pub async fn build(parts: Parts) -> Result<Arc<Self>, StartError> {
        let policies =
            Policies::load(parts.store.clone(), &parts.context, parts.clock.now()).await?;
        Ok(Arc::new(Self {
            admins: Admins::new(parts.admins),
            cache: parts.cache,
            changing: tokio::sync::Mutex::default(),
            clock: parts.clock,
            skew: ClockSkew::default(),
            deadline: Duration::from_secs(parts.limits.deadline_seconds.get().into()),
            journal: parts.journal,
            limits: Limits::new(&parts.limits),
            policies,
            refusals: Refusals::default(),
            reported: Recent::default(),
            registries: parts.registries,
            store: parts.store,
            tasks: TaskTracker::new(),
            verifiers: parts.verifiers,
            verifying: Arc::new(Semaphore::new(1)),
            replaying: Arc::new(Semaphore::new(MAX_REPLAYS)),
            watching: Arc::new(Semaphore::new(MAX_WATCHERS)),
        }))
    }

    /// Gives a credential for exactly the request, or refuses. The audit event of either is durable before this returns.
    pub async fn issue(
        self: &Arc<Self>,
        call: Call,
        presented: Presented,
        request: AccessRequest,
    ) -> Result<Issued, Refusal> {
        self.decide(call, issue::Issue { presented, request }).await
    }

    /// Says what [`Broker::issue`] would do; a denial by policy is an answer, every other refusal an error.
    pub async fn check(
        self: &Arc<Self>,
        call: Call,
        presented: Presented,
        request: AccessRequest,
    ) -> Result<Checked, Refusal> {
        self.decide(call, check::Check { presented, request }).await
    }

    /// Takes an access token back; tells when it would have ended.
    pub async fn revoke(
        self: &Arc<Self>,
        call: Call,
        presented: Presented,
        id: AccessTokenId,
    ) -> Result<Timestamp, Refusal> {
        self.decide(call, revoke::Revoke { presented, id }).await
    }

    /// Exchanges what a docker client presents for a registry's JWT: the part of the request that is allowed.
    pub async fn docker_token(
        self: &Arc<Self>,
        call: Call,
        request: DockerTokenRequest,
    ) -> Result<DockerToken, Refusal> {
        self.decide(call, docker_token::Exchange { request }).await
    }

    /// Records that a request was refused before it could be understood, and makes the refusal of it.
    pub async fn refuse_malformed(&self, call: Call, violations: Vec<FieldViolation>) -> Refusal {
        let error = match self.limits.address(call.peer) {
            Ok(()) => Error::InvalidRequest(violations),
            Err(error) => error,
        };
        self.refuse_early(Kind::Unreadable, &call, error).await
    }

    /// The registries, for the documents that the HTTP edge serves.
    pub const fn registries(&self) -> &Registries {
        &self.registries
    }

    /// Records that the program serves from now on.
    pub async fn open(&self) {
        self.note(Kind::Start).await;
    }

    /// Finishes and records what began, and closes the journal. Nothing is accepted after.
    pub async fn close(&self) {
        self.tasks.close();
        self.tasks.wait().await;
        self.cache.close().await;
        self.write_refusals(self.refusals.all(self.clock.now())).await;
        self.note(Kind::Stop).await;
        self.journal.close().await;
    }

    /// Records that the program began or ended. That it cannot does not keep it from either: nothing is handed out meanwhile.
    async fn note(&self, kind: Kind) {
        let now = self.clock.now();
        let event = Event {
            detail: Some(concat!("dockpass ", env!("CARGO_PKG_VERSION")).to_owned()),
            policy_revision: Some(self.policies.in_force().snapshot.revision()),
            ..Event::new(DecisionId::new(now), now, kind)
        };
        if let Err(error) = self.journal.append(event).await {
            tracing::error!(%kind, %error, "this is not in the audit trail");
        }
    }

    async fn write_refusals(&self, events: Vec<Event>) {
        let write = |event: Event| async {
            let (count, reason) = (event.count, event.reason);
            if let Err(error) = self.journal.append(event).await {
                tracing::error!(?count, ?reason, %error, "counted refusals are not in the audit trail");
            }
        };
        // together, since one after the other each would wait for a commit of its own
        stream::iter(events).for_each_concurrent(APPENDS, write).await;
    }
}
