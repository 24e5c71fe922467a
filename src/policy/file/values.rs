//! Values of a policy file that can be written in more than one way.

use std::collections::BTreeMap;
use std::fmt::Display;

use jiff::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use toml::{Spanned, Value};

use crate::model::{Accepted, ClaimName};

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

/// Claims with the values that are accepted in each: one, or a list.
pub(super) fn claims<'de, D: Deserializer<'de>>(
    source: D,
) -> Result<BTreeMap<ClaimName, Vec<Accepted>>, D::Error> {
    let written = BTreeMap::<ClaimName, Value>::deserialize(source)?;
    written
        .into_iter()
        .map(|(name, value)| {
            let values = match value {
                Value::Array(values) => values,
                one => vec![one],
            };
            let accepted = values.into_iter().map(|value| accepted(&name, value));
            Ok((name.clone(), accepted.collect::<Result<_, _>>().map_err(D::Error::custom)?))
        })
        .collect()
}

/// Writes the value without its place in the file.
pub(super) fn unspanned<T: Serialize, S: Serializer>(
    value: &Spanned<T>,
    target: S,
) -> Result<S::Ok, S::Error> {
    value.get_ref().serialize(target)
}

fn accepted(name: &ClaimName, value: Value) -> Result<Accepted, String> {
    let error = |cause: &dyn Display| format!("claim `{name}`: {cause}");
    match value {
        Value::Boolean(own) => Ok(Accepted::Boolean(own)),
        Value::Integer(own) => Ok(Accepted::Integer(own)),
        Value::String(text) => text.parse().map(Accepted::Text).map_err(|cause| error(&cause)),
        other => Err(error(&format_args!(
            "`{other}` cannot be compared with: use a text, a whole number, or true or false"
        ))),
    }
}
