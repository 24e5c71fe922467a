//! A token's password as identity.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::model::{PasswordHash, PasswordSlot, RegistryName, TokenName, TokenUid};

/// All passwords by their hash: plain data that is built with the policy snapshot.
#[derive(Clone, Debug, Default)]
pub struct PasswordIndex(pub HashMap<PasswordHash, PasswordEntry>);

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
    /// Whose password it is.
    pub const fn entry(&self) -> &PasswordEntry {
        &self.entry
    }
}
