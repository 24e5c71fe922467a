//! The proof that a workload's identity token verified.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::claims::Registered;
use crate::model::IssuerUrl;

/// A workload whose identity token verified. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Workload(Arc<Facts>);

/// What was verified.
#[derive(Debug)]
struct Facts {
    issuer: IssuerUrl,
    subject: Box<str>,
    claims: Map<String, Value>,
    expire_time: Timestamp,
}

impl Workload {
    pub(super) fn new(
        issuer: IssuerUrl,
        registered: Registered,
        claims: Map<String, Value>,
    ) -> Self {
        let (subject, expire_time) = (registered.subject.into(), registered.expire_time);
        Self(Arc::new(Facts { issuer, subject, claims, expire_time }))
    }

    /// A workload that nobody verified: for the tests of other modules.
    #[cfg(test)]
    pub(in crate::identity) fn for_test(
        issuer: IssuerUrl,
        subject: &str,
        claims: Map<String, Value>,
        expire_time: Timestamp,
    ) -> Self {
        Self(Arc::new(Facts { issuer, subject: subject.into(), claims, expire_time }))
    }

    /// `iss`.
    pub fn issuer(&self) -> &IssuerUrl {
        &self.0.issuer
    }

    /// `sub`.
    pub fn subject(&self) -> &str {
        &self.0.subject
    }

    /// All claims of the token, as they were signed.
    pub fn claims(&self) -> &Map<String, Value> {
        &self.0.claims
    }

    /// `exp`.
    pub fn expire_time(&self) -> Timestamp {
        self.0.expire_time
    }
}
