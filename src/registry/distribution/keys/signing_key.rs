//! One ES256 key and the header of the JWTs that it signs.

use std::fmt;

use aws_lc_rs::digest::{Context, SHA256};
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::Serialize;
use serde_json::{Value, json};

use crate::model::Secret;
use crate::registry::Error;

/// How long base64url of a signature is.
const SIGNATURE: usize = 86;

/// A parsed P-256 key. Signing costs the signature and nothing else: key and header are made once.
pub(in crate::registry) struct SigningKey {
    pair: EcdsaKeyPair,
    /// base64url of the JOSE header, and the dot.
    header: String,
    /// The hash of that, which goes on with the claims: a header with a certificate is longer than they are.
    hashed: Context,
}

/// How the header names the key.
pub(in crate::registry) enum Reference<'a> {
    /// A key id.
    Kid(&'a str),
    /// The certificate of the key, DER; its issuer is the registry's to know.
    X5c(&'a [u8]),
}

impl SigningKey {
    /// Names a key in the header.
    pub(in crate::registry) fn new(pair: EcdsaKeyPair, reference: &Reference<'_>) -> Self {
        let header = match reference {
            Reference::Kid(kid) => json!({"typ": "JWT", "alg": "ES256", "kid": kid}),
            // RFC 7515, section 4.1.6: base64, not base64url
            Reference::X5c(der) => {
                json!({"typ": "JWT", "alg": "ES256", "x5c": [STANDARD.encode(der)]})
            }
        };
        let header = URL_SAFE_NO_PAD.encode(header.to_string()) + ".";
        let mut hashed = Context::new(&SHA256);
        hashed.update(header.as_bytes());
        Self { pair, header, hashed }
    }

    /// Signs claims as a JWT.
    ///
    /// # Errors
    /// No random numbers.
    pub(super) fn sign(&self, claims: &impl Serialize) -> Result<Secret, Error> {
        self.sign_encoded(&encode(claims)?)
    }

    /// Signs claims that [`encode`] wrote.
    ///
    /// # Errors
    /// No random numbers.
    pub(super) fn sign_encoded(&self, claims: &str) -> Result<Secret, Error> {
        let mut hashed = self.hashed.clone();
        hashed.update(claims.as_bytes());
        let signature = self.pair.sign_digest(&hashed.finish());
        let signature = signature.map_err(|_| internal("signing failed"))?;
        // of exactly this length: a secret that is shortened is copied
        let length = self.header.len() + claims.len() + 1 + SIGNATURE;
        let mut jwt = String::with_capacity(length);
        jwt.push_str(&self.header);
        jwt.push_str(claims);
        jwt.push('.');
        URL_SAFE_NO_PAD.encode_string(signature.as_ref(), &mut jwt);
        Ok(Secret::new(jwt))
    }
}

/// Never the key, nor what it signed.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").finish_non_exhaustive()
    }
}

/// Claims as they stand in a JWT: base64url of their JSON.
///
/// # Errors
/// They are no JSON: a bug.
pub(super) fn encode(claims: &impl Serialize) -> Result<String, Error> {
    let json = serde_json::to_vec(claims).map_err(|_| internal("claims are no JSON"))?;
    Ok(URL_SAFE_NO_PAD.encode(json))
}

/// A new P-256 key.
///
/// # Errors
/// No random numbers.
pub(in crate::registry) fn new_pair() -> Result<EcdsaKeyPair, Error> {
    EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
        .map_err(|_| internal("no key can be generated"))
}

/// A P-256 key from PKCS #8; `None` for anything else.
pub(super) fn pair_from_pkcs8(der: &[u8]) -> Option<EcdsaKeyPair> {
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der).ok()
}

/// The `SubjectPublicKeyInfo` of a key, DER.
///
/// # Errors
/// The key cannot be written: a bug.
pub(super) fn public_key_der(pair: &EcdsaKeyPair) -> Result<Vec<u8>, Error> {
    let der: PublicKeyX509Der<'_> =
        pair.public_key().as_der().map_err(|_| internal("a public key cannot be written"))?;
    Ok(der.as_ref().to_vec())
}

/// The public key as a JWK (RFC 7517) with the given id.
pub(super) fn jwk(pair: &EcdsaKeyPair, kid: &str) -> Option<Value> {
    // an uncompressed point: 4, x, y (SEC 1, section 2.3.3)
    let (_, point) = pair.public_key().as_ref().split_first()?;
    let (x, y) = point.split_at_checked(32)?;
    let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
    Some(
        json!({"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": kid, "x": x, "y": y}),
    )
}

fn internal(problem: &str) -> Error {
    Error::Internal(problem.to_owned())
}
