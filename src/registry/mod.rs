//! Gets the credential: from a permit to an [`AccessToken`] that lets through exactly the permit.

mod access_token;
mod config;
pub mod distribution;
mod error;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::model::{AccessTokenId, Permissions, RegistryName, RegistryUid, Secret};
use crate::policy::{Permit, RegistryBounds};

pub use self::access_token::AccessToken;
pub use self::config::{Config, Dependencies, KeysConfig};
pub use self::error::Error;

/// Turns a permit into a credential of one kind of registry.
#[async_trait]
pub trait Driver: fmt::Debug + Send + Sync {
    /// Mints a credential that lets through exactly the permit. `id` names it for ever.
    ///
    /// # Errors
    /// [`Error::NotEnforceable`] for what the registry cannot express; never something wider.
    async fn issue(&self, permit: &Permit, id: AccessTokenId) -> Result<AccessToken, Error>;

    /// Says whether [`Driver::issue`] could mint what the permit allows.
    fn enforceable(&self, permit: &Permit) -> Result<(), Error>;

    /// The docker token endpoint's side, for registries whose token server is dockpass.
    fn token_server(&self) -> Option<&dyn TokenServer>;
}

/// Mints what a registry accepts in exchange for an identity or a session.
pub trait TokenServer: fmt::Debug + Send + Sync {
    /// The `service` that the registry announces.
    fn service(&self) -> &str;

    /// Mints a JWT for what the permit allows; `subject` is what the registry logs.
    fn registry_token(
        &self,
        permit: &Permit,
        subject: AccessTokenId,
    ) -> Result<RegistryToken, Error>;

    /// Seals a session that a docker client keeps as refresh token: it allows what the token's scope map allows at each exchange.
    fn refresh_token(&self, permit: &Permit, id: AccessTokenId) -> Result<Secret, Error>;
}

/// A JWT that the registry accepts.
#[derive(Clone, Debug)]
pub struct RegistryToken {
    /// The JWT.
    pub jwt: Secret,
    /// How long it lasts, in whole seconds, at least 60.
    pub expires_in: u64,
    /// When it was signed.
    pub issue_time: jiff::Timestamp,
    /// What it lets through.
    pub granted: Permissions,
}

/// One configured registry.
#[derive(Clone, Debug)]
pub struct Registry {
    /// Its name.
    pub name: RegistryName,
    /// The host before its repositories, such as `localhost:5000`.
    pub host: String,
    /// What sessions call it.
    pub uid: RegistryUid,
    /// How it bounds lifetimes.
    pub bounds: RegistryBounds,
    /// Whether pulls without any credential are answered.
    pub anonymous: bool,
    /// Its driver.
    pub driver: Arc<dyn Driver>,
}

/// The configured registries.
#[derive(Clone, Debug)]
pub struct Registries {}

impl Registries {
    /// Makes the drivers.
    ///
    /// # Errors
    /// Two registries of one name or service, unusable keys: with the registry or file named.
    pub fn build(
        configs: Vec<Config>,
        keys: KeysConfig,
        deps: Dependencies,
    ) -> Result<Self, Error> {
        todo!()
    }

    /// A registry by its name.
    pub fn get(&self, name: &RegistryName) -> Option<&Registry> {
        todo!()
    }

    /// The registry whose token server answers for `service`.
    pub fn by_service(&self, service: &str) -> Option<&Registry> {
        todo!()
    }

    /// All registries, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Registry> {
        std::iter::empty()
    }

    /// The public keys of kid mode as a JWK set (RFC 7517); no keys in x5c mode.
    pub fn jwks(&self) -> serde_json::Value {
        todo!()
    }

    /// The root certificate of x5c mode, PEM; empty when no registry uses it.
    pub fn root_certificate_pem(&self) -> String {
        todo!()
    }
}
