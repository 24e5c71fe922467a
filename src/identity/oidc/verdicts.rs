//! Verdicts that still hold: a token that verified is not verified again, however often it is presented.

use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::digest;
use jiff::Timestamp;
use moka::Expiry;
use moka::future::Cache;

use super::Workload;
use super::issuer::{Issuer, Verified};

/// How much is kept, in bytes of claims as they are in memory, roughly.
const CAPACITY: u64 = 64 << 20;
/// How much a claim takes in memory over its text.
const OVERHEAD: usize = 5;

/// SHA-256 of a token.
pub(super) type TokenHash = [u8; 32];

/// A token that verified.
#[derive(Debug)]
pub(super) struct Verdict {
    /// What was verified.
    pub(super) workload: Workload,
    issuer: Arc<Issuer>,
    /// Of the issuer's keys under which it verified.
    generation: u64,
    valid_from: Timestamp,
    /// Of the token, in bytes.
    length: usize,
    /// Of the token's life when it verified.
    left: Duration,
}

impl Verdict {
    pub(super) fn new(
        issuer: &Arc<Issuer>,
        verified: Verified,
        length: usize,
        now: Timestamp,
    ) -> Self {
        let end = verified.registered.expire_time;
        Self {
            issuer: Arc::clone(issuer),
            generation: verified.generation,
            valid_from: verified.registered.valid_from,
            length,
            left: Duration::try_from(end.duration_since(now)).unwrap_or_default(),
            workload: Workload::new(issuer.name().clone(), verified.registered, verified.claims),
        }
    }

    /// True while the token is valid and the issuer's keys are, and are known to be, those that it verified under.
    fn holds(&self, now: Timestamp) -> bool {
        self.valid_from <= now
            && now < self.workload.expire_time()
            && self.issuer.generation(now) == Some(self.generation)
    }
}

/// The cache of verdicts.
#[derive(Debug)]
pub(super) struct Verdicts(Cache<TokenHash, Arc<Verdict>>);

impl Verdicts {
    pub(super) fn new() -> Self {
        let cache = Cache::builder()
            .max_capacity(CAPACITY)
            .weigher(|_, verdict: &Arc<Verdict>| {
                u32::try_from(verdict.length * OVERHEAD).unwrap_or(u32::MAX)
            })
            .expire_after(UntilExpiry)
            .build();
        Self(cache)
    }

    /// What verified before and still holds.
    pub(super) async fn find(&self, token: &TokenHash, now: Timestamp) -> Option<Workload> {
        let verdict = self.0.get(token).await?;
        verdict.holds(now).then(|| verdict.workload.clone())
    }

    pub(super) async fn keep(&self, token: TokenHash, verdict: Verdict) {
        self.0.insert(token, Arc::new(verdict)).await;
    }
}

/// Frees memory when a token has ended. Whether it has is decided by the clock of whoever asks, not here.
struct UntilExpiry;

impl Expiry<TokenHash, Arc<Verdict>> for UntilExpiry {
    fn expire_after_create(
        &self,
        _: &TokenHash,
        verdict: &Arc<Verdict>,
        _: Instant,
    ) -> Option<Duration> {
        Some(verdict.left)
    }
}

/// What a verdict is found by.
pub(super) fn hash(token: &str) -> TokenHash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, token.as_bytes()).as_ref());
    hash
}
