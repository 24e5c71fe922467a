//! Verdicts that still hold: a token that verified is not verified again, however often it is presented.

use std::fmt;
use std::sync::Arc;

use foldhash::fast::RandomState;
use jiff::Timestamp;
use quick_cache::Weighter;
use quick_cache::sync::{Cache, DefaultLifecycle};

use super::super::bearer::TokenHash;
use super::Workload;
use super::issuer::{Issuer, Verified};

/// How much is kept, in bytes of claims as they are in memory, roughly.
const CAPACITY: u64 = 64 << 20;
/// How much a claim takes in memory over its text.
const OVERHEAD: usize = 5;
/// How many verdicts that makes, about: the tokens of CI systems have 800 bytes and more.
const EXPECTED: usize = 20_000;

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
}

impl Verdict {
    pub(super) fn new(issuer: &Arc<Issuer>, verified: Verified, length: usize) -> Self {
        Self {
            issuer: Arc::clone(issuer),
            generation: verified.generation,
            valid_from: verified.registered.valid_from,
            length,
            workload: Workload::new(issuer.name().clone(), &verified.registered, verified.claims),
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
pub(super) struct Verdicts(Cache<TokenHash, Arc<Verdict>, ByLength, RandomState>);

impl Verdicts {
    pub(super) fn new() -> Self {
        let hasher = RandomState::default();
        Self(Cache::with(EXPECTED, CAPACITY, ByLength, hasher, DefaultLifecycle::default()))
    }

    /// What verified before and still holds.
    pub(super) fn find(&self, token: &TokenHash, now: Timestamp) -> Option<Workload> {
        let verdict = self.0.get(token)?;
        verdict.holds(now).then(|| verdict.workload.clone())
    }

    pub(super) fn keep(&self, token: TokenHash, verdict: Verdict) {
        self.0.insert(token, Arc::new(verdict));
    }

    /// Frees the memory of verdicts that hold no more. All are looked at.
    pub(super) fn forget_ended(&self, now: Timestamp) {
        self.0.retain(|_, verdict| verdict.holds(now));
    }
}

impl fmt::Debug for Verdicts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Verdicts").field(&self.0.len()).finish()
    }
}

/// How much a verdict takes in memory: mostly its claims.
#[derive(Clone, Debug)]
struct ByLength;

impl Weighter<TokenHash, Arc<Verdict>> for ByLength {
    fn weight(&self, _: &TokenHash, verdict: &Arc<Verdict>) -> u64 {
        u64::try_from(verdict.length * OVERHEAD).unwrap_or(u64::MAX)
    }
}
