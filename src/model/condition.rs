//! Conditions on the claims of an identity.

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use super::text::{self, Texts};
use super::{Claim, Few, Glob, Members, Text};

/// A claim and the values that are accepted in it; one of them is enough.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct ClaimCondition {
    /// Which claim.
    pub name: ClaimName,
    /// The values, at least one.
    pub accepted: Few<Accepted>,
}

impl ClaimCondition {
    pub(super) fn share_texts(&mut self, texts: &mut Texts) {
        texts.share(&mut self.name.0);
        for accepted in &mut *self.accepted {
            if let Accepted::Text(glob) = accepted {
                texts.share(glob);
            }
        }
    }

    /// True when the claim is present and has an accepted value; for a list claim, any element.
    /// A claim that is missing, null, an object or of another type never matches, whatever is accepted.
    pub fn holds(&self, claims: &impl Members) -> bool {
        match self.name.find(claims) {
            Some(Claim::Other(Value::Array(elements))) => {
                elements.iter().any(|element| self.accepts(element.into()))
            }
            Some(value) => self.accepts(value),
            None => false,
        }
    }

    fn accepts(&self, value: Claim<'_>) -> bool {
        self.accepted.iter().any(|accepted| accepted.matches(value))
    }
}

/// The name of a claim: a top-level member verbatim, or, when it starts with `/`, a JSON Pointer (RFC 6901).
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ClaimName(Text);

impl ClaimName {
    /// The name as it was written.
    #[inline]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True for a JSON Pointer.
    pub fn is_pointer(&self) -> bool {
        self.0.starts_with('/')
    }

    /// The value that the name points at.
    pub fn find<'a>(&self, claims: &'a impl Members) -> Option<Claim<'a>> {
        let Some(pointer) = self.0.strip_prefix('/') else { return claims.member(&self.0) };
        let mut references = pointer.split('/').map(unescape);
        let member = claims.member(references.next()?.as_ref())?;
        references.try_fold(member, |value, reference| step(value, &reference))
    }
}

impl FromStr for ClaimName {
    type Err = InvalidClaimName;

    fn from_str(text: &str) -> Result<Self, InvalidClaimName> {
        let fits = (1..=256).contains(&text.len()) && !text.chars().any(char::is_control);
        let mut after_tilde = text.split('~').skip(1);
        let pointer = text.starts_with('/');
        if fits && (!pointer || after_tilde.all(|rest| rest.starts_with(['0', '1']))) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidClaimName)
        }
    }
}

impl Serialize for ClaimName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ClaimName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text::parse(deserializer)
    }
}

impl fmt::Display for ClaimName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that names no claim.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "a claim's name has 1 to 256 printable characters; one that starts with `/` is a JSON Pointer"
)]
pub struct InvalidClaimName;

/// A value that is accepted in a claim, of one type: `"123456"` never equals `123456`.
#[derive(Clone, Debug, Eq, Hash, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Accepted {
    /// A truth value.
    Boolean(bool),
    /// A whole number; a claim written with a fraction or exponent never equals it.
    Integer(i64),
    /// A text or an anchored pattern of texts.
    Text(Glob),
}

impl Accepted {
    /// True when `value` is of the same type and fits.
    pub fn matches(&self, value: Claim<'_>) -> bool {
        match (self, value) {
            (Self::Boolean(own), Claim::Other(Value::Bool(claim))) => own == claim,
            (Self::Integer(own), Claim::Other(Value::Number(claim))) => {
                claim.as_i64() == Some(*own)
            }
            (Self::Text(glob), Claim::Text(claim)) => glob.matches(claim),
            _ => false,
        }
    }

    /// True when exactly one value fits.
    pub fn is_exact(&self) -> bool {
        match self {
            Self::Boolean(_) | Self::Integer(_) => true,
            Self::Text(glob) => glob.is_exact(),
        }
    }
}

/// By its type at once: to try one after the other makes an error for each that it is not.
impl<'de> Deserialize<'de> for Accepted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyAccepted)
    }
}

struct AnyAccepted;

impl Visitor<'_> for AnyAccepted {
    type Value = Accepted;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a whole number or a truth value")
    }

    fn visit_bool<E>(self, own: bool) -> Result<Accepted, E> {
        Ok(Accepted::Boolean(own))
    }

    fn visit_i64<E>(self, own: i64) -> Result<Accepted, E> {
        Ok(Accepted::Integer(own))
    }

    fn visit_u64<E: de::Error>(self, own: u64) -> Result<Accepted, E> {
        let too_large = |_| E::invalid_value(de::Unexpected::Unsigned(own), &self);
        i64::try_from(own).map(Accepted::Integer).map_err(too_large)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Accepted, E> {
        text.parse().map(Accepted::Text).map_err(E::custom)
    }
}

