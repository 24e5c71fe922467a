use futures_util::future::join_all;
use jiff::SignedDuration;
use serde_json::json;
use tokio::sync::Semaphore;

use super::super::testing::{AUDIENCE, Bench, ED25519, P256, RSA, config, failed};
use super::super::{Oidc, testing};
use super::*;
use crate::identity::{Algorithm, Error};
use crate::net::testing::Answer;

fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

/// A token of the bench's issuer that names the key `id`, whether there is one or not. Each has another `jti`.
fn token(bench: &Bench, id: &str, jti: usize) -> String {
    bench.token(id, &bench.claims_with(&json!({"jti": jti})))
}

/// When to try again.
async fn retry_after(bench: &Bench, token: &str) -> Duration {
    match bench.oidc.verify(token).await {
        Err(Error::IssuerUnavailable { retry_after, .. }) => retry_after,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a4_10_000_unknown_key_ids_are_one_key_fetch_a_minute() {
    let bench = Bench::new().await;
    assert!(bench.oidc.verify(&token(&bench, "k1", 0)).await.is_ok());
    for n in 0..10_000 {
        let wait = retry_after(&bench, &token(&bench, &format!("unknown-{n}"), n)).await;
        assert_eq!(wait, Duration::from_mins(1));
    }
    assert!(bench.oidc.verify(&token(&bench, "k1", 1)).await.is_ok());
    assert_eq!(bench.server.asked("/keys"), 1);
    bench.clock.advance(minutes(1));
    // the one that causes a fetch has its answer; the others wait for the next minute
    assert_eq!(bench.check(&token(&bench, "unknown", 0)).await, Check::KeyUnknown);
    retry_after(&bench, &token(&bench, "unknown", 1)).await;
    assert_eq!(bench.server.asked("/keys"), 2);
}

#[tokio::test]
async fn a4_a_real_rotation_is_told_to_come_again_and_then_works() {
    let bench = Bench::new().await;
    assert!(bench.oidc.verify(&token(&bench, "k1", 0)).await.is_ok());
    bench.serve(&[P256.jwk("k1"), P256.jwk("k2")]);
    bench.clock.advance(SignedDuration::from_secs(20));
    let rotated = token(&bench, "k2", 0);
    assert_eq!(retry_after(&bench, &rotated).await, Duration::from_secs(40));
    bench.clock.advance(SignedDuration::from_secs(40));
    assert!(bench.oidc.verify(&rotated).await.is_ok());
}

#[tokio::test]
async fn a4_the_first_fetch_of_all_answers_an_unknown_id_at_once() {
    let bench = Bench::new().await;
    assert_eq!(bench.check(&token(&bench, "unknown", 0)).await, Check::KeyUnknown);
    assert_eq!(bench.server.asked("/keys"), 1);
}

#[tokio::test]
async fn a_token_without_key_id_needs_exactly_one_key() {
    let bench = Bench::new().await;
    let anonymous = P256.token(Algorithm::ES256, r#"{"alg":"ES256"}"#, &bench.claims().to_string());
    assert!(bench.oidc.verify(&anonymous).await.is_ok());
    let bench = Bench::new().await;
    bench.serve(&[P256.jwk("k1"), RSA.jwk("k2")]);
    let anonymous = P256.token(Algorithm::ES256, r#"{"alg":"ES256"}"#, &bench.claims().to_string());
    assert_eq!(bench.check(&anonymous).await, Check::KeyAmbiguous);
}

#[tokio::test]
async fn d6_1_000_callers_are_one_fetch() {
    let bench = Bench::new().await;
    let gate = Arc::new(Semaphore::new(0));
    let keys = json!({"keys": [P256.jwk("k1")]}).to_string();
    bench.server.answer("/keys", Answer::ok(keys).gated(&gate));
    let tokens: Vec<String> = (0..1_000).map(|n| token(&bench, "k1", n)).collect();
    let callers = join_all(tokens.iter().map(|token| bench.oidc.verify(token)));
    // the callers are polled first, so that all of them wait when the keys are let go
    let (verified, ()) = tokio::join!(biased; callers, async { gate.add_permits(1_000) });
    assert!(verified.iter().all(Result::is_ok));
    assert_eq!((bench.server.asked("/keys"), bench.server.asked(testing::DISCOVERY)), (1, 1));
}

#[tokio::test]
async fn d6_1_000_callers_of_an_issuer_that_is_down_are_one_fetch() {
    let bench = Bench::new().await;
    bench.server.answer(testing::DISCOVERY, Answer::status(503));
    let tokens: Vec<String> = (0..1_000).map(|n| token(&bench, "k1", n)).collect();
    for answer in join_all(tokens.iter().map(|token| bench.oidc.verify(token))).await {
        assert!(matches!(answer, Err(Error::IssuerUnavailable { .. })), "{answer:?}");
    }
    assert_eq!(bench.server.asked_at_all(), 1);
}

#[tokio::test]
async fn d6_an_issuer_that_comes_back_is_found_again_soon() {
    let bench = Bench::new().await;
    bench.server.answer("/keys", Answer::status(503));
    assert_eq!(retry_after(&bench, &token(&bench, "k1", 0)).await, RETRY);
    bench.serve(&[P256.jwk("k1")]);
    assert_eq!(retry_after(&bench, &token(&bench, "k1", 0)).await, RETRY);
    bench.clock.advance(SignedDuration::try_from(RETRY).unwrap());
    assert!(bench.oidc.verify(&token(&bench, "k1", 0)).await.is_ok());
}

#[tokio::test]
async fn d6_stale_keys_serve_for_a_bounded_time() {
    let bench = Bench::new().await;
    assert!(bench.oidc.verify(&token(&bench, "k1", 0)).await.is_ok());
    bench.server.answer(testing::DISCOVERY, Answer::status(503));
    bench.clock.advance(minutes(61));
    for n in 0..100 {
        assert!(bench.oidc.verify(&token(&bench, "k1", n)).await.is_ok());
    }
    assert_eq!(bench.server.asked(testing::DISCOVERY), 2);
    bench.clock.advance(minutes(24 * 60 - 2));
    assert!(bench.oidc.verify(&token(&bench, "k1", 0)).await.is_ok());
    bench.clock.advance(minutes(1));
    assert!(retry_after(&bench, &token(&bench, "k1", 0)).await <= Duration::from_mins(1));
}

#[tokio::test]
async fn keys_are_fetched_again_when_they_are_no_longer_fresh() {
    let bench = Bench::new().await;
    let keys = json!({"keys": [P256.jwk("k1")]}).to_string();
    bench.server.answer("/keys", Answer::ok(keys).header("cache-control", "max-age=600"));
    assert!(bench.oidc.verify(&token(&bench, "k1", 0)).await.is_ok());
    bench.clock.advance(SignedDuration::from_secs(599));
    assert!(bench.oidc.verify(&token(&bench, "k1", 0)).await.is_ok());
    assert_eq!(bench.server.asked("/keys"), 1);
    bench.serve(&[RSA.jwk("k2")]);
    bench.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(bench.check(&token(&bench, "k1", 0)).await, Check::KeyUnknown);
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_stop_the_others() {
    let bench = Bench::new().await;
    let gate = Arc::new(Semaphore::new(0));
    let keys = json!({"keys": [P256.jwk("k1")]}).to_string();
    bench.server.answer("/keys", Answer::ok(keys).gated(&gate));
    let text = token(&bench, "k1", 0);
    {
        let gone = bench.oidc.verify(&text);
        tokio::select! {
            biased;
            answer = gone => panic!("{answer:?}"),
            () = async { while bench.server.asked("/keys") == 0 { tokio::task::yield_now().await } } => {}
        }
    }
    gate.add_permits(10);
    assert!(bench.oidc.verify(&text).await.is_ok());
}

fn file_config(path: &std::path::Path) -> crate::identity::IssuerConfig {
    let mut config = config("https://offline.example.com");
    config.jwks_file = Some(path.to_owned());
    config
}

#[tokio::test]
async fn a_key_file_is_read_again_when_it_changes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    let write = |keys: &[serde_json::Value]| {
        std::fs::write(&path, json!({"keys": keys}).to_string()).unwrap();
    };
    write(&[P256.jwk("k1")]);
    let clock = crate::model::ManualClock::at(testing::noon());
    let oidc = Oidc::build(vec![file_config(&path)], Arc::new(clock.clone())).unwrap();
    let second = testing::noon().as_second();
    let claims = json!({"iss": "https://offline.example.com", "aud": AUDIENCE, "sub": "job", "exp": second + 300}).to_string();
    let old = P256.token(Algorithm::ES256, r#"{"alg":"ES256","kid":"k1"}"#, &claims);
    let new = ED25519.token(Algorithm::EdDsa, r#"{"alg":"EdDSA","kid":"k2"}"#, &claims);
    assert!(oidc.verify(&old).await.is_ok());
    assert_eq!(failed(oidc.verify(&new).await.map(|_| ())), Check::KeyUnknown);
    write(&[ED25519.jwk("k2")]);
    clock.advance(SignedDuration::from_secs(1));
    assert!(oidc.verify(&new).await.is_ok());
    clock.advance(SignedDuration::from_secs(1));
    assert_eq!(failed(oidc.verify(&old).await.map(|_| ())), Check::KeyUnknown);
    // a file that was damaged, or taken away, changes nothing
    std::fs::write(&path, "{").unwrap();
    clock.advance(SignedDuration::from_secs(1));
    assert!(oidc.verify(&new).await.is_ok());
    std::fs::remove_file(&path).unwrap();
    clock.advance(SignedDuration::from_secs(1));
    assert!(oidc.verify(&new).await.is_ok());
}

#[test]
fn a_key_file_that_cannot_be_used_is_refused_at_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    for content in [None, Some(""), Some("{\"keys\":[]}")] {
        if let Some(content) = content {
            std::fs::write(&path, content).unwrap();
        }
        let clock = Arc::new(crate::model::ManualClock::at(testing::noon()));
        let error = Oidc::build(vec![file_config(&path)], clock).unwrap_err().to_string();
        assert!(error.contains("keys.json") && error.contains("offline.example.com"), "{error}");
    }
}
