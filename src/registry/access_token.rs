//! What is handed out.

mod shared;

use jiff::Timestamp;

use crate::cache::Expires;
use crate::model::{AccessTokenId, Permissions, RegistryName, ScopeMapName, Secret, TokenName};

/// A short-lived credential for one set of permissions. Made only by a driver, from a permit; or out of the seal under which a replica kept
/// what its driver had made.
#[derive(Clone, Debug)]
pub struct AccessToken {
    pub(super) id: AccessTokenId,
    pub(super) registry: RegistryName,
    pub(super) registry_host: String,
    pub(super) token_name: TokenName,
    pub(super) scope_map: ScopeMapName,
    pub(super) permissions: Permissions,
    pub(super) issue_time: Timestamp,
    pub(super) expire_time: Timestamp,
    pub(super) username: String,
    pub(super) password: Secret,
    pub(super) bearer_token: Option<Secret>,
}

impl AccessToken {
    /// Names it for ever: the id of the decision that minted it.
    pub const fn id(&self) -> AccessTokenId {
        self.id
    }
    /// The registry.
    pub const fn registry(&self) -> &RegistryName {
        &self.registry
    }
    /// The host before the repositories.
    pub fn registry_host(&self) -> &str {
        &self.registry_host
    }
    /// The token that was acted as.
    pub const fn token_name(&self) -> &TokenName {
        &self.token_name
    }
    /// The scope map that allowed it.
    pub const fn scope_map(&self) -> &ScopeMapName {
        &self.scope_map
    }
    /// What it lets through.
    pub const fn permissions(&self) -> &Permissions {
        &self.permissions
    }
    /// When it was minted.
    pub const fn issue_time(&self) -> Timestamp {
        self.issue_time
    }
    /// The username for docker clients.
    pub fn username(&self) -> &str {
        &self.username
    }
    /// The password for docker clients.
    pub const fn password(&self) -> &Secret {
        &self.password
    }
    /// The form that is sent to the registry directly, where it was asked for. A registry asks nobody whether it was revoked, so it lives
    /// no longer than a JWT may ([`Config::jwt_lifetime`](super::Config::jwt_lifetime)), and the password beside it neither.
    pub const fn bearer_token(&self) -> Option<&Secret> {
        self.bearer_token.as_ref()
    }
}

#[cfg(test)]
impl AccessToken {
    /// One that no driver made.
    pub(crate) fn for_test(permit: &crate::policy::Permit<'_>, id: AccessTokenId) -> Self {
        Self {
            id,
            registry: permit.registry().clone(),
            registry_host: "localhost:5000".to_owned(),
            token_name: permit.token_name().clone(),
            scope_map: permit.scope_map().clone(),
            permissions: permit.permissions().clone(),
            issue_time: permit.issue_time(),
            expire_time: permit.expire_time(),
            username: permit.token_name().to_string(),
            password: Secret::new("dps_canary"),
            bearer_token: None,
        }
    }
}

impl Expires for AccessToken {
    fn issue_time(&self) -> Timestamp {
        self.issue_time
    }

    /// When all of it ends: with the bearer token, where there is one.
    fn expire_time(&self) -> Timestamp {
        self.expire_time
    }
}
