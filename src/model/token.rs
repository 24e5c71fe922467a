//! Tokens: the named principals of a registry, and what may act as them.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    FederatedCredential, FederatedCredentialName, PasswordHash, RegistryName, ScopeMapName, Text,
    Texts, TokenName, TokenUid, exact,
};

/// A named principal of one registry, tied to exactly one scope map.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Token {
    /// Never used again, also when the token is deleted and made again under its name.
    pub uid: TokenUid,
    /// The registry it belongs to.
    pub registry: RegistryName,
    /// Its name in the registry.
    pub name: TokenName,
    /// The scope map that bounds it, in the same registry.
    pub scope_map: ScopeMapName,
    /// Whether it may be used.
    pub status: Status,
    /// What it is for.
    pub description: Text,
    /// Who answers for it.
    pub owner: Text,
    /// When it ends by itself.
    pub expire_time: Option<Timestamp>,
    /// Long-lived secrets, at most one a slot.
    #[serde(deserialize_with = "exact::list")]
    pub passwords: Vec<Password>,
    /// Workload identities that may act as it.
    #[serde(deserialize_with = "exact::list")]
    pub federated_credentials: Vec<FederatedCredential>,
    /// The policy revision in which it was written or last changed.
    pub revision: u64,
    /// When it was made.
    pub create_time: Timestamp,
    /// When it was last changed.
    pub update_time: Timestamp,
    /// Who made the last change.
    pub updated_by: Text,
}

impl Token {
    /// True when it is enabled and has not ended at `now`.
    pub fn is_usable(&self, now: Timestamp) -> bool {
        self.status == Status::Enabled && self.expire_time.is_none_or(|end| now < end)
    }

    /// Makes its texts share the memory of equal ones.
    pub fn share_texts(&mut self, texts: &mut Texts) {
        texts.share(&mut self.registry);
        texts.share(&mut self.scope_map);
        for text in [&mut self.description, &mut self.owner, &mut self.updated_by] {
            texts.share(text);
        }
        for credential in &mut self.federated_credentials {
            credential.share_texts(texts);
        }
    }
}

/// Whether a token may be used.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It may.
    Enabled,
    /// It may not; its sessions stop at their next exchange.
    Disabled,
}

/// A long-lived secret of a token; only its hash is known.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Password {
    /// Which of the two.
    pub slot: PasswordSlot,
    /// The policy revision in which the slot was last filled; sessions rest on it.
    pub generation: u64,
    /// SHA-256 of the secret: it is 256 random bits, not a human's password.
    pub hash: PasswordHash,
    /// The last four characters of the secret, to tell passwords apart.
    pub last_four: Text,
    /// When it was generated.
    pub create_time: Timestamp,
    /// When it ends by itself.
    pub expire_time: Option<Timestamp>,
}

/// One of the two passwords of a token, so that they overlap at rotation.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PasswordSlot {
    /// `password1`.
    Password1,
    /// `password2`.
    Password2,
}

impl fmt::Display for PasswordSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Password1 => "password1",
            Self::Password2 => "password2",
        })
    }
}

impl FromStr for PasswordSlot {
    type Err = UnknownSlot;

    fn from_str(text: &str) -> Result<Self, UnknownSlot> {
        match text {
            "password1" => Ok(Self::Password1),
            "password2" => Ok(Self::Password2),
            _ => Err(UnknownSlot),
        }
    }
}

/// A text that names neither password.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a password's name is password1 or password2")]
pub struct UnknownSlot;

/// What a session rests on: gone or changed, and the session ends at its next exchange.
#[derive(Clone, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CredentialRef {
    /// None: the token is named `anonymous`, and the registry's operator answers docker clients that present nothing.
    Anonymous,
    /// A federated credential of the token, as of a policy revision.
    Federated {
        /// Its name inside the token.
        name: FederatedCredentialName,
        /// The policy revision in which it was last changed.
        revision: u64,
    },
    /// A password of the token, as of a policy revision.
    Password {
        /// Which of the two.
        slot: PasswordSlot,
        /// The policy revision in which the slot was last filled.
        generation: u64,
    },
}

impl fmt::Display for CredentialRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => f.write_str("anonymous access"),
            Self::Federated { name, .. } => write!(f, "federated credential {name}"),
            Self::Password { slot, .. } => slot.fmt(f),
        }
    }
}
