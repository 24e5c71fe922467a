//! The proof that policy allows something.

use jiff::Timestamp;

use super::ReuseKey;
use super::reuse_key::Fields;
use crate::model::{
    CredentialRef, Form, Lifetime, Permissions, RegistryName, RegistryUid, ScopeMapName, TokenName,
    TokenUid,
};

/// The proof that policy allows an identity these permissions for this long. Made only by a decision.
#[derive(Clone, Debug)]
pub struct Permit {
    pub(super) registry: RegistryName,
    pub(super) registry_uid: RegistryUid,
    pub(super) token: TokenUid,
    pub(super) token_name: TokenName,
    pub(super) scope_map: ScopeMapName,
    pub(super) credential: CredentialRef,
    pub(super) holder: String,
    pub(super) permissions: Permissions,
    pub(super) issue_time: Timestamp,
    pub(super) lifetime: Lifetime,
    pub(super) form: Form,
    pub(super) reusable: Fields,
    pub(super) policy_revision: u64,
}

impl Permit {
    /// The registry.
    pub const fn registry(&self) -> &RegistryName {
        &self.registry
    }
    /// What sessions call the registry.
    pub const fn registry_uid(&self) -> RegistryUid {
        self.registry_uid
    }
    /// The token that is acted as.
    pub const fn token(&self) -> TokenUid {
        self.token
    }
    /// Its name.
    pub const fn token_name(&self) -> &TokenName {
        &self.token_name
    }
    /// The scope map that allows it.
    pub const fn scope_map(&self) -> &ScopeMapName {
        &self.scope_map
    }
    /// The credential of the token that admitted the identity.
    pub const fn credential(&self) -> &CredentialRef {
        &self.credential
    }
    /// Whom it is given to: issuer and subject, or the token's name.
    pub fn holder(&self) -> &str {
        &self.holder
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
        self.reusable.key()
    }
    /// The policy revision that allowed it.
    pub const fn policy_revision(&self) -> u64 {
        self.policy_revision
    }
}
