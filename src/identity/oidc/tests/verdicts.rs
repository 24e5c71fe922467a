//! What is remembered of tokens that verified, and what is not.
#![expect(clippy::string_slice, reason = "tokens and secrets are ASCII")]

use jiff::SignedDuration;
use serde_json::json;

use super::super::testing::{Bench, DISCOVERY, P256, RSA, config};
use super::super::*;
use crate::net::testing::Answer;

#[tokio::test]
async fn a_verdict_is_kept_and_shares_its_claims() {
    let bench = Bench::new().await;
    let token = bench.token("k1", &bench.claims());
    let first = bench.oidc.verify(&token).await.unwrap();
    let second = bench.oidc.verify(&token).await.unwrap();
    assert!(std::ptr::eq(first.claims(), second.claims()));
    assert_eq!((second.subject(), second.expire_time()), (first.subject(), first.expire_time()));
}

#[tokio::test]
async fn a13_a_verdict_ends_with_its_token() {
    let bench = Bench::new().await;
    let token = bench.token("k1", &bench.claims());
    assert!(bench.oidc.verify(&token).await.is_ok());
    bench.clock.advance(SignedDuration::from_secs(299));
    assert!(bench.oidc.verify(&token).await.is_ok());
    bench.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(bench.check(&token).await, Check::Expired);
}

#[tokio::test]
async fn a13_a_verdict_does_not_count_before_its_token_does() {
    let bench = Bench::new().await;
    let token = bench.token("k1", &bench.claims());
    assert!(bench.oidc.verify(&token).await.is_ok());
    bench.clock.advance(SignedDuration::from_secs(-61));
    assert_eq!(bench.check(&token).await, Check::IssuedInFuture);
}

#[tokio::test]
async fn a13_verdicts_end_when_the_keys_change() {
    let bench = Bench::new().await;
    let day = bench.claims()["iat"].as_i64().unwrap() + 24 * 3600;
    let token = bench.token("k1", &bench.claims_with(&json!({"exp": day})));
    let other = bench.token("k1", &bench.claims_with(&json!({"exp": day, "other": true})));
    let first = bench.oidc.verify(&token).await.unwrap();
    // fetched again, by another token, and unchanged: the verdict stays
    bench.clock.advance(SignedDuration::from_hours(2));
    assert!(bench.oidc.verify(&other).await.is_ok());
    assert_eq!(bench.server.asked("/keys"), 2);
    let second = bench.oidc.verify(&token).await.unwrap();
    assert!(std::ptr::eq(first.claims(), second.claims()));
    // changed, and the key is still there: verified anew
    bench.serve(&[P256.jwk("k1"), RSA.jwk("k2")]);
    bench.clock.advance(SignedDuration::from_hours(2));
    assert!(bench.oidc.verify(&other).await.is_ok());
    let third = bench.oidc.verify(&token).await.unwrap();
    assert!(!std::ptr::eq(second.claims(), third.claims()));
    // the id names another key
    bench.serve(&[RSA.jwk("k1")]);
    bench.clock.advance(SignedDuration::from_hours(2));
    assert_eq!(bench.check(&token).await, Check::Algorithm);
    // the key is gone
    bench.serve(&[RSA.jwk("k3")]);
    bench.clock.advance(SignedDuration::from_hours(2));
    assert_eq!(bench.check(&token).await, Check::KeyUnknown);
}

#[tokio::test]
async fn verdicts_hold_while_the_issuer_is_down() {
    let bench = Bench::new().await;
    let day = bench.claims()["iat"].as_i64().unwrap() + 24 * 3600;
    let token = bench.token("k1", &bench.claims_with(&json!({"exp": day})));
    assert!(bench.oidc.verify(&token).await.is_ok());
    bench.server.answer(DISCOVERY, Answer::status(503));
    bench.clock.advance(SignedDuration::from_hours(2));
    let first = bench.oidc.verify(&token).await.unwrap();
    let second = bench.oidc.verify(&token).await.unwrap();
    assert!(std::ptr::eq(first.claims(), second.claims()));
}

#[tokio::test]
async fn a13_another_configuration_has_verdicts_of_its_own() {
    let bench = Bench::new().await;
    let token = bench.token("k1", &bench.claims());
    assert!(bench.oidc.verify(&token).await.is_ok());
    let mut other = config(bench.server.url());
    other.audience = "https://other.example.com".to_owned();
    let clock: Arc<dyn Clock> = Arc::new(bench.clock.clone());
    for configs in [vec![other], Vec::new()] {
        let oidc = Oidc::build(configs, Arc::clone(&clock)).unwrap();
        assert!(oidc.verify(&token).await.is_err());
    }
}

#[tokio::test]
async fn single_use_tokens_are_accepted_once() {
    let bench = Bench::with(|config| config.single_use = true).await;
    let token = bench.token("k1", &bench.claims_with(&json!({"jti": "1"})));
    assert!(bench.oidc.verify(&token).await.is_ok());
    assert_eq!(bench.check(&token).await, Check::Replayed);
    let again = bench.token("k1", &bench.claims_with(&json!({"jti": "1", "x": 1})));
    assert_eq!(bench.check(&again).await, Check::Replayed);
    let other = bench.token("k1", &bench.claims_with(&json!({"jti": "2"})));
    assert!(bench.oidc.verify(&other).await.is_ok());
}

#[tokio::test]
async fn single_use_tokens_need_an_id_and_a_signature_to_be_used_up() {
    let bench = Bench::with(|config| config.single_use = true).await;
    for jti in [json!(null), json!(""), json!(1)] {
        assert_eq!(bench.check_claims(&json!({"jti": jti})).await, Check::TokenIdMissing, "{jti}");
    }
    let token = bench.token("k1", &bench.claims_with(&json!({"jti": "1"})));
    let forged = format!("{}AAAA", &token[..token.len() - 4]);
    assert_eq!(bench.check(&forged).await, Check::Signature);
    assert!(bench.oidc.verify(&token).await.is_ok());
}
