//! Permits for the tests of the modules that take one.

use jiff::Timestamp;

use super::Permit;
use super::reuse_key::Fields;
use crate::model::{CredentialRef, Form, Lifetime, Permissions, RegistryUid, TokenUid};

impl Permit {
    /// A permit that no decision made.
    pub(crate) fn for_test(
        permissions: Permissions,
        issue_time: Timestamp,
        lifetime: Lifetime,
        form: Form,
    ) -> Self {
        Self {
            registry: "local".parse().unwrap(),
            registry_uid: RegistryUid([1; 16]),
            token: TokenUid::new(issue_time),
            token_name: "nginx-ci".parse().unwrap(),
            scope_map: "servers-push".parse().unwrap(),
            credential: CredentialRef::Federated { name: "main".parse().unwrap(), revision: 7 },
            holder: "https://issuer.test subject".into(),
            permissions,
            issue_time,
            lifetime,
            form,
            reusable: Fields::default(),
            policy_revision: 7,
        }
    }
}
