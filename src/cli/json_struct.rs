//! `google.protobuf.Struct` as JSON.

use serde_json::{Map, Number, Value};

type Kind = prost_types::value::Kind;

/// Beyond, a double does not hold every whole number.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A value as JSON; a whole number is written as one.
pub(super) fn value(value: prost_types::Value) -> Value {
    match value.kind {
        None | Some(Kind::NullValue(_)) => Value::Null,
        Some(Kind::BoolValue(truth)) => Value::Bool(truth),
        Some(Kind::NumberValue(number)) => self::number(number),
        Some(Kind::StringValue(text)) => Value::String(text),
        Some(Kind::ListValue(list)) => list.values.into_iter().map(self::value).collect(),
        Some(Kind::StructValue(fields)) => Value::Object(object(fields)),
    }
}

/// A struct as a JSON object.
pub(super) fn object(fields: prost_types::Struct) -> Map<String, Value> {
    fields.fields.into_iter().map(|(name, own)| (name, value(own))).collect()
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the number is whole and its size is compared first"
)]
fn number(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() <= EXACT {
        Value::from(number as i64)
    } else {
        Number::from_f64(number).map_or(Value::Null, Value::Number)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_become_json_and_whole_numbers_stay_whole() {
        let kinds = [
            (Kind::NumberValue(3.0), json!(3)),
            (Kind::NumberValue(-1.5), json!(-1.5)),
            (Kind::NumberValue(f64::NAN), json!(null)),
            (Kind::StringValue("x".into()), json!("x")),
            (Kind::BoolValue(true), json!(true)),
            (Kind::NullValue(0), json!(null)),
        ];
        let list = kinds.iter().map(|(kind, _)| prost_types::Value { kind: Some(kind.clone()) });
        let list = Kind::ListValue(prost_types::ListValue { values: list.collect() });
        let fields = [("a".to_owned(), prost_types::Value { kind: Some(list) })].into();
        let expected: Vec<Value> = kinds.into_iter().map(|(_, json)| json).collect();
        assert_eq!(Value::Object(object(prost_types::Struct { fields })), json!({ "a": expected }));
    }
}
