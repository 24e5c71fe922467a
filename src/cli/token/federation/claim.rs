//! `--claim NAME=VALUE`: a condition on a claim.

use std::str::FromStr;

use crate::model::ClaimName;
use crate::pb;

type Kind = prost_types::value::Kind;

/// A claim and one value that is accepted in it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Claim {
    name: ClaimName,
    accepted: prost_types::Value,
}

impl FromStr for Claim {
    type Err = String;

    /// Reads `NAME=VALUE` (a text) or `NAME:=VALUE` (a number or truth value).
    fn from_str(text: &str) -> Result<Self, String> {
        let Some((name, value)) = text.split_once('=') else {
            return Err("write it like repository_id=123456".to_owned());
        };
        let (name, kind) = match name.strip_suffix(':') {
            Some(name) => (name, typed(value)?),
            None => (name, Kind::StringValue(value.to_owned())),
        };
        let name = name.parse::<ClaimName>().map_err(|error| error.to_string())?;
        Ok(Self { name, accepted: prost_types::Value { kind: Some(kind) } })
    }
}

fn typed(value: &str) -> Result<Kind, String> {
    if let Ok(truth) = value.parse() {
        return Ok(Kind::BoolValue(truth));
    }
    // beyond, numbers of JSON are not exact
    match value.parse::<i32>() {
        Ok(number) => Ok(Kind::NumberValue(number.into())),
        Err(_) => Err(format!(
            "`{value}` is no whole number, true or false: a text is written with `=` alone"
        )),
    }
}

/// One condition a claim; several values of it are alternatives.
pub(super) fn conditions(claims: Vec<Claim>) -> Vec<pb::ClaimCondition> {
    let mut conditions: Vec<pb::ClaimCondition> = Vec::new();
    for Claim { name, accepted } in claims {
        match conditions.iter_mut().find(|own| own.name == name.as_str()) {
            Some(own) => own.accepted.push(accepted),
            None => conditions
                .push(pb::ClaimCondition { name: name.to_string(), accepted: vec![accepted] }),
        }
    }
    conditions
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str) -> Kind {
        text.parse::<Claim>().unwrap().accepted.kind.unwrap()
    }

    #[test]
    fn a_value_is_a_text_unless_it_is_said_to_be_something_else() {
        assert_eq!(kind("repository_id=123456"), Kind::StringValue("123456".into()));
        assert_eq!(kind("ref=a=b"), Kind::StringValue("a=b".into()));
        assert_eq!(kind("runner_id:=1"), Kind::NumberValue(1.0));
        assert_eq!(kind("protected:=true"), Kind::BoolValue(true));
        for bad in ["ref", "=x", "n:=x", "n:=1.5", "n:=99999999999"] {
            assert!(bad.parse::<Claim>().is_err(), "{bad}");
        }
    }

    #[test]
    fn values_of_one_claim_are_alternatives() {
        let claims = ["ref=a", "id=1", "ref=b"].map(|text| text.parse().unwrap());
        let conditions = conditions(claims.to_vec());
        let counts: Vec<_> =
            conditions.iter().map(|own| (own.name.as_str(), own.accepted.len())).collect();
        assert_eq!(counts, [("ref", 2), ("id", 1)]);
    }
}
