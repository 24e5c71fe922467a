//! Sessions: the password of an access token, the refresh token, and the unit of reuse.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{KeyRing, wire};
use crate::model::{
    AccessTokenId, CredentialRef, Permissions, RegistryUid, Secret, TokenUid, checksummed,
    strip_checksum,
};

/// What is sealed is bound to this purpose and version: a value that the same ring sealed for a cache is no session.
const DOMAIN: &[u8] = b"dockpass session 1";

/// What a session carries. It is sealed with AES-256-GCM, so nothing in it can be read or changed outside.
#[derive(Clone, Debug, Eq, PartialEq)]
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
    /// [`InvalidSession::TooLarge`]: the permissions do not fit into [`Session::MAX_LEN`]. [`InvalidSession::Seal`]: no random numbers.
    pub fn seal(&self, ring: &KeyRing) -> Result<Secret, InvalidSession> {
        let plain = Zeroizing::new(wire::encode(self).map_err(|_| InvalidSession::TooLarge)?);
        let sealed = ring.seal(DOMAIN, &plain).ok_or(InvalidSession::Seal)?;
        let text = checksummed(Self::PREFIX, &URL_SAFE_NO_PAD.encode(sealed));
        if text.len() > Self::MAX_LEN {
            return Err(InvalidSession::TooLarge);
        }
        Ok(Secret::new(text))
    }

    /// Opens a text that was presented. Whether it has ended, or what it rests on is gone, is not looked at here.
    ///
    /// # Errors
    /// Not a session of ours: wrong prefix, checksum, key, or changed.
    pub fn open(text: &str, ring: &KeyRing) -> Result<Self, InvalidSession> {
        if text.len() > Self::MAX_LEN {
            return Err(InvalidSession::Malformed);
        }
        let body = strip_checksum(Self::PREFIX, text).ok_or(InvalidSession::Malformed)?;
        // refuses padding and trailing bits, so that a session has one spelling
        let sealed = URL_SAFE_NO_PAD.decode(body).map_err(|_| InvalidSession::Malformed)?;
        let plain = Zeroizing::new(ring.open(DOMAIN, &sealed).ok_or(InvalidSession::Seal)?);
        wire::decode(&plain).ok_or(InvalidSession::Malformed)
    }
}

/// A text that is no session of ours, or a session that cannot be sealed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidSession {
    /// Prefix, length, alphabet or checksum are wrong.
    #[error("not a session")]
    Malformed,
    /// Sealed by a key that is not in the ring, or changed; or nothing can be sealed, for lack of random numbers.
    #[error("the seal does not open or cannot be made: it was changed, or its key left the ring")]
    Seal,
    /// The sealed text would be over [`Session::MAX_LEN`].
    #[error("the permissions do not fit into one session of 4 KiB: ask for fewer repositories")]
    TooLarge,
}

#[cfg(test)]
mod tests;
