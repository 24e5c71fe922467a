//! Access tokens that were minted already: reuse in memory, and one mint for many callers.

use std::sync::Arc;

use jiff::Timestamp;

/// Something that ends.
pub trait Expires {
    /// When it ends.
    fn expire_time(&self) -> Timestamp;
}

/// A bounded cache in memory, keyed by 32 bytes, whose entries go at their end.
#[derive(Debug)]
pub struct Memory<V>(std::marker::PhantomData<V>);

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
        todo!()
    }

    /// The value under `key` that lasts at least until `at_least_until`; else what `mint` makes, once for all who wait for it.
    pub async fn get_or_mint<E>(
        &self,
        key: [u8; 32],
        at_least_until: Timestamp,
        mint: impl Future<Output = Result<V, E>> + Send,
    ) -> Result<Found<V>, Arc<E>>
    where
        E: Send + Sync + 'static,
    {
        todo!()
    }

    /// Forgets every entry for which `gone` says so: what was revoked.
    pub fn forget(&self, gone: impl Fn(&V) -> bool + Send + Sync + 'static) {
        todo!()
    }
}
