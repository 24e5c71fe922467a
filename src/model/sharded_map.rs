//! A map whose changed copy shares what did not change.

use std::borrow::Borrow;
use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

/// Into how many parts a map is cut: to change one entry of a copy, one part of so many is copied.
const SHARDS: usize = 256;

/// A map that is copied at once, and of which a changed copy shares all but the parts that changed with the original.
#[derive(Clone)]
pub struct ShardedMap<K, V, S = RandomState> {
    shards: Arc<[Arc<Shard<K, V>>]>,
    hasher: S,
}

type Shard<K, V> = HashTable<(K, V)>;

impl<K: Clone + Eq + Hash, V: Clone, S: BuildHasher> ShardedMap<K, V, S> {
    /// The value of a key.
    pub fn find<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.entry_of(key).map(|(_, value)| value)
    }

    /// The key that is there, and is equal to this one: for keys that are looked up by a part of what they are.
    pub fn find_key<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<&K>
    where
        K: Borrow<Q>,
    {
        self.entry_of(key).map(|(own, _)| own)
    }

    /// The value of a key that has one, to be changed.
    pub fn find_mut<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        // a part without it is not copied
        self.find(key)?;
        let hash = self.hasher.hash_one(key);
        let (_, value) =
            part(&mut self.shards, hash)?.find_mut(hash, |(own, _)| own.borrow() == key)?;
        Some(value)
    }

    /// Sets the value of a key, and returns the one that it had. The key too takes the place of the one that is equal to it.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.at(&key)? {
            Entry::Occupied(mut place) => Some(std::mem::replace(place.get_mut(), (key, value)).1),
            Entry::Vacant(place) => {
                place.insert((key, value));
                None
            }
        }
    }

    /// Takes a key out, and returns its value.
    pub fn remove<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.take(key).map(|(_, value)| value)
    }

    /// Takes a key out, and returns it with its value.
    pub fn take<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<(K, V)>
    where
        K: Borrow<Q>,
    {
        // a part without it is not copied
        self.find(key)?;
        let hash = self.hasher.hash_one(key);
        let place =
            part(&mut self.shards, hash)?.find_entry(hash, |(own, _)| own.borrow() == key).ok()?;
        Some(place.remove().0)
    }

    /// Makes room for so many keys more, about: a map that grows writes what it holds again and again.
    pub fn reserve(&mut self, additional: usize) {
        let Self { shards, hasher } = self;
        let additional = additional / SHARDS;
        if additional == 0 {
            return;
        }
        for shard in Arc::make_mut(shards) {
            Arc::make_mut(shard).reserve(additional, |(own, _)| hasher.hash_one(own));
        }
    }

    /// The value of a key, to be changed; the default is put there when it has none.
    pub fn entry(&mut self, key: K) -> Option<&mut V>
    where
        V: Default,
    {
        let place = match self.at(&key)? {
            Entry::Occupied(place) => place,
            Entry::Vacant(place) => place.insert((key, V::default())),
        };
        Some(&mut place.into_mut().1)
    }

    /// All values, in no particular order.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.entries().map(|(_, value)| value)
    }

    /// All keys, in no particular order.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.entries().map(|(key, _)| key)
    }

    fn entries(&self) -> impl Iterator<Item = &(K, V)> {
        self.shards.iter().flat_map(|shard| shard.iter())
    }

    fn entry_of<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<&(K, V)>
    where
        K: Borrow<Q>,
    {
        let hash = self.hasher.hash_one(key);
        self.shards.get(shard(hash))?.find(hash, |(own, _)| own.borrow() == key)
    }

    fn at(&mut self, key: &K) -> Option<Entry<'_, (K, V)>> {
        let hash = self.hasher.hash_one(key);
        let Self { shards, hasher } = self;
        let part = part(shards, hash)?;
        Some(part.entry(hash, |(own, _)| own == key, |(own, _)| hasher.hash_one(own)))
    }
}

/// The part that a hash belongs to, to be changed.
fn part<K: Clone, V: Clone>(
    shards: &mut Arc<[Arc<Shard<K, V>>]>,
    hash: u64,
) -> Option<&mut Shard<K, V>> {
    Arc::make_mut(shards).get_mut(shard(hash)).map(Arc::make_mut)
}

/// Which part a hash belongs to. Within a part its lowest and highest bits count, so these are others.
fn shard(hash: u64) -> usize {
    usize::from(hash.to_le_bytes()[4])
}

impl<K, V, S: Default> Default for ShardedMap<K, V, S> {
    fn default() -> Self {
        let empty = Arc::new(Shard::default());
        Self { shards: std::iter::repeat_n(empty, SHARDS).collect(), hasher: S::default() }
    }
}

impl<K: Clone + Eq + Hash, V: Clone, S: BuildHasher + Default> FromIterator<(K, V)>
    for ShardedMap<K, V, S>
{
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut map = Self::default();
        for (key, value) in entries {
            map.insert(key, value);
        }
        map
    }
}

impl<K: fmt::Debug, V: fmt::Debug, S> fmt::Debug for ShardedMap<K, V, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = self.shards.iter().flat_map(|shard| shard.iter());
        f.debug_map().entries(entries.map(|(key, value)| (key, value))).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_map_and_a_copy_keeps_what_it_had(
            before in prop::collection::vec((0..400_u16, any::<u8>()), 0..400),
            after in prop::collection::vec((0..400_u16, any::<Option<u8>>()), 0..50),
            room in 0..5_000_usize,
        ) {
            let original: ShardedMap<u16, u8> = before.iter().copied().collect();
            let mut plain: HashMap<u16, u8> = before.into_iter().collect();
            let then = plain.clone();
            let mut changed = original.clone();
            changed.reserve(room);
            for (key, value) in after {
                if key % 3 == 0 && let Some(place) = changed.find_mut(&key) {
                    *place = place.wrapping_add(1);
                    plain.entry(key).and_modify(|own| *own = own.wrapping_add(1));
                } else if let Some(value) = value {
                    prop_assert_eq!(changed.insert(key, value), plain.insert(key, value));
                } else {
                    prop_assert_eq!(changed.remove(&key), plain.remove(&key));
                }
            }
            for key in 0..400 {
                prop_assert_eq!(changed.find(&key), plain.get(&key));
                prop_assert_eq!(changed.find_key(&key), plain.get_key_value(&key).map(|own| own.0));
                prop_assert_eq!(original.find(&key), then.get(&key));
            }
            prop_assert_eq!(changed.values().count(), plain.len());
            prop_assert_eq!(changed.keys().collect::<HashSet<_>>(), plain.keys().collect());
        }
    }

    #[test]
    fn a_key_that_is_put_again_is_the_one_that_is_found() {
        /// Found by its first part.
        #[derive(Clone, Debug)]
        struct Named(u8, &'static str);

        impl PartialEq for Named {
            fn eq(&self, other: &Self) -> bool {
                self.0 == other.0
            }
        }

        impl Eq for Named {}

        impl Hash for Named {
            fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
                self.0.hash(state);
            }
        }

        let mut map: ShardedMap<Named, u8> = ShardedMap::default();
        assert_eq!(map.insert(Named(1, "old"), 1), None);
        let copy = map.clone();
        assert_eq!(map.insert(Named(1, "new"), 2), Some(1));
        assert_eq!(map.find_key(&Named(1, "")).map(|own| own.1), Some("new"));
        assert_eq!(map.keys().count(), 1);
        assert_eq!(copy.find_key(&Named(1, "")).map(|own| own.1), Some("old"));
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
