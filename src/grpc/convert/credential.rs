//! Federated credentials and passwords of tokens.

use prost_types::value::Kind;

use super::time::{lifetime, pb_lifetime, timestamp};
use super::violations::Violations;
use crate::broker::manage::NewCredential;
use crate::model::{
    Accepted, ClaimCondition, FederatedCredential, Password, PasswordSlot, SubjectRule,
};
use crate::pb;

/// The largest whole number that a JSON number holds exactly, as a double has it.
const LARGEST_EXACT: f64 = 9_007_199_254_740_991.0;

/// The federated credential in `field`.
pub(super) fn new_credential(
    field: &str,
    wanted: pb::FederatedCredential,
    violations: &mut Violations,
) -> Option<NewCredential> {
    let name = violations.check(format_args!("{field}.name"), wanted.name.parse());
    let issuer = violations.check(format_args!("{field}.issuer"), wanted.issuer.parse());
    let subject = violations.optional(&format!("{field}.subject"), &wanted.subject);
    let max_lifetime = lifetime(&format!("{field}.max_lifetime"), wanted.max_lifetime, violations);
    let mut claims = Vec::new();
    for (position, condition) in wanted.claims.into_iter().enumerate() {
        claims.extend(claim(&format!("{field}.claims[{position}]"), condition, violations));
    }
    Some(NewCredential {
        name: name?,
        issuer: issuer?,
        subject: subject.map(SubjectRule),
        claims,
        max_lifetime,
        bind_to_identity_expiry: wanted.bind_to_identity_expiry,
    })
}

fn claim(
    field: &str,
    wanted: pb::ClaimCondition,
    violations: &mut Violations,
) -> Option<ClaimCondition> {
    let name = violations.check(format_args!("{field}.name"), wanted.name.parse());
    let mut accepted = Vec::new();
    for (position, value) in wanted.accepted.into_iter().enumerate() {
        let field = format!("{field}.accepted[{position}]");
        accepted.push(violations.check(&field, accepted_value(value))?);
    }
    Some(ClaimCondition { name: name?, accepted: accepted.into() })
}

#[expect(clippy::cast_possible_truncation, reason = "a whole number of at most 53 bits")]
fn accepted_value(value: prost_types::Value) -> Result<Accepted, String> {
    match value.kind {
        Some(Kind::BoolValue(own)) => Ok(Accepted::Boolean(own)),
        Some(Kind::NumberValue(own)) if own.fract() == 0.0 && own.abs() <= LARGEST_EXACT => {
            Ok(Accepted::Integer(own as i64))
        }
        Some(Kind::NumberValue(own)) => {
            Err(format!("`{own}` is no whole number of at most 53 bits"))
        }
        Some(Kind::StringValue(own)) => {
            own.parse().map(Accepted::Text).map_err(|error| format!("{error}"))
        }
        Some(Kind::NullValue(_) | Kind::StructValue(_) | Kind::ListValue(_)) | None => {
            Err("a text, a whole number or a truth value is accepted".to_owned())
        }
    }
}

/// A federated credential, as operators get it.
pub(super) fn pb_credential(own: &FederatedCredential) -> pb::FederatedCredential {
    let claim = |condition: &ClaimCondition| pb::ClaimCondition {
        name: condition.name.to_string(),
        accepted: condition.accepted.iter().map(pb_accepted).collect(),
    };
    pb::FederatedCredential {
        name: own.name.to_string(),
        issuer: own.issuer.to_string(),
        subject: own.subject.as_ref().map_or_else(String::new, |rule| rule.0.to_string()),
        claims: own.claims.iter().map(claim).collect(),
        max_lifetime: own.max_lifetime.map(pb_lifetime),
        bind_to_identity_expiry: own.bind_to_identity_expiry,
        last_use_time: None,
    }
}

#[expect(clippy::cast_precision_loss, reason = "larger numbers come from policy files only")]
fn pb_accepted(accepted: &Accepted) -> prost_types::Value {
    let kind = match accepted {
        Accepted::Boolean(own) => Kind::BoolValue(*own),
        Accepted::Integer(own) => Kind::NumberValue(*own as f64),
        Accepted::Text(own) => Kind::StringValue(own.to_string()),
    };
    prost_types::Value { kind: Some(kind) }
}

/// Which of the two passwords.
pub(super) fn slot(value: i32, violations: &mut Violations) -> Option<PasswordSlot> {
    match pb::PasswordName::try_from(value) {
        Ok(pb::PasswordName::Password1) => Some(PasswordSlot::Password1),
        Ok(pb::PasswordName::Password2) => Some(PasswordSlot::Password2),
        Ok(pb::PasswordName::Unspecified) | Err(_) => {
            let names = "use PASSWORD_NAME_PASSWORD1 or PASSWORD_NAME_PASSWORD2";
            violations.add("password_name", names);
            None
        }
    }
}

/// What is kept of a password, as operators get it.
pub(in crate::grpc) fn pb_password(own: &Password) -> pb::Password {
    let name = match own.slot {
        PasswordSlot::Password1 => pb::PasswordName::Password1,
        PasswordSlot::Password2 => pb::PasswordName::Password2,
    };
    pb::Password {
        name: name.into(),
        create_time: Some(timestamp(own.create_time)),
        expire_time: own.expire_time.map(timestamp),
        last_four: own.last_four.to_string(),
        last_use_time: None,
    }
}
