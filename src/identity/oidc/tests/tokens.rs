//! Tokens that are in order, and tokens that are not.
#![expect(clippy::string_slice, reason = "tokens and secrets are ASCII")]

use proptest::prelude::*;
use serde_json::json;

use super::super::testing::{
    AUDIENCE, Bench, ED25519, OTHER_RSA, P256, P384, RSA, base64, config, failed, noon,
};
use super::super::*;
use crate::identity::Algorithm;
use crate::model::ManualClock;

#[tokio::test]
async fn every_algorithm_verifies_with_its_key_only() {
    let bench = Bench::new().await;
    bench.serve(&[RSA.jwk("r"), P256.jwk("p256"), P384.jwk("p384"), ED25519.jwk("ed")]);
    let rows = [
        ("RS256", Algorithm::RS256, &*RSA, "r"),
        ("RS384", Algorithm::RS384, &*RSA, "r"),
        ("RS512", Algorithm::RS512, &*RSA, "r"),
        ("PS256", Algorithm::PS256, &*RSA, "r"),
        ("PS384", Algorithm::PS384, &*RSA, "r"),
        ("PS512", Algorithm::PS512, &*RSA, "r"),
        ("ES256", Algorithm::ES256, &*P256, "p256"),
        ("ES384", Algorithm::ES384, &*P384, "p384"),
        ("EdDSA", Algorithm::EdDsa, &*ED25519, "ed"),
    ];
    for (name, algorithm, signer, own) in rows {
        for id in ["r", "p256", "p384", "ed"] {
            let header = json!({"alg": name, "kid": id}).to_string();
            let token = signer.token(algorithm, &header, &bench.claims().to_string());
            let verified = bench.oidc.verify(&token).await;
            assert_eq!(verified.is_ok(), id == own, "{name} {id}");
        }
    }
    let header = json!({"alg": "RS256", "kid": "r"}).to_string();
    let forged = OTHER_RSA.token(Algorithm::RS256, &header, &bench.claims().to_string());
    assert_eq!(bench.check(&forged).await, Check::Signature);
}

