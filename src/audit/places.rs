//! A place in each chain of the journal: where a list or a watch goes on.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::Found;
use crate::store::Chain;

/// A sequence number in each of some chains.
///
/// It is written as text, `0:123,2:55`; of chain 0 alone, the only one of an embedded store, as its number, `123`. In JSON it is that text, or
/// that number.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Places(BTreeMap<Chain, u64>);

/// Why a text is no place.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "a place is a number, or the number of a chain and a number for each chain, such as `0:123,2:55`"
)]
pub struct NoPlaces;

impl Places {
    /// True when no chain has a place.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The place in a chain, if one is given for it.
    pub fn of(&self, chain: Chain) -> Option<u64> {
        self.0.get(&chain).copied()
    }

    /// The place in chain 0, when no other chain has one.
    pub fn alone(&self) -> Option<u64> {
        self.of(Chain::default()).filter(|_| self.0.len() == 1)
    }

    /// Moves the place in the chain of an event to the event.
    pub fn pass(&mut self, found: &Found) {
        self.set(found.chain, found.sequence);
    }

    /// Moves the place in a chain.
    pub(super) fn set(&mut self, chain: Chain, sequence: u64) {
        self.0.insert(chain, sequence);
    }
}

impl FromIterator<(Chain, u64)> for Places {
    fn from_iter<T: IntoIterator<Item = (Chain, u64)>>(places: T) -> Self {
        Self(places.into_iter().collect())
    }
}

impl From<u64> for Places {
    /// A place in chain 0.
    fn from(sequence: u64) -> Self {
        Self([(Chain::default(), sequence)].into())
    }
}

impl fmt::Display for Places {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(sequence) = self.alone() {
            return write!(f, "{sequence}");
        }
        let mut separator = "";
        for (chain, sequence) in &self.0 {
            write!(f, "{separator}{chain}:{sequence}")?;
            separator = ",";
        }
        Ok(())
    }
}

impl FromStr for Places {
    type Err = NoPlaces;

    fn from_str(text: &str) -> Result<Self, NoPlaces> {
        if let Some(sequence) = number(text) {
            return Ok(sequence.into());
        }
        let mut places = BTreeMap::new();
        for one in text.split(',') {
            let (chain, sequence) = one.split_once(':').ok_or(NoPlaces)?;
            let chain = number(chain).and_then(|chain| chain.try_into().ok()).map(Chain);
            let known = places.insert(chain.ok_or(NoPlaces)?, number(sequence).ok_or(NoPlaces)?);
            if known.is_some() {
                return Err(NoPlaces);
            }
        }
        Ok(Self(places))
    }
}

/// Digits and nothing else.
fn number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

impl Serialize for Places {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.alone() {
            Some(sequence) => serializer.serialize_u64(sequence),
            None => serializer.collect_str(self),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_place_in_an_embedded_store_is_its_number() {
        assert_eq!(Places::from(7).to_string(), "7");
        assert_eq!(serde_json::to_string(&Places::from(7)).unwrap(), "7");
        let several: Places = [(Chain(0), 7), (Chain(3), 9)].into_iter().collect();
        assert_eq!(serde_json::to_string(&several).unwrap(), r#""0:7,3:9""#);
    }

    #[test]
    fn what_is_no_place_is_refused() {
        for text in
            ["", ",", "x", "-1", "+1", "1,2", "0:1,", "0:1,0:2", "0:", ":1", "4294967296:1", " 1"]
        {
            assert_eq!(text.parse::<Places>(), Err(NoPlaces), "`{text}`");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(places in prop::collection::btree_map(any::<u32>(), any::<u64>(), 1..5)) {
            let places: Places = places.into_iter().map(|(chain, place)| (Chain(chain), place)).collect();
            prop_assert_eq!(places.to_string().parse(), Ok(places));
        }
    }
}
