use serde_json::json;

use super::super::testing::{ED25519, P256, P384, RSA, base64};
use super::*;

fn parse(jwk: &Value) -> Option<Key> {
    Key::parse(jwk.as_object()?)
}

fn with(jwk: &Value, name: &str, value: Value) -> Value {
    let mut jwk = jwk.clone();
    jwk[name] = value;
    jwk
}

#[test]
fn each_kind_of_key_is_read() {
    for (jwk, algorithms) in [
        (RSA.jwk("k"), &RSA_ALGORITHMS[..]),
        (P256.jwk("k"), &[Algorithm::ES256]),
        (P384.jwk("k"), &[Algorithm::ES384]),
        (ED25519.jwk("k"), &[Algorithm::EdDsa]),
    ] {
        let key = parse(&jwk).unwrap();
        assert!(algorithms.iter().all(|algorithm| key.is_for(*algorithm)), "{jwk}");
        assert_eq!(key.verifiers.len(), algorithms.len());
        assert!(parse(&with(&jwk, "use", json!("sig"))).is_some());
        assert!(parse(&with(&jwk, "key_ops", json!(["verify"]))).is_some());
    }
}

#[test]
fn a5_keys_for_another_use_are_left_out() {
    for jwk in [RSA.jwk("k"), P256.jwk("k"), ED25519.jwk("k")] {
        for (name, value) in [
            ("use", json!("enc")),
            ("use", json!("SIG")),
            ("use", json!(null)),
            ("key_ops", json!(["encrypt"])),
            ("key_ops", json!([])),
            ("key_ops", json!("verify")),
            ("alg", json!("RSA-OAEP")),
            ("alg", json!("HS256")),
            ("alg", json!("none")),
            ("alg", json!("ES512")),
            ("alg", json!(null)),
            ("kid", json!("")),
            ("kid", json!(1)),
            ("kty", json!("oct")),
            ("kty", json!("AKP")),
        ] {
            assert!(parse(&with(&jwk, name, value.clone())).is_none(), "{name} {value} {jwk}");
        }
    }
    assert!(parse(&with(&RSA.jwk("k"), "alg", json!("ES256"))).is_none());
    assert!(parse(&with(&P256.jwk("k"), "alg", json!("ES384"))).is_none());
}

#[test]
fn a5_shared_and_private_keys_are_left_out() {
    assert!(parse(&json!({"kty": "oct", "kid": "k", "alg": "HS256", "k": "c2VjcmV0"})).is_none());
    for name in PRIVATE {
        assert!(parse(&with(&RSA.jwk("k"), name, json!("AQAB"))).is_none(), "{name}");
    }
}

#[test]
fn a5_points_off_the_curve_are_left_out() {
    for (jwk, length) in [(P256.jwk("k"), 32), (P384.jwk("k"), 48)] {
        let mut y = URL_SAFE_NO_PAD.decode(jwk["y"].as_str().unwrap()).unwrap();
        y[length - 1] ^= 1;
        let y = base64(y);
        assert!(parse(&with(&jwk, "y", json!(y))).is_none());
        for x in
            [vec![0; length], vec![0xff; length], vec![1; length - 1], vec![1; length + 1], vec![]]
        {
            assert!(parse(&with(&jwk, "x", json!(base64(x)))).is_none());
        }
        for crv in ["P-521", "secp256k1", "p-256", ""] {
            assert!(parse(&with(&jwk, "crv", json!(crv))).is_none());
        }
    }
    assert!(parse(&with(&P256.jwk("k"), "crv", json!("P-384"))).is_none());
    assert!(parse(&with(&ED25519.jwk("k"), "x", json!(base64([7; 31])))).is_none());
    assert!(parse(&with(&ED25519.jwk("k"), "crv", json!("X25519"))).is_none());
}

#[test]
fn a5_weak_rsa_keys_are_left_out() {
    let jwk = RSA.jwk("k");
    for e in [&[1][..], &[2], &[0], &[]] {
        assert!(parse(&with(&jwk, "e", json!(base64(e)))).is_none());
    }
    assert!(parse(&with(&jwk, "n", json!(base64([0xc5; 128])))).is_none());
    assert!(parse(&with(&jwk, "n", json!(format!("{}=", jwk["n"].as_str().unwrap())))).is_none());
}

#[test]
fn signatures_have_exactly_one_length() {
    for (signer, algorithm) in [
        (&*P256, Algorithm::ES256),
        (&*P384, Algorithm::ES384),
        (&*ED25519, Algorithm::EdDsa),
        (&*RSA, Algorithm::RS256),
    ] {
        let key = parse(&signer.jwk("k")).unwrap();
        let signature = signer.sign(algorithm, b"message");
        assert!(key.verifies(algorithm, b"message", &signature));
        assert!(!key.verifies(algorithm, b"massage", &signature));
        assert!(!key.verifies(algorithm, b"message", &signature[1..]));
        assert!(!key.verifies(algorithm, b"message", &[&[0], signature.as_slice()].concat()));
        assert!(!key.verifies(algorithm, b"message", &[signature.as_slice(), &[0]].concat()));
        assert!(!key.verifies(algorithm, b"message", &vec![0; signature.len()]));
        assert!(!key.verifies(algorithm, b"message", &[]));
    }
}
