//! All keys of an issuer (RFC 7517, section 5).

use std::collections::HashMap;

use serde_json::Value;

use super::json;
use super::jwk::Key;
use crate::identity::Check;
use crate::model::IssuerUrl;

/// The most keys that an issuer may have. Known issuers have fewer than twenty.
const MAX_KEYS: usize = 100;

/// The usable keys of an issuer.
#[derive(Debug, Default)]
pub(super) struct KeySet {
    keys: Vec<Key>,
}

impl KeySet {
    /// Reads a JWK set. Keys that are not for us are left out, as the RFC asks; so are all keys of an id that occurs twice,
    /// for the id says no longer which is meant.
    ///
    /// # Errors
    /// It is not a set, too large, or has no usable key.
    pub(super) fn parse(document: &[u8], issuer: &IssuerUrl) -> Result<Self, &'static str> {
        let document = json::object(document).ok_or("its keys are not plain JSON")?;
        let Some(Value::Array(jwks)) = document.get("keys") else {
            return Err("its keys are not a JWK set: `keys` is missing");
        };
        if jwks.len() > MAX_KEYS {
            return Err("it has more than 100 keys");
        }
        let mut keys: Vec<Key> = jwks
            .iter()
            .filter_map(Value::as_object)
            .filter(|jwk| is_of_issuer(jwk.get("issuer"), issuer))
            .filter_map(Key::parse)
            .collect();
        let mut uses: HashMap<String, usize> = HashMap::new();
        for id in keys.iter().filter_map(|key| key.id.clone()) {
            *uses.entry(id).or_default() += 1;
        }
        keys.retain(|key| key.id.as_ref().is_none_or(|id| uses.get(id) == Some(&1)));
        if keys.is_empty() { Err("it has no usable key") } else { Ok(Self { keys }) }
    }

    /// The key of an id. A token that names none may be verified only when there is exactly one.
    ///
    /// # Errors
    /// [`Check::KeyUnknown`], [`Check::KeyAmbiguous`].
    pub(super) fn find(&self, id: Option<&str>) -> Result<&Key, Check> {
        match (id, self.keys.as_slice()) {
            (None, [only]) => Ok(only),
            (None, _) => Err(Check::KeyAmbiguous),
            (Some(id), keys) => {
                keys.iter().find(|key| key.id.as_deref() == Some(id)).ok_or(Check::KeyUnknown)
            }
        }
    }

    /// True when the other set has the same keys, in whatever order.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let has =
            |set: &Self, key: &Key| set.keys.iter().any(|own| own.identity() == key.identity());
        self.keys.len() == other.keys.len() && self.keys.iter().all(|key| has(other, key))
    }
}

/// Entra publishes the keys of many tenants' issuers in one set; each says whose it is, with a place holder for the tenant.
fn is_of_issuer(owner: Option<&Value>, issuer: &IssuerUrl) -> bool {
    let Some(owner) = owner else { return true };
    let tenant = issuer.as_str().split('/').nth(3).unwrap_or_default();
    owner.as_str().is_some_and(|owner| owner.replace("{tenantid}", tenant) == issuer.as_str())
}

#[cfg(test)]
mod tests;