#[tokio::test]
async fn a1_alg_none_in_any_case_is_refused() {
    let bench = Bench::new().await;
    for name in ["none", "None", "NONE", "nOnE", "", " none", "null"] {
        let header = json!({"alg": name, "kid": "k1"}).to_string();
        let unsigned = format!("{}.{}.", base64(&header), base64(bench.claims().to_string()));
        assert_eq!(bench.check(&unsigned).await, Check::Algorithm, "{name}");
        let signed = P256.token(Algorithm::ES256, &header, &bench.claims().to_string());
        assert_eq!(bench.check(&signed).await, Check::Algorithm, "{name}");
    }
    for header in
        [r#"{"kid":"k1"}"#, r#"{"alg":null,"kid":"k1"}"#, r#"{"alg":["ES256"],"kid":"k1"}"#]
    {
        let token = P256.token(Algorithm::ES256, header, &bench.claims().to_string());
        assert_eq!(bench.check(&token).await, Check::Algorithm, "{header}");
    }
    let stripped = bench.token("k1", &bench.claims());
    let stripped = &stripped[..=stripped.rfind('.').unwrap()];
    assert_eq!(bench.check(stripped).await, Check::Signature);
}

#[tokio::test]
async fn a2_a_public_key_as_shared_secret_is_refused() {
    let bench = Bench::new().await;
    bench.serve(&[RSA.jwk("r")]);
    let jwk = RSA.jwk("r").to_string();
    for (name, method) in [
        ("HS256", aws_lc_rs::hmac::HMAC_SHA256),
        ("HS384", aws_lc_rs::hmac::HMAC_SHA384),
        ("HS512", aws_lc_rs::hmac::HMAC_SHA512),
    ] {
        let header = json!({"alg": name, "kid": "r"}).to_string();
        let signed = format!("{}.{}", base64(header), base64(bench.claims().to_string()));
        for secret in [jwk.as_str(), RSA.jwk("r")["n"].as_str().unwrap(), ""] {
            let key = aws_lc_rs::hmac::Key::new(method, secret.as_bytes());
            let tag = base64(aws_lc_rs::hmac::sign(&key, signed.as_bytes()));
            assert_eq!(bench.check(&format!("{signed}.{tag}")).await, Check::Algorithm);
        }
    }
}

#[tokio::test]
async fn a2_the_algorithm_is_the_issuers_and_the_keys_not_the_headers() {
    let bench = Bench::with(|config| config.algorithms = Some(vec![Algorithm::RS256])).await;
    let mut pinned = RSA.jwk("pinned");
    pinned["alg"] = json!("PS256");
    bench.serve(&[RSA.jwk("r"), P256.jwk("k1"), pinned]);
    assert_eq!(bench.check(&bench.token("k1", &bench.claims())).await, Check::Algorithm);
    let header = json!({"alg": "RS256", "kid": "pinned"}).to_string();
    let token = RSA.token(Algorithm::RS256, &header, &bench.claims().to_string());
    assert_eq!(bench.check(&token).await, Check::Algorithm);
    let header = json!({"alg": "RS256", "kid": "r"}).to_string();
    let token = RSA.token(Algorithm::RS256, &header, &bench.claims().to_string());
    assert!(bench.oidc.verify(&token).await.is_ok());
}

#[tokio::test]
async fn b1_an_audience_that_is_not_exactly_ours_is_refused() {
    let bench = Bench::new().await;
    for aud in [
        json!(null),
        json!(""),
        json!([]),
        json!("https://other.example.com"),
        json!(format!("{AUDIENCE}/")),
        json!(AUDIENCE.to_uppercase()),
        json!([AUDIENCE, "https://other.example.com"]),
        json!([AUDIENCE, AUDIENCE]),
        json!([[AUDIENCE]]),
        json!({"aud": AUDIENCE}),
        json!(1),
        json!(true),
    ] {
        assert_eq!(bench.check_claims(&json!({"aud": aud})).await, Check::Audience, "{aud}");
    }
    let only = bench.token("k1", &bench.claims_with(&json!({"aud": [AUDIENCE]})));
    assert!(bench.oidc.verify(&only).await.is_ok());
}

#[tokio::test]
async fn b1_several_audiences_only_where_allowed() {
    let bench = Bench::with(|config| config.allow_multiple_audiences = true).await;
    let token = bench.token("k1", &bench.claims_with(&json!({"aud": ["other", AUDIENCE]})));
    assert!(bench.oidc.verify(&token).await.is_ok());
    for aud in [json!(["other", "another"]), json!([AUDIENCE, 1]), json!([])] {
        assert_eq!(bench.check_claims(&json!({"aud": aud})).await, Check::Audience, "{aud}");
    }
}

#[tokio::test]
async fn b5_issuers_that_only_look_alike_are_refused_and_not_fetched() {
    let bench = Bench::new().await;
    let url = bench.server.url().to_owned();
    let host = url.strip_prefix("http://").unwrap().to_owned();
    for iss in [
        format!("{url}/"),
        format!("HTTP://{host}"),
        format!("http://user@{host}"),
        format!("https://{host}"),
        format!("http://localhost{}", &host[9..]),
        format!(" {url}"),
        format!("{url}\0"),
        "http://127.0.0.1".to_owned(),
        "https://xn--e1afmkfd.example".to_owned(),
        String::new(),
    ] {
        let check = bench.check_claims(&json!({"iss": iss})).await;
        assert_eq!(check, Check::UnknownIssuer, "{iss:?}");
    }
    for iss in [json!(null), json!([url]), json!({"iss": url}), json!(1)] {
        assert_eq!(bench.check_claims(&json!({"iss": iss})).await, Check::UnknownIssuer, "{iss}");
    }
    assert_eq!(bench.server.asked_at_all(), 0);
}

#[tokio::test]
async fn b6_the_same_subject_from_another_issuer_is_somebody_else() {
    let (one, other) = (Bench::new().await, Bench::new().await);
    other.serve(&[RSA.jwk("k1")]);
    let configs = vec![config(one.server.url()), config(other.server.url())];
    let oidc = Oidc::build(configs, Arc::new(one.clock.clone())).unwrap();
    let token = one.token("k1", &one.claims());
    assert_eq!(oidc.verify(&token).await.unwrap().issuer().as_str(), one.server.url());
    // the first issuer's key does not sign for the second, whatever the key id
    let crossed = one.token("k1", &other.claims());
    assert_eq!(failed(oidc.verify(&crossed).await.map(|_| ())), Check::Algorithm);
}

#[tokio::test]
async fn d1_only_configured_issuers_are_ever_fetched() {
    let (bench, stranger) = (Bench::new().await, Bench::new().await);
    let token = stranger.token("k1", &stranger.claims());
    match bench.oidc.verify(&token).await {
        Err(Error::Invalid { check: Check::UnknownIssuer, claimed_issuer }) => {
            assert_eq!(claimed_issuer.as_deref(), Some(stranger.server.url()));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(bench.server.asked_at_all() + stranger.server.asked_at_all(), 0);
}

#[tokio::test]
async fn an_issuer_that_is_not_configured_is_told_and_cannot_write_a_line_of_the_log() {
    let bench = Bench::new().await;
    let iss = format!("https://evil\n\u{1b}[31mallowed{}", "x".repeat(1000));
    let token = bench.token("k1", &bench.claims_with(&json!({"iss": iss})));
    let text = bench.oidc.verify(&token).await.unwrap_err().to_string();
    assert!(text.contains(r"https://evil\n\u{1b}[31mallowed"), "{text}");
    assert!(!text.chars().any(char::is_control) && text.len() < 400, "{text}");
}

#[tokio::test]
async fn what_fails_without_a_key_fetches_none() {
    let bench = Bench::new().await;
    bench.check_claims(&json!({"exp": 1})).await;
    bench.check_claims(&json!({"aud": "other"})).await;
    assert_eq!(bench.server.asked_at_all(), 0);
}

#[tokio::test]
async fn the_claimed_issuer_in_the_audit_trail_is_short() {
    let bench = Bench::new().await;
    let token = bench.token("k1", &bench.claims_with(&json!({"iss": "x".repeat(9000)})));
    match bench.oidc.verify(&token).await {
        Err(Error::Invalid { claimed_issuer: Some(claimed), .. }) => assert_eq!(claimed.len(), 256),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_issuer_that_is_configured_twice_is_refused() {
    let clock = Arc::new(ManualClock::at(noon()));
    let twice = vec![config("http://localhost:1"), config("http://localhost:1")];
    assert!(matches!(Oidc::build(twice, clock), Err(Error::Config { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a12_a_changed_token_never_verifies(position in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("keys.json");
            std::fs::write(&file, json!({"keys": [P256.jwk("k1")]}).to_string()).unwrap();
            let mut config = config("http://localhost:1");
            config.jwks_file = Some(file);
            let oidc = Oidc::build(vec![config], Arc::new(ManualClock::at(noon()))).unwrap();
            let now = noon().as_second();
            let claims = json!({"iss": "http://localhost:1", "aud": AUDIENCE, "sub": "job", "exp": now + 300});
            let token = P256.token(Algorithm::ES256, r#"{"alg":"ES256","kid":"k1"}"#, &claims.to_string());
            prop_assert!(oidc.verify(&token).await.is_ok());
            let mut changed = token.clone().into_bytes();
            let position = position.index(changed.len());
            if cut { changed.truncate(position); } else { changed[position] = byte; }
            if let Ok(changed) = String::from_utf8(changed)
                && changed != token
            {
                prop_assert!(oidc.verify(&changed).await.is_err(), "{changed}");
            }
            Ok(())
        })?;
    }
}