impl fmt::Display for Accepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean(own) => own.fmt(f),
            Self::Integer(own) => own.fmt(f),
            Self::Text(glob) => write!(f, "\"{glob}\""),
        }
    }
}

/// One step of a JSON Pointer (RFC 6901, section 4).
fn step<'a>(value: Claim<'a>, reference: &str) -> Option<Claim<'a>> {
    let Claim::Other(value) = value else { return None };
    let member = match value {
        Value::Object(members) => members.get(reference),
        Value::Array(elements) if reference == "0" || !reference.starts_with(['0', '+']) => {
            elements.get(reference.parse::<usize>().ok()?)
        }
        _ => None,
    };
    member.map(Claim::from)
}

fn unescape(reference: &str) -> Cow<'_, str> {
    if reference.contains('~') {
        Cow::Owned(reference.replace("~1", "/").replace("~0", "~"))
    } else {
        Cow::Borrowed(reference)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn holds(name: &str, accepted: &Value, claims: Value) -> bool {
        let condition = ClaimCondition {
            name: name.parse().unwrap(),
            accepted: serde_json::from_value(accepted.clone()).unwrap(),
        };
        let Value::Object(claims) = claims else { panic!("claims are an object") };
        condition.holds(&claims)
    }

    #[test]
    fn types_are_never_converted() {
        assert!(holds("id", &json!(["123"]), json!({"id": "123"})));
        assert!(!holds("id", &json!(["123"]), json!({"id": 123})));
        assert!(!holds("id", &json!([123]), json!({"id": "123"})));
        assert!(holds("id", &json!([123]), json!({"id": 123})));
        assert!(!holds("id", &json!([123]), json!({"id": 123.0})));
        assert!(holds(
            "id",
            &json!([9_007_199_254_740_993_i64]),
            json!({"id": 9_007_199_254_740_993_i64})
        ));
        assert!(!holds(
            "id",
            &json!([9_007_199_254_740_992_i64]),
            json!({"id": 9_007_199_254_740_993_i64})
        ));
        assert!(holds("ok", &json!([true]), json!({"ok": true})));
        assert!(!holds("ok", &json!([true]), json!({"ok": "true"})));
    }

    #[test]
    fn b3_what_is_no_text_whole_number_or_truth_value_is_not_accepted() {
        let read = |value: &Value| serde_json::from_value::<Accepted>(value.clone());
        for value in [json!("main"), json!("refs/*"), json!(-7), json!(i64::MAX), json!(true)] {
            assert_eq!(serde_json::to_value(read(&value).unwrap()).unwrap(), value);
        }
        for value in
            [json!(null), json!(1.0), json!(u64::MAX), json!(["a"]), json!({}), json!("***")]
        {
            assert!(read(&value).is_err(), "{value}");
        }
    }

    #[test]
    fn missing_null_and_object_never_match_not_even_a_star() {
        for claims in [
            json!({}),
            json!({"a": null}),
            json!({"a": {}}),
            json!({"a": [null, {}]}),
            json!({"a": []}),
        ] {
            assert!(!holds("a", &json!(["*", "**"]), claims));
        }
        assert!(holds("a", &json!(["*"]), json!({"a": ""})));
    }

    #[test]
    fn any_element_of_a_list_claim_is_enough() {
        assert!(holds("groups", &json!(["ops"]), json!({"groups": ["dev", "ops"]})));
        assert!(!holds("groups", &json!(["ops"]), json!({"groups": ["dev", ["ops"]]})));
    }

    #[test]
    fn names_are_verbatim_or_pointers() {
        let claims = json!({
            "kubernetes.io": {"namespace": "ns", "a/b": "slash", "": "empty"},
            "https://sts.amazonaws.com/": {"account": "1"},
            "a/b": "top",
            "list": [{"id": "first"}, {"id": "second"}],
        });
        assert!(holds("/list/1/id", &json!(["second"]), claims.clone()));
        assert!(!holds("/list/01/id", &json!(["second"]), claims.clone()));
        assert!(!holds("/list/+1/id", &json!(["second"]), claims.clone()));
        assert!(holds("/kubernetes.io/namespace", &json!(["ns"]), claims.clone()));
        assert!(holds("/kubernetes.io/a~1b", &json!(["slash"]), claims.clone()));
        assert!(holds("/kubernetes.io/", &json!(["empty"]), claims.clone()));
        assert!(holds("/https:~1~1sts.amazonaws.com~1/account", &json!(["1"]), claims.clone()));
        assert!(holds("a/b", &json!(["top"]), claims.clone()));
        assert!(!holds("kubernetes.io/namespace", &json!(["ns"]), claims));
        assert!("/a~2".parse::<ClaimName>().is_err());
    }
}
