//! An issuer of identity tokens whose keys are in a file: claims like those of a CI, signed by the crypto library itself.

use anyhow::Context;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dockpass::model::{Clock, SystemClock};
use serde_json::{Value, json};

pub(crate) const ISSUER: &str = "https://ci.example.com";
pub(crate) const AUDIENCE: &str = "https://dockpass.example.com";

/// Its keys.
pub(crate) struct Issuer {
    elliptic: EcdsaKeyPair,
    rsa: RsaKeyPair,
}

/// What signs a token.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Algorithm {
    Es256,
    Rs256,
}

impl Issuer {
    pub(crate) fn new() -> anyhow::Result<Self> {
        Ok(Self {
            elliptic: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?,
            rsa: RsaKeyPair::generate(KeySize::Rsa2048)?,
        })
    }

    /// The public keys, as JWKS.
    pub(crate) fn jwks(&self) -> anyhow::Result<Value> {
        // the point, uncompressed (SEC 1, 2.3.3): 4, x, y
        let point = self.elliptic.public_key().as_ref();
        let (x, y) = point.get(1..).context("no point")?.split_at_checked(32).context("no x")?;
        // RSAPublicKey of RFC 8017, A.1.1; for 2048 bits its head has nine bytes, the last of them the sign of n
        let der = self.rsa.public_key().as_ref();
        let (n, e) = der.get(9..).context("no n")?.split_at_checked(256).context("no e")?;
        let e = e.get(2..).context("no e")?;
        Ok(json!({"keys": [
            {"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": "ES256", "x": encode(x), "y": encode(y)},
            {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "RS256", "n": encode(n), "e": encode(e)},
        ]}))
    }

    /// `Bearer` with a token of one hour, for the repository of that number, from the run of that number.
    pub(crate) fn bearer(
        &self,
        algorithm: Algorithm,
        repository: usize,
        run: usize,
    ) -> anyhow::Result<String> {
        let header = json!({"alg": algorithm.name(), "typ": "JWT", "kid": algorithm.name()});
        let claims = claims(repository, run);
        let signed = format!(
            "{}.{}",
            encode(header.to_string().as_bytes()),
            encode(claims.to_string().as_bytes())
        );
        let signature = self.sign(algorithm, signed.as_bytes())?;
        Ok(format!("Bearer {signed}.{}", encode(&signature)))
    }

    fn sign(&self, algorithm: Algorithm, bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
        let random = SystemRandom::new();
        match algorithm {
            Algorithm::Es256 => Ok(self.elliptic.sign(&random, bytes)?.as_ref().to_vec()),
            Algorithm::Rs256 => {
                let mut signature = vec![0; self.rsa.public_modulus_len()];
                self.rsa.sign(&RSA_PKCS1_SHA256, &random, bytes, &mut signature)?;
                Ok(signature)
            }
        }
    }
}

impl Algorithm {
    const fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
        }
    }
}

/// As many and as long as GitHub's.
fn claims(repository: usize, run: usize) -> Value {
    let now = SystemClock.now().as_second();
    json!({
        "iss": ISSUER, "aud": AUDIENCE, "iat": now, "nbf": now - 60, "exp": now + 3600,
        "jti": uuid::Uuid::now_v7().to_string(),
        "sub": format!("repo:acme/service-{repository}:ref:refs/heads/main:run:{run}"),
        "repository_id": repository.to_string(), "ref": "refs/heads/main", "ref_type": "branch",
        "ref_protected": "true", "sha": "77b1c0a9b0f4a5a4f4a3c6d0e6b4f2a1d9c8e7f6",
        "repository": format!("acme/service-{repository}"), "repository_owner": "acme",
        "repository_owner_id": "7654321", "repository_visibility": "private",
        "actor": "someone", "actor_id": "1234567", "event_name": "push", "environment": "production",
        "workflow": "build and push", "run_id": run.to_string(), "run_number": "10", "run_attempt": "1",
        "workflow_ref": format!("acme/service-{repository}/.github/workflows/build.yml@refs/heads/main"),
        "runner_environment": "github-hosted",
    })
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
