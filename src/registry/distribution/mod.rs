//! The driver of the CNCF distribution registry: dockpass is its token server.

mod access;
mod jwt;
pub(super) mod keys;
mod trust;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use self::access::{enforceable, refuse_unenforceable};
use self::jwt::{Claims, Life};
use self::keys::{Signer, SigningThread, Unsigned};
use super::{
    AccessToken, Config, Dependencies, Driver, Error, Finding, Minting, RegistryToken, TokenServer,
    check,
};
use crate::model::{AccessTokenId, Clock, Form, Lifetime, Permissions, Secret};
use crate::policy::Permit;
use crate::seal::{Ceiling, InvalidSession, KeyRing, Session};

/// Mints sessions for docker clients, and the JWTs that they are exchanged for.
#[derive(Debug)]
pub struct Distribution {
    pub(super) config: Config,
    pub(super) signer: Signer,
    pub(super) deps: Dependencies,
    pub(super) signing: Arc<SigningThread>,
}

impl Distribution {
    fn clock(&self) -> &Arc<dyn Clock> {
        &self.deps.clock
    }

    fn ring(&self) -> &KeyRing {
        &self.deps.ring
    }

    /// A JWT for all of `permissions` that lacks its signature, and when it ends.
    fn unsigned(
        &self,
        permit: &Permit<'_>,
        subject: AccessTokenId,
        permissions: &Permissions,
    ) -> Result<(Unsigned, Life), Error> {
        let life = Life::new(permit.issue_time(), permit.expire_time(), self.config.jwt_lifetime());
        let names = (self.config.token_issuer.as_str(), self.config.service.as_str());
        let claims = Claims::new(names, subject, permissions, life)?;
        Ok((self.signer.unsigned(&claims, self.clock().now())?, life))
    }

    /// Claims that allow nothing, for a minute: a registry accepts them at `/v2/` and nowhere else.
    ///
    /// # Errors
    /// No random numbers.
    pub(super) fn claims_of_nothing(&self, now: Timestamp) -> Result<Claims<'_>, Error> {
        let minute = Lifetime::MIN.as_duration();
        let end = now.saturating_add(minute).unwrap_or(Timestamp::MAX);
        let names = (self.config.token_issuer.as_str(), self.config.service.as_str());
        let life = Life::new(now, end, minute);
        Claims::new(names, AccessTokenId::new(now), &Permissions::default(), life)
    }

    fn session(
        &self,
        permit: &Permit<'_>,
        id: AccessTokenId,
        ceiling: Ceiling,
        end: Timestamp,
    ) -> Result<Secret, Error> {
        let session = Session {
            id,
            registry: permit.registry_uid(),
            token: permit.token(),
            credential: permit.credential(),
            holder: permit.holder(),
            ceiling,
            expire_time: end,
        };
        session.seal(self.ring()).map_err(|error| match error {
            InvalidSession::TooLarge => Error::NotEnforceable { hint: error.to_string() },
            InvalidSession::Malformed | InvalidSession::Seal => {
                Error::Internal("a session cannot be sealed".to_owned())
            }
        })
    }
}

#[async_trait]
impl Driver for Distribution {
    fn name(&self) -> &'static str {
        self.config.driver.as_str()
    }

    fn minting(&self) -> Minting {
        Minting::Local
    }

    /// With a bearer token asked for, all of the access token ends with it, after the life of a JWT at the latest: one `expire_time` is
    /// true for the whole, and what is reused is never half dead.
    async fn issue(&self, permit: &Permit<'_>, id: AccessTokenId) -> Result<AccessToken, Error> {
        self.enforceable(permit)?;
        let permissions = permit.permissions();
        let (bearer_token, expire_time) = match permit.form() {
            Form::Password => (None, permit.expire_time()),
            Form::PasswordAndBearer => {
                let (jwt, life) = self.unsigned(permit, id, permissions)?;
                (Some(self.signing.sign(jwt).await?), seconds(life.exp)?)
            }
        };
        let ceiling = Ceiling::Permissions(permissions.clone());
        Ok(AccessToken {
            id,
            registry: permit.registry().clone(),
            registry_host: self.config.host.clone(),
            token_name: permit.token_name().clone(),
            scope_map: permit.scope_map().clone(),
            permissions: permissions.clone(),
            issue_time: permit.issue_time(),
            expire_time,
            username: permit.token_name().as_str().to_owned(),
            password: self.session(permit, id, ceiling, expire_time)?,
            bearer_token,
        })
    }

    fn enforceable(&self, permit: &Permit<'_>) -> Result<(), Error> {
        refuse_unenforceable(permit.permissions()).map_err(|hint| Error::NotEnforceable { hint })
    }

    fn token_server(&self) -> Option<&dyn TokenServer> {
        Some(self)
    }

    async fn check(&self) -> Vec<Finding> {
        check::run(self).await
    }
}

impl TokenServer for Distribution {
    fn service(&self) -> &str {
        &self.config.service
    }

    fn registry_token(
        &self,
        permit: &Permit<'_>,
        subject: AccessTokenId,
    ) -> Result<RegistryToken, Error> {
        let granted = enforceable(permit.permissions());
        let (jwt, life) = self.unsigned(permit, subject, &granted)?;
        Ok(RegistryToken {
            jwt: jwt.sign()?,
            expires_in: life.seconds(),
            issue_time: seconds(life.iat)?,
            granted,
        })
    }

    fn refresh_token(&self, permit: &Permit<'_>, id: AccessTokenId) -> Result<Secret, Error> {
        self.session(permit, id, Ceiling::ScopeMap, permit.expire_time())
    }

    fn config_yaml(&self) -> String {
        trust::config_yaml(&self.config, &self.deps.external_url)
    }

    fn bundle_pem(&self) -> String {
        self.signer.bundle_pem()
    }
}

fn seconds(since_1970: i64) -> Result<Timestamp, Error> {
    Timestamp::from_second(since_1970)
        .map_err(|_| Error::Internal("a time is out of range".to_owned()))
}

#[cfg(test)]
mod tests;
