use serde_json::json;

use super::super::testing::{AUDIENCE, config, noon};
use super::*;

fn check_at(now: Timestamp, changes: &Value) -> Result<Registered, Check> {
    let second = noon().as_second();
    let mut claims = json!({"aud": AUDIENCE, "sub": "job", "iat": second, "exp": second + 300});
    for (name, value) in changes.as_object().unwrap() {
        if value == "absent" {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    check(claims.as_object().unwrap(), &config("https://issuer.example.com"), now)
}

fn refused(changes: &Value) -> Check {
    check_at(noon(), changes).unwrap_err()
}

fn after_noon(seconds: i64) -> Timestamp {
    Timestamp::from_second(noon().as_second() + seconds).unwrap()
}

#[test]
fn claims_in_order_are_read() {
    let registered = check_at(noon(), &json!({})).unwrap();
    assert_eq!(registered.subject, "job");
    assert_eq!(registered.expire_time, after_noon(300));
    assert_eq!(registered.valid_from, after_noon(-60));
}

#[test]
fn a6_times_of_another_type_are_malformed_and_never_absent() {
    for name in ["exp", "nbf", "iat"] {
        for value in [
            json!("1790000300"),
            json!(null),
            json!(true),
            json!([1_790_000_300]),
            json!({}),
            json!(""),
            json!(-1),
            json!(-0.5),
            json!(1e300),
            json!(1e12),
            json!(u64::MAX),
            json!(i64::MAX),
            json!(253_402_300_800_i64),
        ] {
            assert_eq!(refused(&json!({name: value})), Check::Time, "{name} {value}");
        }
    }
}

#[test]
fn times_may_have_fractions() {
    let second = noon().as_second();
    #[expect(clippy::cast_precision_loss, reason = "a time of this century")]
    let exp = second as f64 + 300.9;
    let registered = check_at(noon(), &json!({"exp": exp})).unwrap();
    assert_eq!(registered.expire_time, after_noon(300));
}

#[test]
fn a7_an_end_is_mandatory_and_not_stretched() {
    assert_eq!(refused(&json!({"exp": "absent"})), Check::Time);
    assert!(check_at(after_noon(299), &json!({})).is_ok());
    assert_eq!(check_at(after_noon(300), &json!({})).unwrap_err(), Check::Expired);
    assert_eq!(refused(&json!({"exp": 0})), Check::Expired);
}

#[test]
fn a7_tokens_of_the_future_are_refused_beyond_the_leeway() {
    let second = noon().as_second();
    assert!(check_at(noon(), &json!({"iat": second + 60, "nbf": second + 60})).is_ok());
    assert_eq!(refused(&json!({"iat": second + 61})), Check::IssuedInFuture);
    assert_eq!(refused(&json!({"nbf": second + 61})), Check::NotYetValid);
    assert!(check_at(noon(), &json!({"nbf": second - 600})).is_ok());
}

#[test]
fn a7_a_life_beyond_the_limit_is_refused() {
    let second = noon().as_second();
    let day = 24 * 3600;
    assert!(check_at(noon(), &json!({"exp": second + day})).is_ok());
    assert_eq!(refused(&json!({"exp": second + day + 1})), Check::LifeTooLong);
    assert_eq!(refused(&json!({"iat": second - day, "exp": second + 1})), Check::LifeTooLong);
    // without `iat` and `nbf` it is what is left that counts
    assert!(check_at(noon(), &json!({"iat": "absent", "exp": second + day})).is_ok());
    assert_eq!(refused(&json!({"iat": "absent", "exp": second + day + 1})), Check::LifeTooLong);
    // a life of years does not fit because little of it is left
    let old = json!({"iat": "absent", "nbf": second - day, "exp": second + 1});
    assert_eq!(refused(&old), Check::LifeTooLong);
}

#[test]
fn b3_a_subject_that_is_no_text_is_refused() {
    for value in [json!("absent"), json!(null), json!(""), json!(1), json!({}), json!(["job"])] {
        assert_eq!(refused(&json!({"sub": value})), Check::Subject, "{value}");
    }
}
