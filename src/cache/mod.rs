//! Access tokens that were minted already: in memory first, then on Redis, where all replicas find them; and one mint for many callers.
//!
//! A value in memory is given without asking anybody. On a miss Redis is looked at, for [`BUDGET`](Cache::BUDGET) at most; whatever is
//! wrong there is a miss. What was minted reaches Redis only after its caller recorded it, sealed and behind the caller's back.

mod config;
mod memory;
mod order;
mod shared;
mod unrecorded;
mod url;
mod value;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::model::Clock;
use crate::seal::KeyRing;
use crate::telemetry::metrics::{self, CacheLookup};

use self::memory::Memory;
use self::shared::{Made, Shared, Timing};

pub use self::config::{Config, Error};
pub use self::order::{Order, Sharing};
pub use self::unrecorded::Unrecorded;
pub use self::url::Url;
pub use self::value::{Expires, Opened, Shareable};

/// A bounded cache, keyed by 32 bytes, of values whose mint fails with `E`.
pub struct Cache<V: Shareable, E> {
    inner: Arc<Inner<V, E>>,
}

struct Inner<V: Shareable, E> {
    memory: Memory<V, E>,
    shared: Option<Shared<V>>,
}

/// A value, and where it comes from.
#[derive(Debug)]
pub struct Found<V: Shareable, E: Clone + Send + Sync + 'static> {
    /// The value.
    pub value: Arc<V>,
    /// Of the caller who made it, and of no other: until that is recorded, no other replica finds it.
    pub unrecorded: Option<Box<Unrecorded<V, E>>>,
}

/// Whether replicas find what the others minted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Health {
    /// The cache is in memory only, as it was configured.
    MemoryOnly,
    /// Redis answers.
    Shared,
    /// Redis does not answer: until it does, each replica mints for itself.
    Cut,
}

impl<V: Shareable, E: Clone + Send + Sync + 'static> Cache<V, E> {
    /// How long a miss in memory looks in Redis, in all.
    pub const BUDGET: Duration = Timing::DEFAULT.budget;

    /// A cache in memory only, of at most `capacity` values.
    pub fn in_memory(capacity: u64) -> Self {
        Self::new(capacity, None)
    }

    /// The cache of the configuration. It starts also when Redis cannot be reached, and looks for it from then on.
    ///
    /// Called on the runtime on which the work behind the requests is done.
    ///
    /// # Errors
    /// A file cannot be read, or the URL is malformed: with the key named, and never with the URL in it.
    pub fn build(
        config: &Config,
        ring: Arc<KeyRing>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        let target = config.target()?;
        let start = |target| Shared::start(target, ring, clock, Timing::DEFAULT);
        Ok(Self::new(config.capacity, target.map(start)))
    }

    fn new(capacity: u64, shared: Option<Shared<V>>) -> Self {
        Self { inner: Arc::new(Inner { memory: Memory::new(capacity), shared }) }
    }

    /// The value under `key` that the order accepts; else the one that its mint makes, once for all who wait for it.
    ///
    /// What is minted is given as it is, also when the order would not accept it. A caller that goes away while it mints leaves the mint
    /// to the next. What is minted remotely may be waited for as long as another replica mints it: the caller bounds that.
    ///
    /// # Errors
    /// What the mint failed with, for all of this process who waited for it; a failure is not kept.
    pub async fn get_or_mint(
        &self,
        key: [u8; 32],
        order: &impl Order<V, E>,
    ) -> Result<Found<V, E>, E> {
        // on the heap, so that the future of a hit stays small
        let make = async { Box::pin(self.make(key, order)).await };
        let (value, made) =
            self.inner.memory.get_or_make(key, |value| order.accepts(value), make).await?;
        let unrecorded = match made {
            None => {
                metrics::cache_lookup(CacheLookup::Memory);
                None
            }
            Some(Made::Elsewhere) => None,
            Some(Made::Here(share)) => {
                // on the heap as well: most callers find one
                let (inner, value) = (Arc::clone(&self.inner), Arc::clone(&value));
                Some(Box::new(Unrecorded::new(inner, key, value, share)))
            }
        };
        Ok(Found { value, unrecorded })
    }

    /// Forgets every value in memory for which `gone` says so: what was revoked, or has ended. All are looked at.
    ///
    /// Redis forgets what has ended by itself; what was revoked no order accepts.
    pub fn forget(&self, gone: impl Fn(&V) -> bool) {
        self.inner.memory.forget(gone);
    }

    /// Whether replicas find what the others minted.
    pub fn health(&self) -> Health {
        match &self.inner.shared {
            None => Health::MemoryOnly,
            Some(shared) if shared.is_up() => Health::Shared,
            Some(_) => Health::Cut,
        }
    }

    /// Writes to Redis what is still to be written, for a short while, and ends the work behind the requests.
    pub async fn close(&self) {
        if let Some(shared) = &self.inner.shared {
            shared.close().await;
        }
    }

    /// What is not in memory: from Redis, or minted.
    async fn make(&self, key: [u8; 32], order: &impl Order<V, E>) -> Result<(Arc<V>, Made<V>), E> {
        let shared = self.inner.shared.as_ref().filter(|_| order.sharing() != Sharing::Nothing);
        let (value, made) = match shared {
            Some(shared) => shared.get_or_mint(&key, order).await?,
            None => (order.mint().await?, Made::Here(None)),
        };
        metrics::cache_lookup(match made {
            Made::Elsewhere => CacheLookup::Redis,
            Made::Here(_) => CacheLookup::Miss,
        });
        Ok((Arc::new(value), made))
    }
}

impl<V: Shareable, E> fmt::Debug for Cache<V, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").finish_non_exhaustive()
    }
}
