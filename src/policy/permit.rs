//! The proof that policy allows something.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use super::admission::ANONYMOUS;
use super::bounds::Bounds;
use super::registry::Boundary;
use super::{RegistryBounds, ReuseKey, reuse_key};
use crate::identity::Workload;
use crate::model::{
    CredentialRef, Form, Lifetime, Permissions, RegistryName, RegistryUid, ScopeMapName, Token,
    TokenName, TokenUid,
};
use crate::seal::Session;

/// The proof that policy allows an identity these permissions for this long. Made only by a decision.
///
/// It shares what it tells of with the snapshot and the identity, so that making one costs next to nothing.
#[derive(Clone)]
pub struct Permit {
    pub(super) registry: Arc<RegistryBounds>,
    pub(super) token: Arc<Token>,
    pub(super) boundary: Arc<Boundary>,
    pub(super) credential: CredentialRef,
    pub(super) bearer: Bearer,
    pub(super) permissions: Permissions,
    pub(super) issue_time: Timestamp,
    pub(super) bounds: Bounds,
    pub(super) lifetime: Lifetime,
    pub(super) form: Form,
    pub(super) policy_revision: u64,
}

/// Who was admitted.
#[derive(Clone)]
pub(super) enum Bearer {
    Anonymous,
    Workload(Workload),
    Password,
    Session(Arc<Session>),
}

impl Permit {
    /// The registry.
    pub fn registry(&self) -> &RegistryName {
        &self.registry.name
    }
    /// What sessions call the registry.
    pub fn registry_uid(&self) -> RegistryUid {
        self.registry.uid
    }
    /// The token that is acted as.
    pub fn token(&self) -> TokenUid {
        self.token.uid
    }
    /// Its name.
    pub fn token_name(&self) -> &TokenName {
        &self.token.name
    }
    /// The scope map that allows it.
    pub fn scope_map(&self) -> &ScopeMapName {
        &self.boundary.scope_map.name
    }
    /// The credential of the token that admitted the identity.
    pub const fn credential(&self) -> &CredentialRef {
        &self.credential
    }
    /// Whom it is given to: issuer and subject, or the token's name. Put together at each call.
    pub fn holder(&self) -> String {
        match &self.bearer {
            Bearer::Anonymous => ANONYMOUS.to_owned(),
            Bearer::Workload(workload) => {
                [workload.issuer().as_str(), " ", workload.subject()].concat()
            }
            Bearer::Password => self.token.name.to_string(),
            Bearer::Session(session) => session.holder.clone(),
        }
    }
    /// What is allowed; never wider than the request nor the scope map.
    pub const fn permissions(&self) -> &Permissions {
        &self.permissions
    }
    /// The time of the decision.
    pub const fn issue_time(&self) -> Timestamp {
        self.issue_time
    }
    /// How long, from the time of the decision; the least of all bounds.
    pub const fn lifetime(&self) -> Lifetime {
        self.lifetime
    }
    /// When it ends.
    pub fn expire_time(&self) -> Timestamp {
        self.issue_time.saturating_add(self.lifetime.as_duration()).unwrap_or(Timestamp::MAX)
    }
    /// The forms of credential asked for.
    pub const fn form(&self) -> Form {
        self.form
    }
    /// What an access token that was handed out before must share with this permit to be handed out again.
    /// Hashed at each call.
    pub fn reuse_key(&self) -> ReuseKey {
        reuse_key::of(self)
    }
    /// The policy revision that allowed it.
    pub const fn policy_revision(&self) -> u64 {
        self.policy_revision
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit")
            .field("registry", self.registry())
            .field("token", self.token_name())
            .field("scope_map", self.scope_map())
            .field("credential", &self.credential)
            .field("permissions", &self.permissions)
            .field("issue_time", &self.issue_time)
            .field("lifetime", &self.lifetime)
            .field("form", &self.form)
            .field("policy_revision", &self.policy_revision)
            .finish_non_exhaustive()
    }
}
