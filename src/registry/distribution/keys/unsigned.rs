//! A JWT that lacks its signature, with the key that makes it: signing may be left to another thread.

use std::sync::Arc;

use serde::Serialize;

use super::kid::KidKey;
use super::leaf::Leaf;
use super::signing_key::{SigningKey, encode};
use crate::model::Secret;
use crate::registry::Error;

/// Claims as they will stand in a JWT, and the key.
#[derive(Debug)]
pub(in crate::registry) struct Unsigned {
    key: Key,
    claims: String,
}

/// A key that is kept for as long as it is needed, whether or not it was replaced meanwhile.
#[derive(Debug)]
pub(super) enum Key {
    /// The first of these.
    Kid(Arc<[KidKey]>),
    X5c(Arc<Leaf>),
}

impl Unsigned {
    /// Claims to be signed with a key.
    ///
    /// # Errors
    /// The claims are no JSON: a bug.
    pub(super) fn new(key: Key, claims: &impl Serialize) -> Result<Self, Error> {
        Ok(Self { key, claims: encode(claims)? })
    }

    /// Signs it.
    ///
    /// # Errors
    /// No random numbers.
    pub(in crate::registry) fn sign(self) -> Result<Secret, Error> {
        self.key.signing_key()?.sign_encoded(&self.claims)
    }
}

impl Key {
    fn signing_key(&self) -> Result<&SigningKey, Error> {
        match self {
            Self::Kid(keys) => match keys.first() {
                Some(active) => Ok(&active.key),
                None => Err(Error::Internal("no key".to_owned())),
            },
            Self::X5c(leaf) => Ok(&leaf.key),
        }
    }
}
