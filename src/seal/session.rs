//! Sessions: the password of an access token, the refresh token, and the unit of reuse.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::KeyRing;
use crate::model::{AccessTokenId, CredentialRef, Permissions, RegistryUid, Secret, TokenUid};

/// What a session carries. It is sealed with AES-256-GCM, so nothing in it can be read or changed outside.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// The access token that it is the password of.
    pub id: AccessTokenId,
    /// The registry it is for, as it was configured.
    pub registry: RegistryUid,
    /// The token that it acts as.
    pub token: TokenUid,
    /// What it rests on.
    pub credential: CredentialRef,
    /// Whom it was given to, for the audit trail: issuer and subject, or the token's name.
    pub holder: String,
    /// The most it allows.
    pub ceiling: Ceiling,
    /// When it ends; an exchange never moves it.
    pub expire_time: Timestamp,
}

/// The most that a session allows.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum Ceiling {
    /// These permissions, and of them what the scope map still allows at each exchange.
    Permissions(Permissions),
    /// What the token's scope map allows at each exchange: the session of a `docker login`.
    ScopeMap,
}

impl Session {
    /// What every sealed session starts with.
    pub const PREFIX: &str = "dps_";

    /// The longest sealed text, 4 KiB.
    pub const MAX_LEN: usize = 4096;

    /// Seals the session under the first key of the ring.
    ///
    /// # Errors
    /// The permissions do not fit into [`Session::MAX_LEN`].
    pub fn seal(&self, ring: &KeyRing) -> Result<Secret, InvalidSession> {
        todo!()
    }

    /// Opens a text that was presented. Whether it has ended, or what it rests on is gone, is not looked at here.
    ///
    /// # Errors
    /// Not a session of ours: wrong prefix, checksum, key, or changed.
    pub fn open(text: &str, ring: &KeyRing) -> Result<Self, InvalidSession> {
        todo!()
    }
}

/// A text that is no session of ours, or a session that cannot be sealed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidSession {
    /// Prefix, length, alphabet or checksum are wrong.
    #[error("not a session")]
    Malformed,
    /// Sealed by a key that is not in the ring, or changed.
    #[error("the seal does not open: it was changed, or its key left the ring")]
    Seal,
    /// The sealed text would be over [`Session::MAX_LEN`].
    #[error("the permissions do not fit into one session of 4 KiB: ask for fewer repositories")]
    TooLarge,
}
