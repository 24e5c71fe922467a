//! The claims of an identity as a decision looks at them: by name, thousands of times a second, from memory that is not in the cache.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use serde_json::{Map, Value};

/// Where a claim is found by its name.
pub trait Members {
    /// The member of this name at the top level.
    fn member(&self, name: &str) -> Option<&Value>;
}

/// Claims, flat: to find one touches four lines of memory, of which a map touches one or more for each name that it compares.
#[derive(Clone, Debug)]
pub struct ClaimTable {
    /// Of the names; in the order of the claims. Two of one hash cost a comparison, never more.
    hashes: Box<[u32]>,
    claims: Box<[(Box<str>, Value)]>,
}

impl ClaimTable {
    /// All claims, in the order of the map.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.claims.iter().map(|(name, value)| (&**name, value))
    }

    /// The claims as a JSON object.
    pub fn to_map(&self) -> Map<String, Value> {
        self.iter().map(|(name, value)| (name.to_owned(), value.clone())).collect()
    }
}

impl From<Map<String, Value>> for ClaimTable {
    fn from(claims: Map<String, Value>) -> Self {
        Self {
            hashes: claims.keys().map(|name| hash(name)).collect(),
            claims: claims.into_iter().map(|(name, value)| (name.into(), value)).collect(),
        }
    }
}

impl Members for ClaimTable {
    fn member(&self, name: &str) -> Option<&Value> {
        let wanted = hash(name);
        let alike = self.hashes.iter().zip(&self.claims).filter(|(own, _)| **own == wanted);
        alike.map(|(_, claim)| claim).find_map(|(own, value)| (**own == *name).then_some(value))
    }
}

impl Members for Map<String, Value> {
    fn member(&self, name: &str) -> Option<&Value> {
        self.get(name)
    }
}

/// Half of a hash is enough to tell a few names apart.
fn hash(name: &str) -> u32 {
    let [a, b, c, d, ..] = FixedState::default().hash_one(name).to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn c7_the_table_and_the_map_agree(
            claims in prop::collection::btree_map("[a-c/~]{0,3}", any::<i64>(), 0..40),
            name in "[a-c/~]{0,3}",
        ) {
            let map: Map<String, Value> =
                claims.into_iter().map(|(name, value)| (name, value.into())).collect();
            let table = ClaimTable::from(map.clone());
            prop_assert_eq!(table.member(&name), map.get(&name));
            prop_assert_eq!(table.to_map(), map);
        }
    }

    #[test]
    fn names_of_one_hash_are_told_apart() {
        let claims = [("one".into(), 1.into()), ("two".into(), 2.into())];
        let table = ClaimTable { hashes: [hash("two"); 2].into(), claims: claims.into() };
        assert_eq!(table.member("two"), Some(&2.into()));
    }
}
