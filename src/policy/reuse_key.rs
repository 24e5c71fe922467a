//! What an access token that was handed out before must share with a permit to be handed out again.

use aws_lc_rs::digest::{SHA256, digest};

use super::Permit;
use super::admission::Grounds;
use crate::identity::Workload;
use crate::model::{Claim, CredentialRef, FederatedCredential, Form, PasswordSlot, Permissions};

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

/// The key of what a permit allows.
pub(super) fn of(permit: &Permit<'_>) -> ReuseKey {
    let mut fields = Fields(Vec::with_capacity(512));
    fields.push(b"dockpass reuse key 1");
    fields.push(&permit.registry.uid.0);
    fields.push(permit.token.uid.as_bytes());
    fields.push(permit.boundary.scope_map.name.as_str().as_bytes());
    fields.number(permit.boundary.scope_map.revision);
    fields.credential(&permit.credential());
    fields.bearer(&permit.grounds);
    fields.permissions(&permit.permissions);
    fields.push(match permit.form {
        Form::Password => b"password",
        Form::PasswordAndBearer => b"password and bearer",
    });
    fields.number(permit.bounds.longest.as_secs());
    match permit.bounds.end {
        Some(end) => fields.push(&end.as_nanosecond().to_le_bytes()),
        None => fields.push(b""),
    }
    fields.key()
}

/// Fields one after another, each after its length: no value can reach into the next.
struct Fields(Vec<u8>);

impl Fields {
    fn key(&self) -> ReuseKey {
        let mut key = [0; 32];
        key.copy_from_slice(digest(&SHA256, &self.0).as_ref());
        ReuseKey(key)
    }

    fn push(&mut self, field: &[u8]) {
        self.0.extend_from_slice(&field.len().to_le_bytes());
        self.0.extend_from_slice(field);
    }

    /// A value as JSON, so that a text never equals a number.
    fn json(&mut self, value: Option<Claim<'_>>) {
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

    fn bearer(&mut self, grounds: &Grounds<'_>) {
        match grounds {
            Grounds::Anonymous => self.push(b"nobody"),
            Grounds::Password(_) => self.push(b"password"),
            Grounds::Session(session, _) => {
                self.push(b"session");
                self.push(session.id.as_bytes());
            }
            Grounds::Workload(workload, place) => {
                self.push(b"workload");
                self.push(workload.issuer().as_str().as_bytes());
                self.push(workload.subject().as_bytes());
                // INVARIANT: no permit is made of a place without a credential
                match place.credential() {
                    Some(own) => self.tested_claims(own, workload),
                    None => self.all_claims(workload),
                }
            }
        }
    }

    /// Every claim that the credential tests.
    fn tested_claims(&mut self, credential: &FederatedCredential, workload: &Workload) {
        self.count(credential.claims.len());
        for condition in &credential.claims {
            self.push(condition.name.as_str().as_bytes());
            self.json(condition.name.find(workload.claims()));
        }
    }

    /// For a credential of which nobody knows what it tests.
    fn all_claims(&mut self, workload: &Workload) {
        for (name, value) in workload.claims().iter() {
            self.push(name.as_bytes());
            self.json(Some(value));
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

#[cfg(test)]
mod tests;
