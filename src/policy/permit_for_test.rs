//! Permits for the tests of the modules that take one.

use std::borrow::Cow;

use jiff::Timestamp;
use serde_json::json;

use super::bounds::Bounds;
use super::for_test::{OWN, compile, credential, definitions, request, scope_map, token};
use super::{Permit, decide_available};
use crate::identity::for_test as identities;
use crate::model::{Form, Lifetime, Permissions};

impl Permit<'static> {
    /// A permit that no decision made so. What it borrows is there until the end of the program.
    pub(crate) fn for_test(
        permissions: Permissions,
        issue_time: Timestamp,
        lifetime: Lifetime,
        form: Form,
    ) -> Self {
        let mut main = credential("main", OWN, "subject", json!({}));
        main.revision = 7;
        let token = token("nginx-ci", "servers-push", vec![main]);
        let map = scope_map("servers-push", &[("servers/nginx", "pull")]);
        let claims = serde_json::Map::default();
        let identity = identities::workload(OWN.parse().unwrap(), "subject", claims, issue_time);
        let decided = decide_available(
            Box::leak(Box::new(compile(definitions(vec![map], vec![token])))),
            Box::leak(Box::new(identity)),
            Box::leak(Box::new(request(&[]))),
            issue_time,
        );
        Self {
            permissions: Cow::Owned(permissions),
            bounds: Bounds { longest: lifetime, end: None },
            lifetime,
            form,
            policy_revision: 7,
            ..decided.unwrap()
        }
    }
}
