//! The use cases, and the only place that knows the order of their steps.

mod call;
mod error;
mod limits;

use std::sync::Arc;

use jiff::Timestamp;

use crate::identity::Presented;
use crate::model::{
    AccessRequest, AccessTokenId, DecisionId, Permissions, ScopeMapName, Secret, TokenName,
};
use crate::registry::{AccessToken, Registries};

pub use self::call::{Call, Peer};
pub use self::error::{Error, FieldViolation, Refusal};
pub use self::limits::Config as LimitsConfig;

/// The broker.
#[derive(Debug)]
pub struct Broker {}

/// An access token as it is handed out.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The access token.
    pub access_token: Arc<AccessToken>,
    /// It was handed out before.
    pub reused: bool,
}

/// What IssueAccessToken would have answered.
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
    /// Gives a credential for exactly the request, or refuses. The audit event of either is durable before this returns.
    pub async fn issue(
        self: &Arc<Self>,
        call: Call,
        presented: Presented,
        request: AccessRequest,
    ) -> Result<Issued, Refusal> {
        todo!()
    }

    /// Says what [`Broker::issue`] would do; a denial by policy is an answer, every other refusal an error.
    pub async fn check(
        self: &Arc<Self>,
        call: Call,
        presented: Presented,
        request: AccessRequest,
    ) -> Result<Checked, Refusal> {
        todo!()
    }

    /// Takes an access token back; tells when it would have ended.
    pub async fn revoke(
        self: &Arc<Self>,
        call: Call,
        presented: Presented,
        id: AccessTokenId,
    ) -> Result<Timestamp, Refusal> {
        todo!()
    }

    /// Exchanges what a docker client presents for a registry's JWT: the part of the request that is allowed.
    pub async fn docker_token(
        self: &Arc<Self>,
        call: Call,
        request: DockerTokenRequest,
    ) -> Result<DockerToken, Refusal> {
        todo!()
    }

    /// Records that a request was refused before it could be understood (malformed, or over a limit of an edge).
    pub async fn refuse_malformed(
        self: &Arc<Self>,
        call: Call,
        violations: Vec<FieldViolation>,
    ) -> Refusal {
        todo!()
    }

    /// The registries, for the documents that the HTTP edge serves.
    pub fn registries(&self) -> &Registries {
        todo!()
    }

    /// True while requests can be answered: the audit journal can be written.
    pub fn is_ready(&self) -> bool {
        todo!()
    }
}
