//! JSON that may be of another kind than expected, which then counts as absent.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// A text, borrowed where nothing in it is escaped.
#[derive(Debug, Default)]
pub(super) struct Text<'a>(Option<Cow<'a, str>>);

impl Text<'_> {
    pub(super) fn as_deref(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

/// An object; anything else is one without members.
#[derive(Debug, Default)]
pub(super) struct Object<T>(T);

impl<T> Deref for Object<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor).map(Text)
    }
}

impl<'de, T: Default + Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ObjectVisitor(PhantomData)).map(Object)
    }
}

struct TextVisitor;

struct ObjectVisitor<T>(PhantomData<T>);

/// What of JSON is neither a text nor an object.
macro_rules! absent {
    ($absent:expr) => {
        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
            Ok($absent)
        }

        fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
            Ok($absent)
        }

        fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
            Ok($absent)
        }

        fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
            Ok($absent)
        }

        fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
            Ok($absent)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
            while items.next_element::<IgnoredAny>()?.is_some() {}
            Ok($absent)
        }
    };
}

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Option<Cow<'de, str>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(text.to_owned())))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    absent!(None);
}

impl<'de, T: Default + Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(members))
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<T, E> {
        Ok(T::default())
    }

    absent!(T::default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    struct Member<'a> {
        #[serde(borrow)]
        a: Text<'a>,
    }

    #[test]
    fn what_is_expected_is_read() {
        let read: Object<Member<'_>> = serde_json::from_str(r#"{"b":[1],"a":"x"}"#).unwrap();
        assert!(matches!(&read.a.0, Some(Cow::Borrowed("x"))));
        let read: Object<Member<'_>> = serde_json::from_str(r#"{"a":"\n\"é"}"#).unwrap();
        assert_eq!(read.a.as_deref(), Some("\n\"é"));
    }

    #[test]
    fn what_is_something_else_is_absent_but_damage_is_damage() {
        for json in ["null", "true", "-1", "1", "1.5", r#""a""#, r#"["a"]"#, r#"{"b":"a"}"#] {
            let object: Object<Member<'_>> = serde_json::from_str(json).unwrap();
            assert_eq!(object.a.as_deref(), None, "{json}");
            let member = format!(r#"{{"a":{json}}}"#);
            let object: Object<Member<'_>> = serde_json::from_str(&member).unwrap();
            assert_eq!(object.a.as_deref(), (json == r#""a""#).then_some("a"), "{json}");
        }
        for json in ["", "{", "[1", r#"{"a":tru}"#] {
            assert!(serde_json::from_str::<Object<Member<'_>>>(json).is_err(), "{json}");
        }
    }
}
