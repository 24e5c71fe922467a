//! An issuer whose keys are in a file.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dockpass::identity::{Bearer, Presented, Verifiers};
use dockpass::model::{Clock as _, Secret, SystemClock};
use std::sync::Arc;

pub(crate) const ISSUER: &str = "https://ci.example.com";
const AUDIENCE: &str = "https://dockpass.example.com";

/// An issuer with one signing key.
pub(crate) struct LocalIssuer {
    key: EcdsaKeyPair,
    folder: tempfile::TempDir,
}

impl LocalIssuer {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
        let issuer = Self { key, folder: tempfile::tempdir()? };
        let point = issuer.key.public_key().as_ref();
        let coordinate =
            |from: usize| URL_SAFE_NO_PAD.encode(point.get(from..from + 32).unwrap_or_default());
        let keys = serde_json::json!({"keys": [{
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "1", "x": coordinate(1), "y": coordinate(33),
        }]});
        std::fs::write(issuer.folder.path().join("keys.json"), keys.to_string())?;
        Ok(issuer)
    }

    /// What verifies its tokens.
    pub(crate) fn verifiers(&self) -> anyhow::Result<Verifiers> {
        let config = serde_json::json!({
            "issuer": ISSUER, "audience": AUDIENCE, "jwks_file": self.folder.path().join("keys.json"),
        });
        let ring = dockpass::seal::KeyRing::ephemeral()?;
        Ok(Verifiers::build(
            vec![serde_json::from_value(config)?],
            Arc::new(ring),
            Arc::new(SystemClock),
        )?)
    }

    /// A signed token; `claims` are members of a JSON object.
    pub(crate) fn sign(&self, subject: &str, claims: &str) -> anyhow::Result<Presented> {
        let now = SystemClock.now().as_second();
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"ES256","kid":"1"}"#);
        let body = URL_SAFE_NO_PAD.encode(format!(
            r#"{{"iss":"{ISSUER}","aud":"{AUDIENCE}","sub":"{subject}","iat":{now},"exp":{},{claims}}}"#,
            now + 3600
        ));
        let signed = format!("{header}.{body}");
        let signature = self.key.sign(&SystemRandom::new(), signed.as_bytes())?;
        let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
        Ok(Presented::Bearer(Bearer::new(Secret::new(token))))
    }
}
