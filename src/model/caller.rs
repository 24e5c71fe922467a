//! What is known of a caller as the audit trail keeps it: written as JSON once for each identity, and shared by all events that name it.

use std::sync::Arc;

use aws_lc_rs::digest;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// A JSON object as its exact text. Cheap to clone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct JsonObject(Arc<str>);

impl JsonObject {
    /// The object that a value is written as; `None` for a value that is not written as an object.
    pub fn of(value: &impl Serialize) -> Option<Self> {
        Self::parse(&serde_json::to_string(value).ok()?)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The members.
    pub fn members(&self) -> Map<String, Value> {
        // INVARIANT: it was read or written as an object
        self.read().unwrap_or_default()
    }

    /// The value that is written so.
    ///
    /// # Errors
    /// It is of another shape.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(&self.0)
    }

    fn parse(json: &str) -> Option<Self> {
        json.starts_with('{').then(|| Self(json.into()))
    }
}

impl Default for JsonObject {
    fn default() -> Self {
        Self("{}".into())
    }
}

impl Serialize for JsonObject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        raw(&self.0)?.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for JsonObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::parse(raw.get()).ok_or_else(|| D::Error::custom("it is no JSON object"))
    }
}

/// Verified claims: their JSON, and the SHA-256 of it. Cheap to clone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Claims {
    hash: [u8; 32],
    json: Arc<str>,
}

impl Claims {
    /// Claims as they were verified.
    pub fn of(claims: &Map<String, Value>) -> Self {
        // INVARIANT: the keys of a JSON object are texts, so it can be written
        let json = serde_json::to_string(claims).unwrap_or_default();
        let mut hash = [0; 32];
        hash.copy_from_slice(digest::digest(&digest::SHA256, json.as_bytes()).as_ref());
        Self { hash, json: json.into() }
    }

    /// Claims as they were kept. Whether the hash is theirs is not looked at: that is part of verifying the audit trail.
    pub fn from_stored(hash: [u8; 32], json: &str) -> Self {
        Self { hash, json: json.into() }
    }

    /// SHA-256 of the JSON.
    pub const fn hash(&self) -> &[u8; 32] {
        &self.hash
    }

    /// The JSON of the claims.
    pub fn json(&self) -> &str {
        &self.json
    }

    /// The claims.
    ///
    /// # Errors
    /// What was kept of them is damaged.
    pub fn members(&self) -> Result<Map<String, Value>, serde_json::Error> {
        serde_json::from_str(&self.json)
    }
}

impl Serialize for Claims {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        raw(&self.json)?.serialize(serializer)
    }
}

fn raw<E: serde::ser::Error>(json: &str) -> Result<&RawValue, E> {
    serde_json::from_str(json).map_err(E::custom)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_keeps_its_bytes_and_nothing_else_is_one() {
        let text = r#"{"b":1.50,"a":[]}"#;
        let object: JsonObject = serde_json::from_str(text).unwrap();
        assert_eq!((object.as_str(), serde_json::to_string(&object).unwrap()), (text, text.into()));
        assert_eq!(Value::Object(object.members()), json!({"a": [], "b": 1.5}));
        for other in ["[]", "1", "null", "\"{}\""] {
            assert!(serde_json::from_str::<JsonObject>(other).is_err(), "{other}");
        }
        assert_eq!(JsonObject::of(&1), None);
    }

    #[test]
    fn claims_are_read_back_and_damaged_ones_are_not() {
        let Value::Object(members) = json!({"sub": "me", "n": 1.5}) else { panic!("an object") };
        let claims = Claims::of(&members);
        assert_eq!(claims.members().unwrap(), members);
        assert!(Claims::from_stored(*claims.hash(), "").members().is_err());
    }
}
