//! One configured issuer: its rules and its keys.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::claims::{self, Registered};
use super::compact::Compact;
use super::keys::{Keys, NoKeys, State};
use super::source::Source;
use crate::identity::{Check, Error, IssuerConfig};
use crate::model::{Clock, IssuerUrl};

/// One configured issuer.
#[derive(Debug)]
pub(super) struct Issuer {
    config: IssuerConfig,
    keys: Keys,
}

/// A token of this issuer whose signature and registered claims are right.
#[derive(Debug)]
pub(super) struct Verified {
    /// What the registered claims say.
    pub(super) registered: Registered,
    /// All claims.
    pub(super) claims: Map<String, Value>,
    /// The generation of keys under which it verified.
    pub(super) generation: u64,
}

impl Issuer {
    /// # Errors
    /// What is wrong with the configuration, and what to do.
    pub(super) fn build(config: IssuerConfig, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let refused =
            |problem: String| Error::Config { issuer: config.issuer.to_string(), problem };
        config.check().map_err(|problem| refused(problem.to_owned()))?;
        let keys = Keys::new(Source::build(&config).map_err(refused)?, clock);
        keys.preload().map_err(refused)?;
        Ok(Self { config, keys })
    }

    pub(super) const fn name(&self) -> &IssuerUrl {
        &self.config.issuer
    }

    pub(super) const fn is_single_use(&self) -> bool {
        self.config.single_use
    }

    /// The generation of the keys, when they need not be asked for.
    pub(super) fn generation(&self, now: Timestamp) -> Option<u64> {
        self.keys.generation(now)
    }

    /// Verifies a token that says it is this issuer's. The claims are looked at first: they cost little, and a token that
    /// has ended must not have keys fetched. Nothing of them is believed before the signature is verified.
    pub(super) async fn verify(
        &self,
        token: &Compact<'_>,
        claims: Map<String, Value>,
        now: Timestamp,
    ) -> Result<Verified, Error> {
        if !self.config.accepts(token.algorithm) {
            return Err(self.invalid(Check::Algorithm));
        }
        let registered =
            claims::check(&claims, &self.config, now).map_err(|check| self.invalid(check))?;
        let state = self.keys.find(token.key_id.as_deref()).await;
        let state = state.map_err(|problem| self.no_keys(problem))?;
        check_signature(token, &state).map_err(|check| self.invalid(check))?;
        Ok(Verified { registered, claims, generation: state.generation })
    }

    /// A token of this issuer fails a check.
    pub(super) fn invalid(&self, check: Check) -> Error {
        Error::Invalid { check, claimed_issuer: Some(self.config.issuer.to_string()) }
    }

    /// Nothing can be said about the issuer's tokens now.
    pub(super) fn unavailable(&self, problem: String, retry_after: Duration) -> Error {
        Error::IssuerUnavailable { issuer: self.config.issuer.to_string(), problem, retry_after }
    }

    fn no_keys(&self, problem: NoKeys) -> Error {
        match problem {
            NoKeys::Check(check) => self.invalid(check),
            NoKeys::Unavailable { problem, retry_after } => self.unavailable(problem, retry_after),
        }
    }
}

fn check_signature(token: &Compact<'_>, state: &State) -> Result<(), Check> {
    let key = state.keys.find(token.key_id.as_deref())?;
    if !key.is_for(token.algorithm) {
        return Err(Check::Algorithm);
    }
    if key.verifies(token.algorithm, token.signed, &token.signature) {
        Ok(())
    } else {
        Err(Check::Signature)
    }
}
