//! The compact form of a signed token (RFC 7515, section 7.1), taken apart strictly and not yet believed.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::json;
use crate::identity::{Algorithm, Check};

/// The longest token, 16 KiB.
pub(super) const MAX_LEN: usize = 16 << 10;

/// Header parameters that would bring a key along, change what is signed, or need processing that there is none for.
/// (RFC 7515, sections 4.1.2 to 4.1.6 and 4.1.10 to 4.1.11; RFC 7797; RFC 7516.)
const FORBIDDEN: [&str; 9] = ["jwk", "jku", "x5u", "x5c", "crit", "b64", "zip", "enc", "cty"];

/// Values of `typ` of an identity token, in lower case and without `application/`. A token of another stated purpose is
/// none (RFC 8725, section 3.11).
const TYPES: [&str; 3] = ["jwt", "at+jwt", "jose"];

/// A token taken apart. Nothing in it is verified.
#[derive(Debug)]
pub(super) struct Compact<'a> {
    /// What is signed: the first two segments and the dot between.
    pub(super) signed: &'a [u8],
    /// The signature's bytes.
    pub(super) signature: Vec<u8>,
    /// The header's algorithm: a wish, which the key must grant.
    pub(super) algorithm: Algorithm,
    /// The header's key id.
    pub(super) key_id: Option<String>,
    payload: Vec<u8>,
}

impl<'a> Compact<'a> {
    /// Takes a token apart: three segments, canonical base64url without padding, a header that asks for nothing special.
    pub(super) fn parse(token: &'a str) -> Result<Self, Check> {
        if token.len() > MAX_LEN {
            return Err(Check::TooLong);
        }
        let segments: Vec<&str> = token.splitn(6, '.').collect();
        let (header, payload, signature) = match segments.as_slice() {
            [header, payload, signature] => (*header, *payload, *signature),
            [_, _, _, _, _] => return Err(Check::Encrypted),
            _ => return Err(Check::NotAToken),
        };
        let header = json::object(&decode(header)?).ok_or(Check::Json)?;
        let (algorithm, key_id) = read_header(&header)?;
        let signed = token.len() - signature.len() - 1;
        Ok(Self {
            signed: token.as_bytes().get(..signed).ok_or(Check::NotAToken)?,
            signature: decode(signature)?,
            algorithm,
            key_id,
            payload: decode(payload)?,
        })
    }

    /// The claims, unverified.
    pub(super) fn claims(&self) -> Result<Map<String, Value>, Check> {
        json::object(&self.payload).ok_or(Check::Json)
    }
}

fn read_header(header: &Map<String, Value>) -> Result<(Algorithm, Option<String>), Check> {
    if FORBIDDEN.iter().any(|name| header.contains_key(*name)) {
        return Err(Check::Header);
    }
    match header.get("typ") {
        None => {}
        Some(Value::String(typ)) if is_identity_type(typ) => {}
        Some(_) => return Err(Check::Type),
    }
    let Some(Value::String(algorithm)) = header.get("alg") else { return Err(Check::Algorithm) };
    let algorithm = Algorithm::from_name(algorithm).ok_or(Check::Algorithm)?;
    match header.get("kid") {
        None => Ok((algorithm, None)),
        Some(Value::String(key_id)) if !key_id.is_empty() => Ok((algorithm, Some(key_id.clone()))),
        Some(_) => Err(Check::Header),
    }
}

fn is_identity_type(typ: &str) -> bool {
    let lower = typ.to_ascii_lowercase();
    TYPES.contains(&lower.strip_prefix("application/").unwrap_or(&lower))
}

/// Canonical base64url: no padding, no white space, and the bits that carry nothing are zero.
fn decode(segment: &str) -> Result<Vec<u8>, Check> {
    URL_SAFE_NO_PAD.decode(segment).map_err(|_| Check::Encoding)
}

#[cfg(test)]
mod tests;
