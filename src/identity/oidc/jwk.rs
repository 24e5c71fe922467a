//! One public key of an issuer (RFC 7517), parsed once and kept.

use aws_lc_rs::signature::{self, ParsedPublicKey, VerificationAlgorithm};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::rsa;
use crate::identity::Algorithm;

/// Members of a private or shared key. A key that was published with one is everybody's.
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

const RSA_ALGORITHMS: [Algorithm; 6] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
];

/// A key that verifies signatures, for the algorithms that it may be used with.
#[derive(Debug)]
pub(super) struct Key {
    /// Its id.
    pub(super) id: Option<String>,
    verifiers: Vec<(Algorithm, ParsedPublicKey)>,
    fingerprint: Vec<u8>,
}

impl Key {
    /// Reads a key; `None` for one that is not for our use: another type, curve, purpose or algorithm, symmetric, weak,
    /// or a point off its curve.
    pub(super) fn parse(jwk: &Map<String, Value>) -> Option<Self> {
        if !is_for_signatures(jwk) || PRIVATE.iter().any(|name| jwk.contains_key(*name)) {
            return None;
        }
        let id = match jwk.get("kid") {
            None => None,
            Some(id) => Some(id.as_str().filter(|id| !id.is_empty())?.to_owned()),
        };
        let (algorithms, material) = match text(jwk, "kty")? {
            "RSA" => (&RSA_ALGORITHMS[..], rsa::public_key(&bytes(jwk, "n")?, &bytes(jwk, "e")?)?),
            "EC" => match text(jwk, "crv")? {
                "P-256" => (&[Algorithm::ES256][..], point(jwk, 32)?),
                "P-384" => (&[Algorithm::ES384][..], point(jwk, 48)?),
                _ => return None,
            },
            "OKP" if text(jwk, "crv")? == "Ed25519" => {
                (&[Algorithm::EdDsa][..], bytes(jwk, "x").filter(|x| x.len() == 32)?)
            }
            _ => return None,
        };
        let wanted = match jwk.get("alg") {
            None => None,
            Some(name) => Some(Algorithm::from_name(name.as_str()?)?),
        };
        let verifiers: Vec<_> = algorithms
            .iter()
            .filter(|algorithm| wanted.is_none_or(|wanted| wanted == **algorithm))
            .map(|&algorithm| {
                Some((algorithm, ParsedPublicKey::new(method(algorithm), &material).ok()?))
            })
            .collect::<Option<_>>()?;
        (!verifiers.is_empty()).then_some(Self { id, verifiers, fingerprint: material })
    }

    /// True when `signature` over `message` verifies with this key and algorithm. An algorithm that is not the key's never does.
    pub(super) fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        fits(algorithm, signature)
            && self
                .verifiers
                .iter()
                .find(|(own, _)| *own == algorithm)
                .is_some_and(|(_, key)| key.verify_sig(message, signature).is_ok())
    }

    /// True when the key may be used with this algorithm.
    pub(super) fn is_for(&self, algorithm: Algorithm) -> bool {
        self.verifiers.iter().any(|(own, _)| *own == algorithm)
    }

    /// What makes it another key: id, algorithms and material.
    pub(super) fn identity(&self) -> (Option<&str>, Vec<Algorithm>, &[u8]) {
        let algorithms = self.verifiers.iter().map(|(algorithm, _)| *algorithm).collect();
        (self.id.as_deref(), algorithms, &self.fingerprint)
    }
}

/// RFC 7517, sections 4.2 and 4.3: what a key says of its purpose is binding.
fn is_for_signatures(jwk: &Map<String, Value>) -> bool {
    let usage = jwk.get("use").is_none_or(|usage| usage == "sig");
    let operations = jwk.get("key_ops").is_none_or(|operations| {
        operations.as_array().is_some_and(|list| list.iter().any(|operation| operation == "verify"))
    });
    usage && operations
}

fn text<'a>(jwk: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    jwk.get(name)?.as_str()
}

fn bytes(jwk: &Map<String, Value>, name: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text(jwk, name)?).ok()
}

/// An uncompressed point (SEC 1, section 2.3.3). RFC 7518, section 6.2.1.2: coordinates have the full length.
fn point(jwk: &Map<String, Value>, length: usize) -> Option<Vec<u8>> {
    let (x, y) = (bytes(jwk, "x")?, bytes(jwk, "y")?);
    (x.len() == length && y.len() == length).then(|| [&[4], x.as_slice(), y.as_slice()].concat())
}

/// RFC 7518, section 3.4; RFC 8032: these signatures have one length. That of an RSA signature is the modulus's, as aws-lc checks.
const fn fits(algorithm: Algorithm, signature: &[u8]) -> bool {
    match algorithm {
        Algorithm::ES256 | Algorithm::EdDsa => signature.len() == 64,
        Algorithm::ES384 => signature.len() == 96,
        _ => true,
    }
}

fn method(algorithm: Algorithm) -> &'static dyn VerificationAlgorithm {
    match algorithm {
        Algorithm::EdDsa => &signature::ED25519,
        Algorithm::ES256 => &signature::ECDSA_P256_SHA256_FIXED,
        Algorithm::ES384 => &signature::ECDSA_P384_SHA384_FIXED,
        Algorithm::PS256 => &signature::RSA_PSS_2048_8192_SHA256,
        Algorithm::PS384 => &signature::RSA_PSS_2048_8192_SHA384,
        Algorithm::PS512 => &signature::RSA_PSS_2048_8192_SHA512,
        Algorithm::RS256 => &signature::RSA_PKCS1_2048_8192_SHA256,
        Algorithm::RS384 => &signature::RSA_PKCS1_2048_8192_SHA384,
        Algorithm::RS512 => &signature::RSA_PKCS1_2048_8192_SHA512,
    }
}

#[cfg(test)]
mod tests;
