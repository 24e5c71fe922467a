//! A token's password as identity.

use jiff::Timestamp;

use super::Check;
use crate::model::{
    PasswordHash, PasswordSecret, PasswordSlot, RegistryName, Secret, ShardedMap, TokenName,
    TokenUid,
};

/// All passwords by their hash: plain data that is built with the policy snapshot.
#[derive(Clone, Debug, Default)]
pub struct PasswordIndex(pub ShardedMap<PasswordHash, PasswordEntry>);

/// Whose password a hash is.
#[derive(Clone, Debug)]
pub struct PasswordEntry {
    /// The registry of the token.
    pub registry: RegistryName,
    /// The token.
    pub token: TokenUid,
    /// The token's name, which the username must be.
    pub token_name: TokenName,
    /// Which password.
    pub slot: PasswordSlot,
    /// Which filling of the slot.
    pub generation: u64,
    /// When it ends.
    pub expire_time: Option<Timestamp>,
}

/// The verified holder of a token's password.
#[derive(Clone, Debug)]
pub struct PasswordHolder {
    pub(super) entry: PasswordEntry,
}

impl PasswordHolder {
    /// Verifies a password by its hash: it is 256 random bits, so nothing is learned from how long that takes.
    pub(super) fn verify(
        username: &str,
        password: &Secret,
        passwords: &PasswordIndex,
        now: Timestamp,
    ) -> Result<Self, Check> {
        let secret = PasswordSecret::parse(password.expose()).ok_or(Check::PasswordMalformed)?;
        let entry = passwords.0.find(&secret.hash()).ok_or(Check::PasswordUnknown)?;
        if entry.token_name.as_str() != username {
            return Err(Check::Username);
        }
        if entry.expire_time.is_some_and(|end| now >= end) {
            return Err(Check::PasswordExpired);
        }
        Ok(Self { entry: entry.clone() })
    }

    /// Whose password it is.
    pub const fn entry(&self) -> &PasswordEntry {
        &self.entry
    }
}
