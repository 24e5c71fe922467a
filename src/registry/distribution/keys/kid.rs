//! Keys that the registry knows by an id: libtrust's fingerprint, which 2.8 computes itself and 3.x takes verbatim from a JWK set.

use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, KeyUsagePurpose};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject;
use serde_json::Value;

use super::signing_key::{Reference, SigningKey, jwk, pair_from_pkcs8, public_key_der};
use crate::registry::Error;
use crate::seal::private_file;

/// A key from a file, and how a registry is told of it.
#[derive(Debug)]
pub(in crate::registry) struct KidKey {
    pub(in crate::registry) key: SigningKey,
    pub(in crate::registry) kid: String,
    /// The public key with its id (RFC 7517), for the `jwks` of a 3.x registry.
    pub(in crate::registry) jwk: Value,
    /// The public key in a certificate signed by itself (PEM), for the `rootcertbundle` of a 2.8 registry.
    pub(in crate::registry) certificate_pem: String,
}

impl KidKey {
    /// Reads a key: PEM of PKCS #8, P-256, readable by its owner only.
    ///
    /// # Errors
    /// With the file named, and what to do.
    pub(super) fn load(path: &Path) -> Result<Self, Error> {
        let unusable = |problem: &dyn std::fmt::Display| {
            Error::Config(format!("cannot use the signing key in `{}`: {problem}", path.display()))
        };
        let pem = private_file::read(path).map_err(|error| unusable(&error))?;
        Self::from_pem(&pem)?.ok_or_else(|| {
            unusable(&"it is not a P-256 key as PEM of PKCS #8: make one with `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256`")
        })
    }

    fn from_pem(pem: &str) -> Result<Option<Self>, Error> {
        let Ok(der) = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()) else { return Ok(None) };
        let Some(pair) = pair_from_pkcs8(der.secret_pkcs8_der()) else { return Ok(None) };
        let kid = fingerprint(&public_key_der(&pair)?);
        let Some(jwk) = jwk(&pair, &kid) else { return Ok(None) };
        let certificate_pem = self_signed(pem, &kid)
            .map_err(|error| Error::Internal(format!("cannot write a certificate: {error}")))?;
        let key = SigningKey::new(pair, &Reference::Kid(&kid));
        Ok(Some(Self { key, kid, jwk, certificate_pem }))
    }
}

/// Libtrust's key id: the first 240 bits of the SHA-256 of the DER public key, in base32, twelve groups of four.
pub(super) fn fingerprint(public_key_der: &[u8]) -> String {
    let hash = digest(&SHA256, public_key_der);
    let letters: Vec<char> = hash.as_ref().chunks_exact(5).flat_map(base32).collect();
    let groups: Vec<String> = letters.chunks(4).map(|group| group.iter().collect()).collect();
    groups.join(":")
}

/// Eight letters of base32 (RFC 4648, section 6) for five bytes.
fn base32(bytes: &[u8]) -> impl Iterator<Item = char> {
    let number = bytes.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    (0..8_u32).rev().map(move |place| letter(number >> (5 * place) & 31))
}

fn letter(value: u64) -> char {
    let value = u8::try_from(value).unwrap_or(0);
    char::from(if value < 26 { b'A' + value } else { b'2' + (value - 26) })
}

/// A registry takes the key out of the certificate and looks at nothing else: not the names, the dates or the signature.
fn self_signed(key_pem: &str, kid: &str) -> Result<String, rcgen::Error> {
    let key = KeyPair::from_pkcs8_pem_and_sign_algo(key_pem, &rcgen::PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, format!("dockpass {kid}"));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    // RFC 5280, section 4.1.2.5: no well-defined end
    params.not_after = rcgen::date_time_ymd(9999, 12, 31);
    Ok(params.self_signed(&key)?.pem())
}

#[cfg(test)]
mod tests;
