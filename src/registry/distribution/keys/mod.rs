//! The keys that sign registry tokens, and how a registry comes to trust them.

mod foreign;
mod kid;
mod leaf;
mod root;
mod signing_key;
mod signing_thread;
mod unsigned;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::super::{Error, KeysConfig};
use crate::model::Secret;

pub(in crate::registry) use self::kid::KidKey;
use self::leaf::Leaf;
pub(in crate::registry) use self::leaf::Leaves;
use self::signing_key::{Reference, SigningKey, new_pair};
pub(in crate::registry) use self::signing_thread::SigningThread;
use self::unsigned::Key;
pub(in crate::registry) use self::unsigned::Unsigned;

/// What a token proves when a registry accepts or refuses it; each names its key.
#[derive(Clone, Debug)]
pub(in crate::registry) enum Proof {
    /// The key that signs.
    Active(String),
    /// A key that is not the registry's to accept.
    Forged(String),
    /// A key that will sign once the order of the files is changed.
    Next(String),
}

/// Signs the tokens of a registry, in one of the two modes.
#[derive(Clone, Debug)]
pub(in crate::registry) enum Signer {
    /// The registry knows these keys; the first signs, and there is one.
    Kid(Arc<[KidKey]>),
    /// The registry knows a root.
    X5c(Arc<Leaves>),
}

impl Signer {
    /// The keys of kid mode, the active one first.
    ///
    /// # Errors
    /// No file is named, or one cannot be used.
    pub(in crate::registry) fn kid(config: &KeysConfig) -> Result<Self, Error> {
        let keys = config.signing_key_files.iter().map(|file| KidKey::load(file));
        let keys: Arc<[KidKey]> = keys.collect::<Result<_, _>>()?;
        if keys.is_empty() {
            let problem = "key_reference = \"kid\" needs keys.signing_key_files: name at least one";
            return Err(Error::Config(problem.to_owned()));
        }
        Ok(Self::Kid(keys))
    }

    /// The root of x5c mode and a first leaf. No JWT lives longer than `longest_jwt`.
    ///
    /// # Errors
    /// The root cannot be used.
    pub(in crate::registry) fn x5c(
        config: &KeysConfig,
        longest_jwt: Duration,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let root = root::Root::load_or_generate(config, now)?;
        Ok(Self::X5c(Arc::new(Leaves::new(root, longest_jwt, now)?)))
    }

    /// Claims to be signed as a JWT with the key that is active at `now`.
    ///
    /// # Errors
    /// The root has ended, or there are no random numbers.
    pub(in crate::registry) fn unsigned(
        &self,
        claims: &impl Serialize,
        now: Timestamp,
    ) -> Result<Unsigned, Error> {
        let key = match self {
            Self::Kid(keys) => Key::Kid(Arc::clone(keys)),
            Self::X5c(leaves) => Key::X5c(leaves.at(now)?),
        };
        Unsigned::new(key, claims)
    }

    /// Signs claims with each of our keys, and with a key that only claims to be ours.
    ///
    /// # Errors
    /// As [`Signer::unsigned`].
    pub(in crate::registry) fn proofs(
        &self,
        claims: &impl Serialize,
        now: Timestamp,
    ) -> Result<Vec<(Proof, Secret)>, Error> {
        let mut proofs = Vec::new();
        let forger = match self {
            Self::Kid(keys) => {
                for key in keys.iter() {
                    let name = format!("key `{}`", key.kid);
                    let proof = if proofs.is_empty() { Proof::Active } else { Proof::Next };
                    proofs.push((proof(name), key.key.sign(claims)?));
                }
                let kid = keys.first().map(|key| key.kid.as_str()).unwrap_or_default();
                SigningKey::new(new_pair()?, &Reference::Kid(kid))
            }
            Self::X5c(leaves) => {
                let name = "a certificate under our root".to_owned();
                proofs.push((Proof::Active(name), leaves.at(now)?.key.sign(claims)?));
                Leaf::forged(now)?.key
            }
        };
        let name = "a foreign key that claims to be ours".to_owned();
        proofs.push((Proof::Forged(name), forger.sign(claims)?));
        Ok(proofs)
    }

    /// What a registry's `rootcertbundle` holds: the root, or the certificates of all keys.
    pub(in crate::registry) fn bundle_pem(&self) -> String {
        match self {
            Self::Kid(keys) => keys.iter().map(|key| key.certificate_pem.as_str()).collect(),
            Self::X5c(leaves) => leaves.root().bundle_pem().to_owned(),
        }
    }
}
