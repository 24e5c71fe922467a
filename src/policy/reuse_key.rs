//! What an access token that was handed out before must share with a permit to be handed out again.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};

use serde_json::Value;

use super::admission::Grounds;
use super::bounds::Bounds;
use super::snapshot::Principal;
use crate::model::{CredentialRef, Form, PasswordSlot, Permissions, RegistryUid};

/// SHA-256 over length-prefixed fields (contract.md, section 5): registry, token, scope map and its revision, credential,
/// issuer, subject, every claim that the credential tests, permissions, form; and the bounds in time.
///
/// Of the bounds, the lengths go in as the least of them and the ends as the first of them. So an access token that was
/// minted earlier under the same key ends within both bounds of the later permit. A session has keys of its own.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct ReuseKey(pub(super) [u8; 32]);

impl ReuseKey {
    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// What goes into the key.
pub(super) struct Reusable<'a> {
    pub(super) registry: RegistryUid,
    pub(super) principal: Principal<'a>,
    pub(super) grounds: Grounds<'a>,
    pub(super) permissions: &'a Permissions,
    pub(super) form: Form,
    pub(super) bounds: Bounds,
}

/// The fields of the key, which is made of them when it is asked for: not every decision needs it.
pub(super) fn fields(given: &Reusable<'_>) -> Fields {
    let mut fields = Fields(Vec::with_capacity(384));
    fields.push(b"dockpass reuse key 1");
    fields.push(&given.registry.0);
    fields.push(given.principal.token.uid.as_bytes());
    fields.push(given.principal.scope_map.name.as_str().as_bytes());
    fields.number(given.principal.scope_map.revision);
    fields.credential(&given.grounds.credential());
    fields.grounds(&given.grounds);
    fields.permissions(given.permissions);
    fields.push(match given.form {
        Form::Password => b"password",
        Form::PasswordAndBearer => b"password and bearer",
    });
    fields.number(given.bounds.longest.as_secs());
    match given.bounds.end {
        Some(end) => fields.push(&end.as_nanosecond().to_le_bytes()),
        None => fields.push(b""),
    }
    fields
}

/// Fields one after another, each after its length: no value can reach into the next.
#[derive(Clone, Default)]
pub(super) struct Fields(Vec<u8>);

impl Fields {
    /// The key.
    pub(super) fn key(&self) -> ReuseKey {
        let mut key = [0; 32];
        key.copy_from_slice(digest(&SHA256, &self.0).as_ref());
        ReuseKey(key)
    }

    fn push(&mut self, field: &[u8]) {
        self.0.extend_from_slice(&field.len().to_le_bytes());
        self.0.extend_from_slice(field);
    }

    /// A value as JSON, so that a text never equals a number.
    fn json(&mut self, value: Option<&Value>) {
        let start = self.0.len();
        self.0.extend_from_slice(&0_usize.to_le_bytes());
        let body = self.0.len();
        // INVARIANT: neither a value nor a Vec fails to be written
        let written = serde_json::to_writer(&mut self.0, &value);
        debug_assert!(written.is_ok(), "a JSON value cannot be written");
        let length = (self.0.len() - body).to_le_bytes();
        if let Some(place) = self.0.get_mut(start..start + length.len()) {
            place.copy_from_slice(&length);
        }
    }

    fn number(&mut self, number: u64) {
        self.push(&number.to_le_bytes());
    }

    fn count(&mut self, count: usize) {
        self.push(&count.to_le_bytes());
    }

    fn credential(&mut self, credential: &CredentialRef) {
        match credential {
            CredentialRef::Anonymous => self.push(b"anonymous"),
            CredentialRef::Federated { name, revision } => {
                self.push(b"federated");
                self.push(name.as_str().as_bytes());
                self.number(*revision);
            }
            CredentialRef::Password { slot, generation } => {
                self.push(match slot {
                    PasswordSlot::Password1 => b"password1",
                    PasswordSlot::Password2 => b"password2",
                });
                self.number(*generation);
            }
        }
    }

    fn grounds(&mut self, grounds: &Grounds<'_>) {
        match grounds {
            Grounds::Anonymous => self.push(b"nobody"),
            Grounds::Password(_) => self.push(b"password"),
            Grounds::Session(session, _) => {
                self.push(b"session");
                self.push(session.id.as_bytes());
            }
            Grounds::Workload(workload, credential) => {
                self.push(b"workload");
                self.push(workload.issuer().as_str().as_bytes());
                self.push(workload.subject().as_bytes());
                self.count(credential.claims.len());
                for condition in &credential.claims {
                    self.push(condition.name.as_str().as_bytes());
                    self.json(condition.name.find(workload.claims()));
                }
            }
        }
    }

    fn permissions(&mut self, permissions: &Permissions) {
        self.count(permissions.len());
        for permission in permissions {
            self.push(permission.repository.as_str().as_bytes());
            self.push(&[permission.actions.bits()]);
        }
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.key().fmt(f)
    }
}

#[cfg(test)]
mod tests;
