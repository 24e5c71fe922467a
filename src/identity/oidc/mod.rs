//! Identity tokens of OpenID Connect issuers.
//!
//! The way of a token: [`compact`] takes it apart, `iss` chooses the [`issuer`], [`claims`] are checked, [`keys`] finds the key,
//! [`jwk`] verifies the signature. What verified is kept in [`verdicts`] until it ends or the keys change.
//!
//! Signatures are verified with aws-lc-rs itself and not through a JWT library: the attacks of guarantees.md (A5, A6, A8, A10)
//! ask for keys and JSON that are looked at more strictly than libraries do, and keys that are parsed once and kept.

mod claims;
mod compact;
mod discovery;
mod issuer;
mod json;
mod jwk;
mod key_file;
mod key_set;
mod keys;
pub(super) mod known;
mod replay;
mod rsa;
mod source;
#[cfg(test)]
mod testing;
mod verdicts;
mod workload;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value};

use self::compact::Compact;
use self::issuer::{Issuer, Verified};
pub use self::replay::UsedTokens;
use self::replay::{Replays, Use};
use self::verdicts::{Verdict, Verdicts};
pub use self::workload::Workload;
use super::bearer::{self, Bearer, TokenHash};
use super::{Check, Error, IssuerConfig};
use crate::model::{Clock, IssuerUrl};

/// The most of an unverified `iss` that is kept for the audit trail.
const CLAIMED_ISSUER_CHARS: usize = 256;

/// Verifies identity tokens of the configured issuers.
#[derive(Debug)]
pub(super) struct Oidc {
    issuers: HashMap<IssuerUrl, Arc<Issuer>>,
    verdicts: Verdicts,
    used: Replays,
    clock: Arc<dyn Clock>,
}

impl Oidc {
    /// # Errors
    /// [`Error::Config`]: an issuer twice, or one whose configuration cannot be used.
    pub(super) fn build(configs: Vec<IssuerConfig>, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let mut issuers = HashMap::new();
        for config in configs {
            match issuers.entry(config.issuer.clone()) {
                Entry::Occupied(_) => {
                    let problem = "it is configured twice: keep one section".to_owned();
                    return Err(Error::Config { issuer: config.issuer.to_string(), problem });
                }
                Entry::Vacant(free) => {
                    free.insert(Arc::new(Issuer::build(config, Arc::clone(&clock))?));
                }
            }
        }
        Ok(Self { issuers, verdicts: Verdicts::new(), used: Replays::new(), clock })
    }

    /// Remembers there as well which tokens of single use were used.
    pub(super) fn share_used_tokens(&mut self, shared: Arc<dyn UsedTokens>) {
        self.used.share(shared);
    }

    /// Verifies a token.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::IssuerUnavailable`].
    pub(super) async fn verify(&self, token: &str) -> Result<Workload, Error> {
        self.find_or_verify(token, || bearer::hash(token)).await
    }

    /// The same for one that may know its hash already.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::IssuerUnavailable`].
    pub(super) async fn verify_bearer(&self, bearer: &Bearer) -> Result<Workload, Error> {
        self.find_or_verify(bearer.secret().expose(), || *bearer.hash()).await
    }

    async fn find_or_verify(
        &self,
        token: &str,
        hash: impl FnOnce() -> TokenHash,
    ) -> Result<Workload, Error> {
        if token.len() > compact::MAX_LEN {
            return Err(Check::TooLong.into());
        }
        let (now, hash) = (self.clock.now(), hash());
        if let Some(workload) = self.verdicts.find(&hash, now) {
            return Ok(workload);
        }
        // boxed, since it is rare, and its room would be in every request
        Box::pin(self.verify_anew(token, hash, now)).await
    }

    /// Frees what is kept of tokens that are not valid any more.
    pub(super) fn forget_ended(&self) {
        self.verdicts.forget_ended(self.clock.now());
    }

    async fn verify_anew(
        &self,
        token: &str,
        hash: TokenHash,
        now: Timestamp,
    ) -> Result<Workload, Error> {
        let compact = Compact::parse(token)?;
        let claims = compact.claims()?;
        let issuer = self.issuer_of(&claims)?;
        let verified = issuer.verify(&compact, claims, now).await?;
        if issuer.is_single_use() {
            self.use_up(issuer, &verified, now).await?;
            return Ok(Workload::new(issuer.name().clone(), &verified.registered, verified.claims));
        }
        let verdict = Verdict::new(issuer, verified, token.len());
        let workload = verdict.workload.clone();
        self.verdicts.keep(hash, verdict);
        Ok(workload)
    }

    /// The configured issuer whose name is `iss`, byte for byte. Nobody else's keys are ever looked for.
    fn issuer_of(&self, claims: &Map<String, Value>) -> Result<&Arc<Issuer>, Error> {
        let claimed = claims.get("iss").and_then(Value::as_str);
        claimed.and_then(|claimed| self.issuers.get(claimed)).ok_or_else(|| Error::Invalid {
            check: Check::UnknownIssuer,
            claimed_issuer: claimed.map(printable),
        })
    }

    async fn use_up(
        &self,
        issuer: &Issuer,
        verified: &Verified,
        now: Timestamp,
    ) -> Result<(), Error> {
        let jti = verified.claims.get("jti").and_then(Value::as_str).filter(|jti| !jti.is_empty());
        let jti = jti.ok_or_else(|| issuer.invalid(Check::TokenIdMissing))?;
        match self.used.take(issuer.name(), jti, verified.registered.expire_time, now).await {
            Use::First => Ok(()),
            Use::Again => Err(issuer.invalid(Check::Replayed)),
            Use::Unknown(problem) => Err(issuer.unavailable(problem, Duration::from_secs(10))),
        }
    }
}

/// What a stranger wrote, for the log and the audit trail: it can neither begin a line nor colour one.
fn printable(claimed: &str) -> String {
    claimed.chars().take(CLAIMED_ISSUER_CHARS).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests;
