//! The claims of an identity as a decision looks at them: by name, thousands of times a second, from memory that is not in the cache.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::ClaimName;

/// Where a claim is found by its name.
pub trait Members {
    /// The member of this name at the top level.
    fn member(&self, name: &str) -> Option<Claim<'_>>;
}

/// The value of a claim.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Claim<'a> {
    /// A text.
    Text(&'a str),
    /// Anything else.
    Other(&'a Value),
}

/// Claims, flat: each text beside its name, and all of them in one piece. To find one touches three lines of memory.
#[derive(Clone, Debug)]
pub struct ClaimTable {
    /// By the hash of a name, in the slot of that number or the next that is free: one more than the number of the entry; 0 = free.
    slots: Box<[u16]>,
    /// In the order of the claims.
    entries: Box<[Entry]>,
    texts: Box<str>,
    others: Box<[Value]>,
}

/// Where a claim is.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// Of the name. Two of one hash cost a comparison, never more.
    hash: u32,
    /// Where the name begins in the texts.
    start: u32,
    /// Where the name ends.
    end: u32,
    value: Where,
}

/// Where a value is.
#[derive(Clone, Copy, Debug)]
enum Where {
    /// In the texts, from the end of its name to here.
    TextUntil(u32),
    /// Among the others.
    Other(u32),
}

/// A name of a claim that is looked up in many tables.
#[derive(Clone, Debug)]
pub struct HashedName {
    name: ClaimName,
    hash: u32,
}

impl<'a> From<&'a Value> for Claim<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::String(text) => Self::Text(text),
            other => Self::Other(other),
        }
    }
}

impl Claim<'_> {
    /// The value by itself.
    pub fn to_value(self) -> Value {
        match self {
            Self::Text(text) => text.into(),
            Self::Other(value) => value.clone(),
        }
    }
}

impl Serialize for Claim<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Other(value) => value.serialize(serializer),
        }
    }
}

impl ClaimTable {
    /// All claims, in the order of the map.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Claim<'_>)> {
        self.entries.iter().filter_map(|entry| Some((self.name(entry)?, self.value(entry)?)))
    }

    /// The claims as a JSON object.
    pub fn to_map(&self) -> Map<String, Value> {
        self.iter().map(|(name, value)| (name.to_owned(), value.to_value())).collect()
    }

    fn new(claims: Map<String, Value>, hash: impl Fn(&str) -> u32) -> Self {
        let (mut entries, mut texts, mut others) = (Vec::new(), String::new(), Vec::new());
        for (name, value) in claims {
            let start = offset(texts.len());
            texts.push_str(&name);
            let end = offset(texts.len());
            let value = if let Value::String(text) = value {
                texts.push_str(&text);
                Where::TextUntil(offset(texts.len()))
            } else {
                others.push(value);
                Where::Other(offset(others.len() - 1))
            };
            entries.push(Entry { hash: hash(&name), start, end, value });
        }
        // a number has 16 bits: claims after 65,535 are not found, nor do so many fit into the 16 KiB of an identity token
        let mut slots = vec![0; (entries.len() * 2).next_power_of_two()];
        for (entry, number) in entries.iter().zip(1..=u16::MAX) {
            let free = probes(entry.hash, slots.len()).find(|at| slots.get(*at) == Some(&0));
            if let Some(slot) = free.and_then(|at| slots.get_mut(at)) {
                *slot = number;
            }
        }
        let (slots, entries) = (slots.into(), entries.into());
        Self { slots, entries, texts: texts.into(), others: others.into() }
    }

    #[inline]
    fn find(&self, name: &str, hash: u32) -> Option<Claim<'_>> {
        for at in probes(hash, self.slots.len()) {
            // none for a slot that is free: the name is not there
            let number = self.slots.get(at)?.checked_sub(1)?;
            let entry = self.entries.get(usize::from(number))?;
            if entry.hash == hash && self.name(entry) == Some(name) {
                return self.value(entry);
            }
        }
        None
    }

    #[inline]
    fn name(&self, entry: &Entry) -> Option<&str> {
        self.texts.get(entry.start as usize..entry.end as usize)
    }

    #[inline]
    fn value(&self, entry: &Entry) -> Option<Claim<'_>> {
        match entry.value {
            Where::TextUntil(end) => {
                self.texts.get(entry.end as usize..end as usize).map(Claim::Text)
            }
            Where::Other(number) => self.others.get(number as usize).map(Claim::from),
        }
    }
}

impl From<Map<String, Value>> for ClaimTable {
    fn from(claims: Map<String, Value>) -> Self {
        Self::new(claims, hash)
    }
}

/// The slots in which a hash may be, as many as there are; `slots` is a power of two.
fn probes(hash: u32, slots: usize) -> impl Iterator<Item = usize> {
    (0..slots).map(move |step| (hash as usize).wrapping_add(step) & slots.wrapping_sub(1))
}

/// An identity token has a few KiB. In one of four thousand million, claims would be found nowhere.
fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

impl Members for ClaimTable {
    fn member(&self, name: &str) -> Option<Claim<'_>> {
        self.find(name, hash(name))
    }
}

impl Members for Map<String, Value> {
    fn member(&self, name: &str) -> Option<Claim<'_>> {
        self.get(name).map(Claim::from)
    }
}

impl HashedName {
    /// The name.
    pub const fn name(&self) -> &ClaimName {
        &self.name
    }

    /// The value that the name points at.
    #[inline]
    pub fn find<'a>(&self, claims: &'a ClaimTable) -> Option<Claim<'a>> {
        if self.name.is_pointer() {
            self.name.find(claims)
        } else {
            claims.find(self.name.as_str(), self.hash)
        }
    }
}

impl From<ClaimName> for HashedName {
    fn from(name: ClaimName) -> Self {
        Self { hash: hash(name.as_str()), name }
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

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            any::<i64>().prop_map(Value::from),
            "[a-é]{0,4}".prop_map(Value::from),
            Just(serde_json::json!({"a": ["b", null], "/": {"~": ""}})),
        ]
    }

    proptest! {
        #[test]
        fn c7_the_table_and_the_map_agree(
            claims in prop::collection::btree_map("[a-c/~]{0,3}", value(), 0..40),
            name in "[a-c/~]{0,3}",
        ) {
            let map: Map<String, Value> = claims.into_iter().collect();
            let table = ClaimTable::from(map.clone());
            prop_assert_eq!(table.member(&name), map.member(&name));
            if let Ok(name) = name.parse::<ClaimName>() {
                prop_assert_eq!(HashedName::from(name.clone()).find(&table), name.find(&map));
            }
            prop_assert_eq!(table.to_map(), map);
        }
    }

    #[test]
    fn names_of_one_hash_are_told_apart() {
        let Value::Object(claims) = serde_json::json!({"one": 1, "two": "2"}) else {
            panic!("claims are an object")
        };
        let table = ClaimTable::new(claims, |_| 7);
        assert_eq!(table.find("one", 7), Some(Claim::Other(&1.into())));
        assert_eq!(table.find("two", 7), Some(Claim::Text("2")));
        assert_eq!(table.find("three", 7), None);
    }
}
