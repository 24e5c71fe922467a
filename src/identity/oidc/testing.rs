//! Keys that sign, and an issuer that serves them: for the tests of this module.

use std::sync::{Arc, LazyLock};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Oidc;
use crate::identity::{Algorithm, Check, Error, IssuerConfig};
use crate::model::{Clock as _, ManualClock};
use crate::net::testing::{Answer, Server};

pub(super) const AUDIENCE: &str = "https://dockpass.example.com";
pub(super) const DISCOVERY: &str = "/.well-known/openid-configuration";

/// One key of each kind, made once.
pub(super) static RSA: LazyLock<Signer> =
    LazyLock::new(|| Signer::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()));
pub(super) static OTHER_RSA: LazyLock<Signer> =
    LazyLock::new(|| Signer::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()));
pub(super) static P256: LazyLock<Signer> = LazyLock::new(|| {
    Signer::Ec(EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
});
pub(super) static P384: LazyLock<Signer> = LazyLock::new(|| {
    Signer::Ec(EcdsaKeyPair::generate(&signature::ECDSA_P384_SHA384_FIXED_SIGNING).unwrap())
});
pub(super) static ED25519: LazyLock<Signer> =
    LazyLock::new(|| Signer::Ed(Ed25519KeyPair::generate().unwrap()));

/// A private key.
pub(super) enum Signer {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

impl Signer {
    /// The public key.
    pub(super) fn jwk(&self, id: &str) -> Value {
        match self {
            Self::Rsa(pair) => {
                let key = pair.public_key();
                let n = base64(key.modulus().big_endian_without_leading_zero());
                let e = base64(key.exponent().big_endian_without_leading_zero());
                json!({"kty": "RSA", "kid": id, "n": n, "e": e})
            }
            Self::Ec(pair) => {
                let point = pair.public_key().as_ref();
                let (x, y) = point[1..].split_at(point.len() / 2);
                let crv = if x.len() == 32 { "P-256" } else { "P-384" };
                json!({"kty": "EC", "kid": id, "crv": crv, "x": base64(x), "y": base64(y)})
            }
            Self::Ed(pair) => {
                let x = base64(pair.public_key().as_ref());
                json!({"kty": "OKP", "kid": id, "crv": "Ed25519", "x": x})
            }
        }
    }

    /// Signs a message; for RSA as the algorithm says.
    pub(super) fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Rsa(pair) => {
                let encoding = match algorithm {
                    Algorithm::PS256 => &signature::RSA_PSS_SHA256,
                    Algorithm::PS384 => &signature::RSA_PSS_SHA384,
                    Algorithm::PS512 => &signature::RSA_PSS_SHA512,
                    Algorithm::RS384 => &signature::RSA_PKCS1_SHA384,
                    Algorithm::RS512 => &signature::RSA_PKCS1_SHA512,
                    _ => &signature::RSA_PKCS1_SHA256,
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(encoding, &SystemRandom::new(), message, &mut signature).unwrap();
                signature
            }
            Self::Ec(pair) => pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec(),
            Self::Ed(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }

    /// A token with this header and these claims as they are, JSON or not.
    pub(super) fn token(&self, algorithm: Algorithm, header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", base64(header), base64(claims));
        format!("{signed}.{}", base64(self.sign(algorithm, signed.as_bytes())))
    }
}

pub(super) fn base64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A moment in 2026.
pub(super) fn noon() -> Timestamp {
    Timestamp::from_second(1_790_000_000).unwrap()
}

/// An issuer at work, and a verifier that is configured for it.
pub(super) struct Bench {
    pub(super) server: Server,
    pub(super) clock: ManualClock,
    pub(super) oidc: Arc<Oidc>,
}

impl Bench {
    /// An issuer with the P-256 key `k1`, configured as `change` says.
    pub(super) async fn with(change: impl FnOnce(&mut IssuerConfig)) -> Self {
        let server = Server::start().await;
        let clock = ManualClock::at(noon());
        let mut config = config(server.url());
        change(&mut config);
        let oidc = Arc::new(Oidc::build(vec![config], Arc::new(clock.clone())).unwrap());
        let bench = Self { server, clock, oidc };
        bench.serve(&[P256.jwk("k1")]);
        bench
    }

    pub(super) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// The issuer has these keys from now on.
    pub(super) fn serve(&self, keys: &[Value]) {
        let url = self.server.url();
        let document = json!({"issuer": url, "jwks_uri": format!("{url}/keys")});
        self.server.answer(DISCOVERY, Answer::ok(document.to_string()));
        self.server.answer("/keys", Answer::ok(json!({"keys": keys}).to_string()));
    }

    /// Claims that are in order.
    pub(super) fn claims(&self) -> Value {
        let now = self.clock.now().as_second();
        json!({"iss": self.server.url(), "aud": AUDIENCE, "sub": "job", "iat": now, "exp": now + 300})
    }

    /// Claims in order, with these in place of theirs; `null` takes one away.
    pub(super) fn claims_with(&self, changes: &Value) -> Value {
        let mut claims = self.claims();
        for (name, value) in changes.as_object().unwrap() {
            if value.is_null() {
                claims.as_object_mut().unwrap().remove(name);
            } else {
                claims[name] = value.clone();
            }
        }
        claims
    }

    /// A token of the key `id`, P-256.
    #[expect(clippy::unused_self, reason = "the token is one of the bench's issuer")]
    pub(super) fn token(&self, id: &str, claims: &Value) -> String {
        let header = json!({"alg": "ES256", "kid": id, "typ": "JWT"}).to_string();
        P256.token(Algorithm::ES256, &header, &claims.to_string())
    }

    /// Which check a token fails.
    pub(super) async fn check(&self, token: &str) -> Check {
        failed(self.oidc.verify(token).await.map(|_| ()))
    }

    /// Which check a token with such claims fails.
    pub(super) async fn check_claims(&self, changes: &Value) -> Check {
        self.check(&self.token("k1", &self.claims_with(changes))).await
    }
}

/// A configuration for tests.
pub(super) fn config(issuer: &str) -> IssuerConfig {
    toml::from_str(&format!("issuer = '{issuer}'\naudience = '{AUDIENCE}'\nloopback_http = true"))
        .unwrap()
}

/// The check that failed.
pub(super) fn failed(result: Result<(), Error>) -> Check {
    match result {
        Err(Error::Invalid { check, .. }) => check,
        other => panic!("not a failed check: {other:?}"),
    }
}
