//! Access tokens that were minted already: reuse in memory, and one mint for many callers.

use std::fmt;
use std::sync::Arc;

use foldhash::fast::RandomState;
use jiff::Timestamp;
use quick_cache::UnitWeighter;
use quick_cache::sync::{Cache, DefaultLifecycle};

/// Something that ends.
pub trait Expires {
    /// When it was made.
    fn issue_time(&self) -> Timestamp;

    /// When it ends.
    fn expire_time(&self) -> Timestamp;
}

/// A bounded cache in memory, keyed by 32 bytes, of values whose mint fails with `E`.
pub struct Memory<V, E> {
    entries: Cache<[u8; 32], Entry<V, E>, UnitWeighter, RandomState>,
}

/// A value, and whether it was there already.
#[derive(Clone, Debug)]
pub struct Found<V> {
    /// The value.
    pub value: Arc<V>,
    /// True when this caller did not make it.
    pub reused: bool,
}

enum Entry<V, E> {
    Minted(Arc<V>),
    /// For those who wait at this moment; it is not kept.
    Failed(E),
}

impl<V: Expires + Send + Sync, E: Clone + Send + Sync> Memory<V, E> {
    /// A cache of at most `capacity` entries.
    pub fn new(capacity: u64) -> Self {
        let expected = usize::try_from(capacity).unwrap_or(usize::MAX);
        let hasher = RandomState::default();
        let lifecycle = DefaultLifecycle::default();
        Self { entries: Cache::with(expected, capacity, UnitWeighter, hasher, lifecycle) }
    }

    /// The value under `key` that lasts at least until `at_least_until`; else what `mint` makes, once for all who wait for it.
    ///
    /// What `mint` makes is given as it is, also when it ends sooner. A caller that goes away while it mints leaves the mint to the next.
    ///
    /// # Errors
    /// What `mint` failed with, for all who waited for it; a failure is not kept.
    pub async fn get_or_mint(
        &self,
        key: [u8; 32],
        at_least_until: Timestamp,
        mint: impl Future<Output = Result<V, E>> + Send,
    ) -> Result<Found<V>, E> {
        loop {
            let vacant = match self.entries.get_value_or_guard_async(&key).await {
                Ok(Entry::Minted(value)) if value.expire_time() >= at_least_until => {
                    return Ok(Found { value, reused: true });
                }
                Ok(Entry::Minted(_)) => {
                    self.remove_too_short(&key, at_least_until);
                    continue;
                }
                Ok(Entry::Failed(error)) => return Err(error),
                Err(vacant) => vacant,
            };
            let minted = mint.await.map(Arc::new);
            let entry = match &minted {
                Ok(value) => Entry::Minted(Arc::clone(value)),
                Err(error) => Entry::Failed(error.clone()),
            };
            // it is told to those who wait, also when the entry was removed meanwhile
            drop(vacant.insert(entry));
            if minted.is_err() {
                self.entries.remove_if(&key, |entry| matches!(entry, Entry::Failed(_)));
            }
            return minted.map(|value| Found { value, reused: false });
        }
    }

    /// Forgets every entry for which `gone` says so: what was revoked, or has ended. All are looked at.
    pub fn forget(&self, gone: impl Fn(&V) -> bool) {
        self.entries.retain(|_, entry| match entry {
            Entry::Minted(value) => !gone(value),
            Entry::Failed(_) => true,
        });
    }

    /// Forgets the entry under `key` if `gone` says so.
    pub fn forget_one(&self, key: &[u8; 32], gone: impl Fn(&V) -> bool) {
        let gone = |entry: &Entry<V, E>| matches!(entry, Entry::Minted(value) if gone(value));
        self.entries.remove_if(key, gone);
    }

    /// Atomic, so that of many who find an entry too short one mints, and none removes what it minted.
    fn remove_too_short(&self, key: &[u8; 32], at_least_until: Timestamp) {
        self.forget_one(key, |value| value.expire_time() < at_least_until);
    }
}

impl<V, E: Clone> Clone for Entry<V, E> {
    fn clone(&self) -> Self {
        match self {
            Self::Minted(value) => Self::Minted(Arc::clone(value)),
            Self::Failed(error) => Self::Failed(error.clone()),
        }
    }
}

impl<V, E> fmt::Debug for Memory<V, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
