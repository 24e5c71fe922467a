//! Gets the credential: from a permit to an [`AccessToken`] that lets through exactly the permit.

mod access_token;
mod check;
mod config;
pub mod distribution;
mod error;
#[cfg(test)]
mod for_test;
mod notifications_token;
mod registries;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::cache::Sharing;
use crate::model::{AccessTokenId, Permissions, RegistryName, RegistryUid, Secret};
use crate::policy::{Permit, RegistryBounds};

pub use self::access_token::AccessToken;
pub use self::check::{Finding, Level};
pub use self::config::{Config, Dependencies, DriverName, KeyReference, KeysConfig, WithoutRoot};
pub use self::error::Error;
pub use self::notifications_token::NotificationsToken;
pub use self::registries::Registries;

/// Turns a permit into a credential of one kind of registry.
#[async_trait]
pub trait Driver: fmt::Debug + Send + Sync {
    /// Its name, as in the configuration.
    fn name(&self) -> &'static str;

    /// The most actions, all patterns together, of one scope map that the registry can take; none = it does not see scope maps.
    fn most_actions(&self) -> Option<usize> {
        None
    }

    /// What it costs to mint.
    fn minting(&self) -> Minting;

    /// Mints a credential that lets through exactly the permit. `id` names it for ever.
    ///
    /// Whoever asks may go away in between; what was minted elsewhere by then is the driver's to take back.
    ///
    /// # Errors
    /// [`Error::NotEnforceable`] for what the registry cannot express; never something wider.
    async fn issue(&self, permit: &Permit<'_>, id: AccessTokenId) -> Result<AccessToken, Error>;

    /// Takes back, where it was minted, a credential that nobody was given. What dockpass itself mints needs that not: unless it is
    /// handed out, nobody has it.
    ///
    /// # Errors
    /// It cannot be taken back, or not now: it ends by itself.
    async fn withdraw(&self, access_token: &AccessToken) -> Result<(), Error> {
        let _minted_here = access_token;
        Ok(())
    }

    /// Says whether [`Driver::issue`] could mint what the permit allows.
    fn enforceable(&self, permit: &Permit<'_>) -> Result<(), Error>;

    /// The docker token endpoint's side, for registries whose token server is dockpass.
    fn token_server(&self) -> Option<&dyn TokenServer>;

    /// Looks whether the registry is set up for dockpass, and what goes around the broker. Never changes anything.
    async fn check(&self) -> Vec<Finding>;
}

/// What it costs a driver to mint.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Minting {
    /// A signature, or a seal: microseconds, and nobody is asked.
    Local,
    /// The registry, or whoever stands before it, is asked, and keeps what it gave: one replica does that at a time.
    Remote,
}

/// Mints what a registry accepts in exchange for an identity or a session.
pub trait TokenServer: fmt::Debug + Send + Sync {
    /// The `service` that the registry announces.
    fn service(&self) -> &str;

    /// Mints a JWT for what the permit allows; `subject` is what the registry logs.
    fn registry_token(
        &self,
        permit: &Permit<'_>,
        subject: AccessTokenId,
    ) -> Result<RegistryToken, Error>;

    /// Seals a session that a docker client keeps as refresh token: it allows what the token's scope map allows at each exchange.
    fn refresh_token(&self, permit: &Permit<'_>, id: AccessTokenId) -> Result<Secret, Error>;

    /// The block for the registry's own configuration (YAML) that sends its clients to dockpass and trusts its keys.
    fn config_yaml(&self) -> String;

    /// The certificates (PEM) that the registry must trust: its `rootcertbundle`.
    fn bundle_pem(&self) -> String;
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
    /// The secret with which it sends its notifications; none are taken without.
    pub notifications_token: Option<NotificationsToken>,
    /// Who may find its access tokens for reuse.
    pub sharing: Sharing,
    /// Its driver.
    pub driver: Arc<dyn Driver>,
}
