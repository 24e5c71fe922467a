//! The store remembers which identity tokens of single use were used: for all replicas, and over a restart.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::identity::UsedTokens;
use crate::store::Store;

/// Used tokens, in the store.
#[derive(Debug)]
pub struct StoredUses(Store);

impl StoredUses {
    /// Those of a store.
    pub const fn new(store: Store) -> Self {
        Self(store)
    }
}

#[async_trait]
impl UsedTokens for StoredUses {
    async fn use_up(
        &self,
        hash: [u8; 32],
        expire_time: Timestamp,
        now: Timestamp,
    ) -> Result<bool, String> {
        let used = self.0.use_up(hash, expire_time, now).await;
        used.map_err(|error| format!("whether the token was used cannot be known: {error}"))
    }
}
