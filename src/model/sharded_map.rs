//! A map whose changed copy shares what did not change.

use std::borrow::Borrow;
use std::collections::hash_map::HashMap;
use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

use foldhash::fast::RandomState;

/// Into how many parts a map is cut: to change one entry of a copy, one part of so many is copied.
const SHARDS: usize = 256;

/// A map that is copied at once, and of which a changed copy shares all but the parts that changed with the original.
#[derive(Clone)]
pub struct ShardedMap<K, V> {
    shards: Arc<[Arc<Shard<K, V>>]>,
    hasher: RandomState,
}

type Shard<K, V> = HashMap<K, V, RandomState>;

impl<K: Clone + Eq + Hash, V: Clone> ShardedMap<K, V> {
    /// The value of a key.
    pub fn find<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.shards.get(self.shard(key))?.get(key)
    }

    /// Sets the value of a key, and returns the one that it had.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        let shard = self.shard(&key);
        self.part(shard)?.insert(key, value)
    }

    /// Takes a key out, and returns its value.
    pub fn remove<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let shard = self.shard(key);
        if !self.shards.get(shard)?.contains_key(key) {
            return None;
        }
        self.part(shard)?.remove(key)
    }

    /// The value of a key, to be changed; the default is put there when it has none.
    pub fn entry(&mut self, key: K) -> Option<&mut V>
    where
        V: Default,
    {
        let shard = self.shard(&key);
        Some(self.part(shard)?.entry(key).or_default())
    }

    /// All values, in no particular order.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.shards.iter().flat_map(|shard| shard.values())
    }

    fn shard<Q: Hash + ?Sized>(&self, key: &Q) -> usize {
        // a part's own table goes by the other bits of another hash
        usize::from(self.hasher.hash_one(key).to_le_bytes()[4])
    }

    fn part(&mut self, shard: usize) -> Option<&mut Shard<K, V>> {
        Arc::make_mut(&mut self.shards).get_mut(shard).map(Arc::make_mut)
    }
}

impl<K, V> Default for ShardedMap<K, V> {
    fn default() -> Self {
        let empty = Arc::new(Shard::default());
        Self {
            shards: std::iter::repeat_n(empty, SHARDS).collect(),
            hasher: RandomState::default(),
        }
    }
}

impl<K: Clone + Eq + Hash, V: Clone> FromIterator<(K, V)> for ShardedMap<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut map = Self::default();
        for (key, value) in entries {
            map.insert(key, value);
        }
        map
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for ShardedMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.shards.iter().flat_map(|shard| shard.iter())).finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_map_and_a_copy_keeps_what_it_had(
            before in prop::collection::vec((0..400_u16, any::<u8>()), 0..400),
            after in prop::collection::vec((0..400_u16, any::<Option<u8>>()), 0..50),
        ) {
            let original: ShardedMap<u16, u8> = before.iter().copied().collect();
            let mut plain: HashMap<u16, u8> = before.into_iter().collect();
            let then = plain.clone();
            let mut changed = original.clone();
            for (key, value) in after {
                match value {
                    Some(value) => prop_assert_eq!(changed.insert(key, value), plain.insert(key, value)),
                    None => prop_assert_eq!(changed.remove(&key), plain.remove(&key)),
                }
            }
            for key in 0..400 {
                prop_assert_eq!(changed.find(&key), plain.get(&key));
                prop_assert_eq!(original.find(&key), then.get(&key));
            }
            prop_assert_eq!(changed.values().count(), plain.len());
        }
    }

    #[test]
    fn a_changed_copy_shares_all_parts_but_one() {
        let original: ShardedMap<u32, u32> = (0..10_000).map(|n| (n, n)).collect();
        let mut changed = original.clone();
        changed.insert(7, 8);
        let pairs = original.shards.iter().zip(changed.shards.iter());
        assert_eq!(pairs.filter(|(one, other)| !Arc::ptr_eq(one, other)).count(), 1);
    }
}
