//! Access tokens that were minted already: reuse in memory, and one mint for many callers.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use moka::Expiry;
use moka::future::Cache;
use moka::ops::compute::Op;

/// Something that ends.
pub trait Expires {
    /// When it was made.
    fn issue_time(&self) -> Timestamp;

    /// When it ends.
    fn expire_time(&self) -> Timestamp;
}

/// A bounded cache in memory, keyed by 32 bytes, whose entries go at their end.
pub struct Memory<V> {
    entries: Cache<[u8; 32], Arc<V>>,
}

/// A value, and whether it was there already.
#[derive(Clone, Debug)]
pub struct Found<V> {
    /// The value.
    pub value: Arc<V>,
    /// True when this caller did not make it.
    pub reused: bool,
}

impl<V: Expires + Send + Sync + 'static> Memory<V> {
    /// A cache of at most `capacity` entries.
    pub fn new(capacity: u64) -> Self {
        let entries = Cache::builder()
            .max_capacity(capacity)
            .expire_after(AtItsEnd)
            .support_invalidation_closures()
            .build();
        Self { entries }
    }

    /// The value under `key` that lasts at least until `at_least_until`; else what `mint` makes, once for all who wait for it.
    ///
    /// What `mint` makes is given as it is, also when it ends sooner. A caller that goes away while it mints leaves the mint to the next.
    ///
    /// # Errors
    /// What `mint` failed with, for all who waited for it; a failure is not kept.
    pub async fn get_or_mint<E>(
        &self,
        key: [u8; 32],
        at_least_until: Timestamp,
        mint: impl Future<Output = Result<V, E>> + Send,
    ) -> Result<Found<V>, Arc<E>>
    where
        E: Send + Sync + 'static,
    {
        let mut mint = pin!(mint);
        let mut minted = false;
        loop {
            let once = async {
                // polled once at most: what it makes ends the loop
                minted = true;
                mint.as_mut().await.map(Arc::new)
            };
            let value = self.entries.try_get_with(key, once).await?;
            if minted || value.expire_time() >= at_least_until {
                return Ok(Found { value, reused: !minted });
            }
            self.remove_too_short(key, at_least_until).await;
        }
    }

    /// Forgets every entry for which `gone` says so: what was revoked.
    pub fn forget(&self, gone: impl Fn(&V) -> bool + Send + Sync + 'static) {
        let registered = self.entries.invalidate_entries_if(move |_, value| gone(value));
        debug_assert!(registered.is_ok(), "the cache was built with support for closures");
    }

    /// Atomic, so that of many who find an entry too short one mints, and none removes what it minted.
    async fn remove_too_short(&self, key: [u8; 32], at_least_until: Timestamp) {
        let judge = |entry: Option<moka::Entry<_, Arc<V>>>| {
            let too_short = entry.is_some_and(|entry| entry.value().expire_time() < at_least_until);
            std::future::ready(if too_short { Op::Remove } else { Op::Nop })
        };
        self.entries.entry(key).and_compute_with(judge).await;
    }
}

impl<V> fmt::Debug for Memory<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").finish_non_exhaustive()
    }
}

/// Drops entries at their end, so that what is of no use any more does not stay in memory. Moka counts on its own clock;
/// whether an entry lasts long enough is decided in [`Memory::get_or_mint`] on the caller's.
struct AtItsEnd;

impl<V: Expires> Expiry<[u8; 32], Arc<V>> for AtItsEnd {
    fn expire_after_create(&self, _: &[u8; 32], value: &Arc<V>, _: Instant) -> Option<Duration> {
        let life = value.issue_time().duration_until(value.expire_time());
        Some(Duration::try_from(life).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests;
