//! JSON as protobuf has it.

use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value};
use serde::Serialize;
use serde_json::Map;

/// The greatest whole number that a double holds with all its neighbours.
const MAX_EXACT: u64 = 1 << 53;

/// An object; one without members for what is none.
pub(super) fn object(value: &impl Serialize) -> Struct {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::Object(members)) => members_of(members),
        _ => Struct::default(),
    }
}

pub(super) fn members_of(members: Map<String, serde_json::Value>) -> Struct {
    Struct { fields: members.into_iter().map(|(name, own)| (name, value(own))).collect() }
}

/// A number that a double does not hold exactly is a text: an auditor must not read another one.
fn value(value: serde_json::Value) -> Value {
    let kind = match value {
        serde_json::Value::Null => Kind::NullValue(0),
        serde_json::Value::Bool(yes) => Kind::BoolValue(yes),
        serde_json::Value::Number(number) => {
            let whole = number.as_i64().map(i64::unsigned_abs).or(number.as_u64());
            match number.as_f64() {
                Some(double) if whole.is_none_or(|whole| whole <= MAX_EXACT) => {
                    Kind::NumberValue(double)
                }
                _ => Kind::StringValue(number.to_string()),
            }
        }
        serde_json::Value::String(text) => Kind::StringValue(text),
        serde_json::Value::Array(values) => {
            Kind::ListValue(ListValue { values: values.into_iter().map(self::value).collect() })
        }
        serde_json::Value::Object(members) => Kind::StructValue(members_of(members)),
    };
    Value { kind: Some(kind) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kind(value: impl Serialize) -> Kind {
        let all = object(&json!({ "it": value }));
        all.fields["it"].kind.clone().unwrap()
    }

    #[test]
    fn b4_a_number_that_a_double_does_not_hold_is_a_text() {
        assert_eq!(
            kind(json!(9_007_199_254_740_992_i64)),
            Kind::NumberValue(9_007_199_254_740_992.0)
        );
        for number in ["9007199254740993", "-9007199254740993", "18446744073709551615"] {
            let value: serde_json::Value = serde_json::from_str(number).unwrap();
            assert_eq!(kind(value), Kind::StringValue(number.to_owned()));
        }
        assert_eq!(kind(json!(-1.5)), Kind::NumberValue(-1.5));
    }

    #[test]
    fn what_is_no_object_has_no_members() {
        assert!(object(&json!([1])).fields.is_empty());
        assert!(
            matches!(kind(json!([null, true, {"a": "b"}])), Kind::ListValue(list) if list.values.len() == 3)
        );
    }
}
