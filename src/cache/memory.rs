//! The first level: values in this process, and one mint for all of its callers.

use std::fmt;
use std::sync::Arc;

use foldhash::fast::RandomState;
use quick_cache::UnitWeighter;
use quick_cache::sync::{Cache, DefaultLifecycle};

/// A bounded cache in memory, keyed by 32 bytes, of values whose mint fails with `E`.
pub(super) struct Memory<V, E> {
    entries: Cache<[u8; 32], Entry<V, E>, UnitWeighter, RandomState>,
}

enum Entry<V, E> {
    Minted(Arc<V>),
    /// For those who wait at this moment; it is not kept.
    Failed(E),
}

impl<V: Send + Sync, E: Clone + Send + Sync> Memory<V, E> {
    /// A cache of at most `capacity` entries.
    pub(super) fn new(capacity: u64) -> Self {
        let expected = usize::try_from(capacity).unwrap_or(usize::MAX);
        let hasher = RandomState::default();
        let lifecycle = DefaultLifecycle::default();
        Self { entries: Cache::with(expected, capacity, UnitWeighter, hasher, lifecycle) }
    }

    /// The value under `key` if it is `usable`; else what `make` makes, once for all who wait for it, and with it what else the maker
    /// is told.
    ///
    /// What `make` makes is given as it is, also when it is not usable. A caller that goes away while it makes leaves that to the next.
    ///
    /// # Errors
    /// What `make` failed with, for all who waited for it; a failure is not kept.
    pub(super) async fn get_or_make<M: Send>(
        &self,
        key: [u8; 32],
        usable: impl Fn(&V) -> bool + Send,
        make: impl Future<Output = Result<(Arc<V>, M), E>> + Send,
    ) -> Result<(Arc<V>, Option<M>), E> {
        loop {
            let vacant = match self.entries.get_value_or_guard_async(&key).await {
                Ok(Entry::Minted(value)) if usable(&value) => return Ok((value, None)),
                Ok(Entry::Minted(_)) => {
                    // atomic, so that of many who find it unusable one makes, and none removes what that made
                    self.forget_one(&key, |value| !usable(value));
                    continue;
                }
                Ok(Entry::Failed(error)) => return Err(error),
                Err(vacant) => vacant,
            };
            let made = make.await;
            let entry = match &made {
                Ok((value, _)) => Entry::Minted(Arc::clone(value)),
                Err(error) => Entry::Failed(error.clone()),
            };
            // it is told to those who wait, also when the entry was removed meanwhile
            drop(vacant.insert(entry));
            if made.is_err() {
                self.entries.remove_if(&key, |entry| matches!(entry, Entry::Failed(_)));
            }
            return made.map(|(value, told)| (value, Some(told)));
        }
    }

    /// Forgets every entry for which `gone` says so: what was revoked, or has ended. All are looked at.
    pub(super) fn forget(&self, gone: impl Fn(&V) -> bool) {
        self.entries.retain(|_, entry| match entry {
            Entry::Minted(value) => !gone(value),
            Entry::Failed(_) => true,
        });
    }

    /// Forgets the entry under `key` if `gone` says so.
    pub(super) fn forget_one(&self, key: &[u8; 32], gone: impl Fn(&V) -> bool) {
        let gone = |entry: &Entry<V, E>| matches!(entry, Entry::Minted(value) if gone(value));
        self.entries.remove_if(key, gone);
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
