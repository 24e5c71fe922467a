//! Permits for the tests of the modules that take one.

use std::sync::Arc;

use jiff::Timestamp;

use super::Permit;
use super::bounds::Bounds;
use super::for_test::{context, scope_map, token};
use super::permit::Bearer;
use super::registry::Boundary;
use super::trie::Trie;
use crate::identity::{Kind, for_test as identities};
use crate::model::{CredentialRef, Form, Lifetime, Permissions};

impl Permit {
    /// A permit that no decision made.
    pub(crate) fn for_test(
        permissions: Permissions,
        issue_time: Timestamp,
        lifetime: Lifetime,
        form: Form,
    ) -> Self {
        let issuer = "https://issuer.test".parse().unwrap();
        let identity = identities::workload(issuer, "subject", Default::default(), issue_time);
        let Kind::Workload(workload) = identity.kind() else { panic!("it is a workload") };
        let trie = Trie::default();
        Self {
            registry: Arc::new(context().registries.remove(0)),
            token: Arc::new(token("nginx-ci", "servers-push", Vec::new())),
            boundary: Arc::new(Boundary { scope_map: scope_map("servers-push", &[]), trie }),
            credential: CredentialRef::Federated { name: "main".parse().unwrap(), revision: 7 },
            bearer: Bearer::Workload(workload.clone()),
            permissions,
            issue_time,
            bounds: Bounds { longest: lifetime, end: None },
            lifetime,
            form,
            policy_revision: 7,
        }
    }
}
