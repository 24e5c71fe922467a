//! Who is calling: from what a caller presents to an [`Identity`], the first proof of a request.
//!
//! An [`Identity`] can be made only here. What it may do is the business of `policy`.

mod bearer;
mod config;
mod error;
mod evidence;
#[cfg(test)]
pub(crate) mod for_test;
mod oidc;
mod password;
mod recorded;
mod verifiers;

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::model::{Claims, JsonObject, Secret};
use crate::seal::Session;

pub use self::bearer::Bearer;
pub use self::config::{Algorithm, IssuerConfig};
pub use self::error::{Check, Error};
pub use self::evidence::Evidence;
pub use self::oidc::{UsedTokens, Workload};
pub use self::password::{PasswordEntry, PasswordHolder, PasswordIndex};
pub use self::recorded::ask_as_recorded;
pub use self::verifiers::Verifiers;

/// What a caller presents, unverified.
#[derive(Clone, Debug)]
pub enum Presented {
    /// A name and a password: a token's password, the password of an access token, or an identity token as it is.
    Basic {
        /// The username.
        username: String,
        /// The password.
        password: Secret,
    },
    /// A bearer token: an identity token or, at the docker token endpoint, a refresh token.
    Bearer(Bearer),
    /// Nothing.
    Nothing,
    /// Something that cannot be read, and what is wrong with it: no verifier accepts it.
    Unreadable(&'static str),
}

impl Presented {
    /// Reads the credentials of HTTP Basic (RFC 7617): base64 of a name, a colon, and a password, which may hold colons;
    /// UTF-8 without control characters. `None` for anything else.
    pub fn from_basic(credentials: &str) -> Option<Self> {
        let decoded = Zeroizing::new(STANDARD.decode(credentials).ok()?);
        let text = std::str::from_utf8(&decoded).ok()?;
        let (username, password) = text.split_once(':')?;
        let printable = !text.chars().any(char::is_control);
        printable
            .then(|| Self::Basic { username: username.to_owned(), password: Secret::new(password) })
    }

    /// The username of Basic credentials.
    pub fn username(&self) -> Option<&str> {
        match self {
            Self::Basic { username, .. } => Some(username),
            Self::Bearer(_) | Self::Nothing | Self::Unreadable(_) => None,
        }
    }

    /// The bearer token.
    pub const fn bearer(&self) -> Option<&Bearer> {
        match self {
            Self::Bearer(bearer) => Some(bearer),
            Self::Basic { .. } | Self::Nothing | Self::Unreadable(_) => None,
        }
    }

    /// The secret, whatever its kind.
    pub fn secret(&self) -> Option<&Secret> {
        match self {
            Self::Basic { password, .. } => Some(password),
            Self::Bearer(bearer) => Some(bearer.secret()),
            Self::Nothing | Self::Unreadable(_) => None,
        }
    }
}

/// Who is calling, verified.
#[derive(Clone, Debug)]
pub struct Identity(Kind);

/// The ways to prove who one is.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Nobody, at a registry whose operator answers nobody: it may do what the registry's token named `anonymous` may pull.
    Anonymous,
    /// The holder of a token's password.
    Password(PasswordHolder),
    /// The holder of a session that dockpass sealed.
    Session(Arc<Session>),
    /// A workload with an identity token of a configured issuer.
    Workload(Workload),
}

impl Identity {
    /// How it was proved, and what is known of the caller.
    pub fn kind(&self) -> &Kind {
        &self.0
    }

    /// The facts as an audit event keeps them: what was verified, and apart from it the claims of a workload.
    pub fn facts(&self) -> (JsonObject, Option<Claims>) {
        match &self.0 {
            Kind::Workload(workload) => {
                (workload.facts().clone(), Some(workload.recorded_claims().clone()))
            }
            Kind::Anonymous | Kind::Password(_) | Kind::Session(_) => {
                (evidence::facts(&self.evidence()), None)
            }
        }
    }

    /// The facts, as plain data: to decide again.
    pub fn evidence(&self) -> Evidence {
        Evidence::of(&self.0)
    }
}

#[cfg(test)]
mod tests;
