//! The proof that policy allows something.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;

use super::admission::{ANONYMOUS, Grounds};
use super::boundaries::Boundary;
use super::bounds::Bounds;
use super::{RegistryBounds, ReuseKey, reuse_key};
use crate::model::{
    CredentialRef, Form, Lifetime, Permissions, RegistryName, RegistryUid, ScopeMapName, Token,
    TokenName, TokenUid,
};

/// The proof that policy allows an identity these permissions for this long. Made only by a decision.
///
/// It borrows what it tells of from the snapshot, the identity and the request: making one costs next to nothing, and none
/// outlives what it was decided by.
#[derive(Clone)]
pub struct Permit<'a> {
    pub(super) registry: &'a RegistryBounds,
    pub(super) token: &'a Token,
    pub(super) boundary: &'a Boundary,
    pub(super) grounds: Grounds<'a>,
    pub(super) permissions: Cow<'a, Permissions>,
    pub(super) issue_time: Timestamp,
    pub(super) bounds: Bounds,
    pub(super) lifetime: Lifetime,
    pub(super) form: Form,
    pub(super) policy_revision: u64,
}

impl Permit<'_> {
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
    pub fn credential(&self) -> CredentialRef {
        self.grounds.credential()
    }
    /// Whom it is given to: issuer and subject, or the token's name. Put together at each call.
    pub fn holder(&self) -> String {
        match self.grounds {
            Grounds::Anonymous => ANONYMOUS.to_owned(),
            Grounds::Workload(workload, _) => {
                [workload.issuer().as_str(), " ", workload.subject()].concat()
            }
            Grounds::Password(_) => self.token.name.to_string(),
            Grounds::Session(session, _) => session.holder.clone(),
        }
    }
    /// What is allowed; never wider than the request nor the scope map.
    pub fn permissions(&self) -> &Permissions {
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

impl fmt::Debug for Permit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit")
            .field("registry", self.registry())
            .field("token", self.token_name())
            .field("scope_map", self.scope_map())
            .field("credential", &self.credential())
            .field("permissions", &self.permissions)
            .field("issue_time", &self.issue_time)
            .field("lifetime", &self.lifetime)
            .field("form", &self.form)
            .field("policy_revision", &self.policy_revision)
            .finish_non_exhaustive()
    }
}
