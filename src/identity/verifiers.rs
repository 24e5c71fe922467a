//! The front: which kind of proof something presented is, and who looks at it.

use std::sync::Arc;

use super::oidc::{Oidc, UsedTokens, Workload};
use super::{
    Bearer, Check, Error, Identity, IssuerConfig, Kind, PasswordHolder, PasswordIndex, Presented,
};
use crate::model::{Clock, PasswordSecret, Secret};
use crate::seal::{InvalidSession, KeyRing, Session};

/// Verifies what callers present.
#[derive(Debug)]
pub struct Verifiers {
    oidc: Oidc,
    ring: Arc<KeyRing>,
    clock: Arc<dyn Clock>,
}

/// What a secret says it is, by how it starts.
enum Form {
    Password,
    Session,
    Token,
}

impl Verifiers {
    /// Makes the verifiers of the configured issuers. Nothing is fetched yet.
    ///
    /// # Errors
    /// Two issuers of one name, no audience, an unreadable key or CA file: with the issuer named.
    pub fn build(
        issuers: Vec<IssuerConfig>,
        ring: Arc<KeyRing>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        Ok(Self { oidc: Oidc::build(issuers, Arc::clone(&clock))?, ring, clock })
    }

    /// Remembers there, for all processes, which tokens of single use were used; without, only this process knows.
    #[must_use]
    pub fn sharing_used_tokens(mut self, shared: Arc<dyn UsedTokens>) -> Self {
        self.oidc.share_used_tokens(shared);
        self
    }

    /// The identity of a docker client that presents nothing, where the registry's operator allows that.
    #[expect(clippy::unused_self, reason = "only who holds the verifiers makes an identity")]
    pub const fn anonymous(&self) -> Identity {
        Identity(Kind::Anonymous)
    }

    /// Verifies the caller of an API: an identity token as bearer, or a token's name and password.
    /// A session is not an identity here.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Invalid`], or [`Error::IssuerUnavailable`].
    pub async fn verify_caller(
        &self,
        presented: &Presented,
        passwords: &PasswordIndex,
    ) -> Result<Identity, Error> {
        match presented {
            Presented::Nothing => Err(Error::Missing),
            Presented::Unreadable(problem) => Err(Check::Unreadable(problem).into()),
            Presented::Bearer(bearer) => match Form::of(bearer.secret()) {
                Form::Password => Err(Check::PasswordMisplaced.into()),
                Form::Session => Err(Check::SessionMisplaced.into()),
                Form::Token => self.bearer(bearer).await,
            },
            Presented::Basic { username, password } => match Form::of(password) {
                Form::Password => self.password(username, password, passwords),
                Form::Session => Err(Check::SessionMisplaced.into()),
                Form::Token => Err(Check::PasswordMalformed.into()),
            },
        }
    }

    /// Verifies what a docker client presents: besides the above, a session as password or as refresh token (`Bearer`),
    /// and an identity token as password, whatever the username.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Invalid`], or [`Error::IssuerUnavailable`].
    pub async fn verify_docker_client(
        &self,
        presented: &Presented,
        passwords: &PasswordIndex,
    ) -> Result<Identity, Error> {
        match presented {
            Presented::Nothing => Err(Error::Missing),
            Presented::Unreadable(problem) => Err(Check::Unreadable(problem).into()),
            Presented::Bearer(bearer) => match Form::of(bearer.secret()) {
                Form::Password => Err(Check::PasswordMisplaced.into()),
                Form::Session => self.session(bearer.secret()),
                Form::Token => self.bearer(bearer).await,
            },
            Presented::Basic { username, password } => match Form::of(password) {
                Form::Password => self.password(username, password, passwords),
                Form::Session => self.session(password),
                Form::Token => Ok(workload(self.oidc.verify(password.expose()).await?)),
            },
        }
    }

    /// Frees what is kept of identity tokens that are not valid any more. It looks at all of them.
    pub fn forget_ended(&self) {
        self.oidc.forget_ended();
    }

    async fn bearer(&self, bearer: &Bearer) -> Result<Identity, Error> {
        let verified = self.oidc.verify_bearer(bearer).await?;
        bearer.verified();
        Ok(workload(verified))
    }

    fn password(
        &self,
        username: &str,
        password: &Secret,
        passwords: &PasswordIndex,
    ) -> Result<Identity, Error> {
        let holder = PasswordHolder::verify(username, password, passwords, self.clock.now())?;
        Ok(Identity(Kind::Password(holder)))
    }

    fn session(&self, sealed: &Secret) -> Result<Identity, Error> {
        match Session::open(sealed.expose(), &self.ring) {
            Ok(session) => Ok(Identity(Kind::Session(Arc::new(session)))),
            Err(InvalidSession::Seal) => Err(Check::SessionSeal.into()),
            Err(InvalidSession::Malformed | InvalidSession::TooLarge) => {
                Err(Check::SessionMalformed.into())
            }
        }
    }
}

const fn workload(verified: Workload) -> Identity {
    Identity(Kind::Workload(verified))
}

impl Form {
    fn of(secret: &Secret) -> Self {
        if secret.expose().starts_with(PasswordSecret::PREFIX) {
            Self::Password
        } else if secret.expose().starts_with(Session::PREFIX) {
            Self::Session
        } else {
            Self::Token
        }
    }
}
