#![expect(clippy::string_slice, reason = "tokens and secrets are ASCII")]

use base64::engine::general_purpose::URL_SAFE;
use proptest::prelude::*;
use serde_json::json;

use super::super::testing::base64;
use super::*;

fn token(header: &str) -> String {
    format!("{}.{}.{}", base64(header), base64("{}"), base64("signature"))
}

fn refused(token: &str) -> Check {
    Compact::parse(token).map(|_| ()).unwrap_err()
}

#[test]
fn a_plain_token_is_taken_apart() {
    let text = token(r#"{"alg":"RS256","kid":"k","typ":"JWT","x5t":"thumb"}"#);
    let compact = Compact::parse(&text).unwrap();
    assert_eq!((compact.algorithm, compact.key_id.as_deref()), (Algorithm::RS256, Some("k")));
    assert_eq!(compact.signature, b"signature");
    assert_eq!(compact.signed, text.rsplit_once('.').unwrap().0.as_bytes());
    assert!(compact.claims().unwrap().is_empty());
}

#[test]
fn a3_keys_and_addresses_of_keys_in_the_header_are_refused() {
    for name in ["jwk", "jku", "x5u", "x5c"] {
        for value in [json!("https://evil.example/keys"), json!({}), json!([]), json!(null)] {
            let header = json!({"alg": "RS256", name: value}).to_string();
            assert_eq!(refused(&token(&header)), Check::Header, "{header}");
        }
    }
}

#[test]
fn a8_over_16_kib_is_refused() {
    let padding = "x".repeat(MAX_LEN);
    assert_eq!(
        refused(&token(&json!({"alg": "RS256", "kid": padding}).to_string())),
        Check::TooLong
    );
    assert_eq!(refused(&".".repeat(MAX_LEN + 1)), Check::TooLong);
}

#[test]
fn a8_any_other_number_of_segments_is_refused() {
    for text in ["", ".", "a.b", "a.b.c.d", "a.b.c.d.e.f", &".".repeat(8192)] {
        assert_eq!(refused(text), Check::NotAToken, "{text:.20}");
    }
    assert!(Compact::parse("..").is_err());
}

#[test]
fn a8_base64url_that_is_not_canonical_is_refused() {
    let good = token(r#"{"alg":"RS256"}"#);
    assert!(Compact::parse(&good).is_ok());
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let loose_bits = format!("{}f", &signature[..signature.len() - 1]);
    assert_ne!(loose_bits, signature);
    for signature in [
        format!("{signature}="),
        URL_SAFE.encode("s"),
        format!("{signature}\n"),
        format!(" {signature}"),
        format!("{}+", &signature[1..]),
        format!("{}/", &signature[1..]),
        "a".to_owned(),
        "aé".to_owned(),
        "aB".to_owned(),
    ] {
        assert_eq!(refused(&format!("{signed}.{signature}")), Check::Encoding, "{signature:?}");
    }
}

#[test]
fn a8_duplicate_members_in_the_header_are_refused() {
    assert_eq!(refused(&token(r#"{"alg":"RS256","alg":"RS256"}"#)), Check::Json);
    assert_eq!(refused(&token(r#"{"alg":"RS256","a":{"b":1,"b":1}}"#)), Check::Json);
    assert_eq!(refused(&token(r#"["RS256"]"#)), Check::Json);
}

#[test]
fn a9_encrypted_and_compressed_tokens_are_refused() {
    assert_eq!(refused("a.b.c.d.e"), Check::Encrypted);
    assert_eq!(refused(&token(r#"{"alg":"RS256","zip":"DEF"}"#)), Check::Header);
    assert_eq!(refused(&token(r#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#)), Check::Header);
    assert_eq!(refused(&token(r#"{"alg":"RS256","cty":"JWT"}"#)), Check::Header);
}

#[test]
fn a10_critical_extensions_and_unencoded_payloads_are_refused() {
    for extra in [
        r#""crit":["b64"],"b64":false"#,
        r#""crit":["exp"],"exp":1"#,
        r#""crit":[]"#,
        r#""b64":false"#,
        r#""b64":true"#,
    ] {
        assert_eq!(refused(&token(&format!(r#"{{"alg":"RS256",{extra}}}"#))), Check::Header);
    }
}

#[test]
fn a11_tokens_of_another_stated_type_are_refused() {
    for typ in ["JWT", "jwt", "at+jwt", "application/at+jwt", "JOSE"] {
        assert!(Compact::parse(&token(&json!({"alg": "RS256", "typ": typ}).to_string())).is_ok());
    }
    for typ in [
        json!("dpop+jwt"),
        json!("logout+jwt"),
        json!("secevent+jwt"),
        json!("wit+jwt"),
        json!("JWE"),
        json!(""),
        json!(null),
        json!(1),
    ] {
        let header = json!({"alg": "RS256", "typ": typ}).to_string();
        assert_eq!(refused(&token(&header)), Check::Type, "{header}");
    }
}

#[test]
fn a_key_id_is_a_text() {
    for id in [json!(null), json!(1), json!(""), json!(["k"])] {
        let header = json!({"alg": "RS256", "kid": id}).to_string();
        assert_eq!(refused(&token(&header)), Check::Header, "{header}");
    }
}

proptest! {
    #[test]
    fn nothing_breaks_the_parser(text in ".{0,400}", bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let claims = Compact::parse(&text).and_then(|token| token.claims());
        prop_assert!(claims.is_err() || text.contains('.'));
        let wrapped = format!("{}.{}.", base64(&bytes), base64(&bytes));
        prop_assert!(Compact::parse(&wrapped).is_err() || !bytes.is_empty());
    }
}
