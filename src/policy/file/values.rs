//! Values of a policy file that can be written in more than one way.

use jiff::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use toml::{Spanned, Value};

use crate::model::{Accepted, Few};

/// A point in time: a TOML date and time with an offset, or the same as text.
pub(super) fn time<'de, D: Deserializer<'de>>(source: D) -> Result<Option<Timestamp>, D::Error> {
    let text = match Value::deserialize(source)? {
        Value::Datetime(time) => time.to_string(),
        Value::String(text) => text,
        other => other.to_string(),
    };
    let remedy = |error: jiff::Error| {
        D::Error::custom(format!(
            "`{text}` is not a point in time: write it like 2026-12-31T23:59:59Z ({error})"
        ))
    };
    text.parse().map(Some).map_err(remedy)
}

/// The values that are accepted in a claim: one, or a list.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub(super) struct AcceptedValues(pub(super) Few<Accepted>);

impl<'de> Deserialize<'de> for AcceptedValues {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let values = match Value::deserialize(source)? {
            Value::Array(values) => values,
            one => vec![one],
        };
        let accepted = values.into_iter().map(accepted).collect::<Result<_, _>>();
        accepted.map(Self).map_err(D::Error::custom)
    }
}

/// Writes the value without its place in the file.
pub(super) fn unspanned<T: Serialize, S: Serializer>(
    value: &Spanned<T>,
    target: S,
) -> Result<S::Ok, S::Error> {
    value.get_ref().serialize(target)
}

fn accepted(value: Value) -> Result<Accepted, String> {
    match value {
        Value::Boolean(own) => Ok(Accepted::Boolean(own)),
        Value::Integer(own) => Ok(Accepted::Integer(own)),
        Value::String(text) => {
            text.parse().map(Accepted::Text).map_err(|cause| format!("`{text}`: {cause}"))
        }
        other => Err(format!(
            "`{other}` cannot be compared with a claim: use a text, a whole number, or true or false"
        )),
    }
}
