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

/// Claims, flat: each text beside its name, and all of them in one piece.
#[derive(Clone, Debug)]
pub struct ClaimTable {
    /// Of the names; in the order of the claims. Two of one hash cost a comparison, never more.
    hashes: Box<[u32]>,
    entries: Box<[Entry]>,
    texts: Box<str>,
    others: Box<[Value]>,
}

/// Where a claim is.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// Where its name begins in the texts.
    start: u32,
    /// Where its name ends, and its value begins when that is a text.
    value: u32,
    end: u32,
    /// Which of the others it is, when its value is no text.
    other: Option<u32>,
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
        self.entries.iter().filter_map(|entry| Some((self.name(*entry)?, self.value(*entry)?)))
    }

    /// The claims as a JSON object.
    pub fn to_map(&self) -> Map<String, Value> {
        self.iter().map(|(name, value)| (name.to_owned(), value.to_value())).collect()
    }

    fn find(&self, name: &str, wanted: u32) -> Option<Claim<'_>> {
        let alike = self.hashes.iter().zip(&self.entries).filter(|(own, _)| **own == wanted);
        let entry = alike.map(|(_, entry)| *entry).find(|own| self.name(*own) == Some(name))?;
        self.value(entry)
    }

    fn name(&self, entry: Entry) -> Option<&str> {
        self.texts.get(entry.start as usize..entry.value as usize)
    }

    fn value(&self, entry: Entry) -> Option<Claim<'_>> {
        match entry.other {
            None => self.texts.get(entry.value as usize..entry.end as usize).map(Claim::Text),
            Some(other) => self.others.get(other as usize).map(Claim::from),
        }
    }
}

impl From<Map<String, Value>> for ClaimTable {
    fn from(claims: Map<String, Value>) -> Self {
        let hashes = claims.keys().map(|name| hash(name)).collect();
        let (mut entries, mut texts, mut others) = (Vec::new(), String::new(), Vec::new());
        for (name, value) in claims {
            let start = place(texts.len());
            texts.push_str(&name);
            let (value_start, other) = (place(texts.len()), place(others.len()));
            let other = match value {
                Value::String(text) => {
                    texts.push_str(&text);
                    None
                }
                value => {
                    others.push(value);
                    Some(other)
                }
            };
            entries.push(Entry { start, value: value_start, end: place(texts.len()), other });
        }
        Self { hashes, entries: entries.into(), texts: texts.into(), others: others.into() }
    }
}

/// An identity token is no longer than a few KiB; where one were, its claims would be found nowhere.
fn place(at: usize) -> u32 {
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
        let table = ClaimTable { hashes: [hash("two"); 2].into(), ..claims.into() };
        assert_eq!(table.member("two"), Some(Claim::Text("2")));
    }
}
