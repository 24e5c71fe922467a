//! A JSON object whose members keep their order and their text, for files that belong to another program.

use std::fmt;

use serde::de::{Error, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::ser::PrettyFormatter;
use serde_json::value::{RawValue, to_raw_value};

/// The members of an object, in order, each value as it was written.
#[derive(Debug, Default)]
pub(super) struct OrderedObject(Vec<(String, Box<RawValue>)>);

impl OrderedObject {
    /// The value of a member.
    pub(super) fn member(&self, name: &str) -> Option<&RawValue> {
        self.0.iter().find(|(own, _)| own == name).map(|(_, value)| &**value)
    }

    /// Sets a member, in its place or at the end.
    pub(super) fn set(&mut self, name: &str, value: &impl Serialize) -> serde_json::Result<()> {
        let value = to_raw_value(value)?;
        match self.0.iter_mut().find(|(own, _)| own == name) {
            Some((_, own)) => *own = value,
            None => self.0.push((name.to_owned(), value)),
        }
        Ok(())
    }

    /// Removes a member; false when there is none.
    pub(super) fn remove(&mut self, name: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|(own, _)| own != name);
        self.0.len() < before
    }

    /// The text, one member a line, indented by tabs as docker does.
    pub(super) fn pretty(&self) -> serde_json::Result<String> {
        let mut text = Vec::new();
        let formatter = PrettyFormatter::with_indent(b"\t");
        self.serialize(&mut serde_json::Serializer::with_formatter(&mut text, formatter))?;
        text.push(b'\n');
        String::from_utf8(text).map_err(serde::ser::Error::custom)
    }
}

impl Serialize for OrderedObject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for OrderedObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = OrderedObject;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<OrderedObject, A::Error> {
        let mut object = OrderedObject::default();
        while let Some((name, value)) = map.next_entry::<String, Box<RawValue>>()? {
            if object.member(&name).is_some() {
                return Err(A::Error::custom(format!("`{name}` is in it twice")));
            }
            object.0.push((name, value));
        }
        Ok(object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_texts_stay() {
        let text = "{\n\t\"z\": 1e400,\n\t\"a\": {\"b\":   [1.50]},\n\t\"m\": 12345678901234567890123\n}\n";
        let mut object: OrderedObject = serde_json::from_str(text).unwrap();
        assert_eq!(object.pretty().unwrap(), text);
        object.set("a", &true).unwrap();
        object.set("new", &0).unwrap();
        assert!(object.remove("m") && !object.remove("m"));
        assert_eq!(
            object.pretty().unwrap(),
            "{\n\t\"z\": 1e400,\n\t\"a\": true,\n\t\"new\": 0\n}\n"
        );
    }

    #[test]
    fn what_is_no_object_or_has_a_member_twice_is_refused() {
        for text in ["", "[]", "{", "{\"a\":1,\"a\":2}", "{} x"] {
            assert!(serde_json::from_str::<OrderedObject>(text).is_err(), "{text}");
        }
    }
}
