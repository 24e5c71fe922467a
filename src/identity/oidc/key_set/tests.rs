use serde_json::json;

use super::super::testing::{ED25519, OTHER_RSA, P256, RSA};
use super::*;

fn issuer() -> IssuerUrl {
    "https://login.microsoftonline.com/TENANT/v2.0".parse().unwrap()
}

fn parse(keys: &[Value]) -> Result<KeySet, &'static str> {
    KeySet::parse(json!({"keys": keys}).to_string().as_bytes(), &issuer())
}

#[test]
fn a5_keys_of_an_id_that_occurs_twice_are_left_out() {
    let set = parse(&[P256.jwk("a"), ED25519.jwk("b"), RSA.jwk("a")]).unwrap();
    assert_eq!(set.find(Some("a")).unwrap_err(), Check::KeyUnknown);
    assert!(set.find(Some("b")).is_ok());
    assert!(parse(&[P256.jwk("a"), P256.jwk("a")]).is_err());
}

#[test]
fn a_token_without_key_id_needs_a_set_of_exactly_one() {
    assert!(parse(&[P256.jwk("a")]).unwrap().find(None).is_ok());
    let two = parse(&[P256.jwk("a"), RSA.jwk("b")]).unwrap();
    assert_eq!(two.find(None).unwrap_err(), Check::KeyAmbiguous);
}

#[test]
fn keys_that_are_not_for_us_do_not_spoil_the_others() {
    let mut encryption = OTHER_RSA.jwk("a");
    encryption["use"] = json!("enc");
    let set =
        parse(&[json!({"kty": "AKP", "kid": "x"}), json!("rubbish"), encryption, P256.jwk("a")]);
    assert!(set.unwrap().find(Some("a")).is_ok());
}

#[test]
fn what_is_no_usable_set_is_refused() {
    for document in
        ["", "{}", "[]", r#"{"keys":{}}"#, r#"{"keys":[]}"#, r#"{"keys":[],"keys":[]}"#, "<html>"]
    {
        assert!(KeySet::parse(document.as_bytes(), &issuer()).is_err(), "{document}");
    }
}

#[test]
fn d5_a_set_of_10_000_keys_is_refused() {
    let many: Vec<Value> =
        (0..10_000).map(|n| json!({"kty": "EC", "kid": n.to_string()})).collect();
    assert_eq!(parse(&many).unwrap_err(), "it has more than 100 keys");
}

#[test]
fn keys_that_say_whose_they_are_serve_that_issuer_only() {
    for (owner, usable) in [
        (json!("https://login.microsoftonline.com/TENANT/v2.0"), true),
        (json!("https://login.microsoftonline.com/{tenantid}/v2.0"), true),
        (
            json!("https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0"),
            false,
        ),
        (json!("https://sts.windows.net/{tenantid}/"), false),
        (json!(null), false),
    ] {
        let mut key = P256.jwk("a");
        key["issuer"] = owner.clone();
        assert_eq!(parse(&[key]).is_ok(), usable, "{owner}");
    }
}

#[test]
fn sets_are_the_same_when_every_key_is() {
    let one = parse(&[P256.jwk("a"), RSA.jwk("b")]).unwrap();
    assert!(one.is_same(&parse(&[RSA.jwk("b"), P256.jwk("a")]).unwrap()));
    let mut pinned = RSA.jwk("b");
    pinned["alg"] = json!("PS256");
    for other in [
        vec![P256.jwk("a")],
        vec![P256.jwk("a"), OTHER_RSA.jwk("b")],
        vec![P256.jwk("b"), RSA.jwk("a")],
        vec![P256.jwk("a"), pinned],
    ] {
        assert!(!one.is_same(&parse(&other).unwrap()));
    }
}
