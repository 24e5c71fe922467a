//! The record of one decision or one change. Its format is the final one: everything later reads it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Deed, Use};
use crate::model::{
    AccessRequest, AccessTokenId, Claims, CredentialRef, DecisionId, Form, JsonObject, Lifetime,
    Permissions, Reason, RegistryName, Reuse, ScopeMapName, TokenName, TokenUid,
};

/// One audit event.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// Names the decision.
    pub id: DecisionId,
    /// When it was made.
    pub time: Timestamp,
    /// What was asked for.
    pub kind: Kind,
    /// Why it was refused; absent = it was allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// What an operator should know and the caller was not told: the check that failed, the cause of a denial.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The address of the caller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
    /// The trace that the call belongs to (W3C `traceparent`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// What was verified of the caller (`identity::Evidence` without the claims).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<JsonObject>,
    /// The verified claims, which the journal keeps once per content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claims: Option<Claims>,
    /// The decision that this one takes the place of, because the policy changed before it was answered: what that one gave was not handed out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supersedes: Option<DecisionId>,
    /// What was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestRecord>,
    /// The policy revision that decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_revision: Option<u64>,
    /// What was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant: Option<Grant>,
    /// Of a change: what it did to which definition, with before and after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<Value>,
    /// How many refusals an aggregated event stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Of a use that a registry reported: what was pushed or pulled, and what allowed it.
    #[serde(rename = "use", skip_serializing_if = "Option::is_none")]
    pub usage: Option<Use>,
}

/// What an event is about.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// `CheckAccess`.
    Check,
    /// A docker client's exchange at the token endpoint.
    Exchange,
    /// `IssueAccessToken`.
    Issue,
    /// Something that operators can read; only what was refused is recorded.
    ManagementRead,
    /// A registry's report of uses that was refused.
    Notification,
    /// A change of policy.
    PolicyChange,
    /// Old events were deleted from the journal.
    Prune,
    /// A registry reported that content was deleted.
    RegistryDelete,
    /// A registry reported that content of one repository was linked into another.
    RegistryMount,
    /// A registry reported that content was read.
    RegistryPull,
    /// A registry reported that content was written.
    RegistryPush,
    /// Several refusals of one source and reason, as one event with a count.
    Refusals,
    /// `RevokeAccessToken`.
    Revoke,
    /// The program began to serve.
    Start,
    /// The program ended in order.
    Stop,
    /// A request that could not be understood.
    Unreadable,
}

impl Kind {
    /// The word for it, in lower snake case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Exchange => "exchange",
            Self::Issue => "issue",
            Self::ManagementRead => "management_read",
            Self::Notification => "notification",
            Self::PolicyChange => "policy_change",
            Self::Prune => "prune",
            Self::RegistryDelete => "registry_delete",
            Self::RegistryMount => "registry_mount",
            Self::RegistryPull => "registry_pull",
            Self::RegistryPush => "registry_push",
            Self::Refusals => "refusals",
            Self::Revoke => "revoke",
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Unreadable => "unreadable",
        }
    }
}

impl Kind {
    /// What was done, when it is a registry's report.
    pub const fn deed(self) -> Option<Deed> {
        match self {
            Self::RegistryDelete => Some(Deed::Delete),
            Self::RegistryMount => Some(Deed::Mount),
            Self::RegistryPull => Some(Deed::Pull),
            Self::RegistryPush => Some(Deed::Push),
            _ => None,
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What was asked for, in the normal form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestRecord {
    /// The registry, as it was named (of a docker client: the one of the service).
    pub registry: RegistryName,
    /// The permissions.
    pub permissions: Permissions,
    /// The lifetime wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifetime: Option<Lifetime>,
    /// The token to act as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_name: Option<TokenName>,
    /// With a bearer token.
    #[serde(default)]
    pub with_bearer_token: bool,
    /// An access token of an earlier decision was not wanted.
    #[serde(default)]
    pub fresh: bool,
}

impl RequestRecord {
    /// The request, as far as it has a part in what is allowed.
    pub fn to_request(&self) -> AccessRequest {
        AccessRequest {
            registry: self.registry.clone(),
            permissions: self.permissions.clone(),
            lifetime: self.lifetime,
            token_name: self.token_name.clone(),
            form: if self.with_bearer_token { Form::PasswordAndBearer } else { Form::Password },
            reuse: if self.fresh { Reuse::Never } else { Reuse::default() },
        }
    }
}

/// What was given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Grant {
    /// The access token; also the `sub` that the registry logs.
    pub access_token: AccessTokenId,
    /// The token that was acted as.
    pub token: TokenUid,
    /// Its name.
    pub token_name: TokenName,
    /// The scope map that allowed it.
    pub scope_map: ScopeMapName,
    /// The credential that admitted the identity.
    pub credential: CredentialRef,
    /// What it lets through.
    pub permissions: Permissions,
    /// When it ends.
    pub expire_time: Timestamp,
    /// It was handed out before.
    #[serde(default)]
    pub reused: bool,
}

impl Event {
    /// The registry that it is about; none = it is about dockpass itself, or nobody was understood.
    pub fn registry(&self) -> Option<&str> {
        let of_change = || self.change.as_ref()?.get("registry")?.as_str();
        let of_use = self.usage.as_ref().map(|usage| usage.registry.as_str());
        let of_request = self.request.as_ref().map(|request| request.registry.as_str());
        of_request.or(of_use).or_else(of_change)
    }

    /// An event that says nothing yet but what, when and by which id.
    pub const fn new(id: DecisionId, time: Timestamp, kind: Kind) -> Self {
        Self {
            id,
            time,
            kind,
            reason: None,
            detail: None,
            peer: None,
            trace: None,
            identity: None,
            claims: None,
            supersedes: None,
            request: None,
            policy_revision: None,
            grant: None,
            change: None,
            count: None,
            usage: None,
        }
    }
}
