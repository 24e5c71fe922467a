//! The proof that a workload's identity token verified.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::claims::Registered;
use crate::model::IssuerUrl;

/// A workload whose identity token verified. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Workload {
    issuer: IssuerUrl,
    subject: Arc<str>,
    claims: Arc<Map<String, Value>>,
    expire_time: Timestamp,
}

impl Workload {
    pub(super) fn new(
        issuer: IssuerUrl,
        registered: Registered,
        claims: Map<String, Value>,
    ) -> Self {
        Self {
            issuer,
            subject: registered.subject.into(),
            claims: Arc::new(claims),
            expire_time: registered.expire_time,
        }
    }

    /// A workload that nobody verified: for the tests of other modules.
    #[cfg(test)]
    pub(in crate::identity) fn for_test(
        issuer: IssuerUrl,
        subject: &str,
        claims: Map<String, Value>,
        expire_time: Timestamp,
    ) -> Self {
        Self { issuer, subject: subject.into(), claims: Arc::new(claims), expire_time }
    }

    /// `iss`.
    pub const fn issuer(&self) -> &IssuerUrl {
        &self.issuer
    }

    /// `sub`.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// All claims of the token, as they were signed.
    pub const fn claims(&self) -> &Arc<Map<String, Value>> {
        &self.claims
    }

    /// `exp`.
    pub const fn expire_time(&self) -> Timestamp {
        self.expire_time
    }
}
