//! The proof that a workload's identity token verified.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use super::claims::Registered;
use crate::identity::evidence;
use crate::model::{ClaimTable, Claims, IssuerUrl, JsonObject};

/// A workload whose identity token verified. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Workload(Arc<Verified>);

/// What was verified.
#[derive(Debug)]
struct Verified {
    issuer: IssuerUrl,
    subject: Box<str>,
    claims: ClaimTable,
    expire_time: Timestamp,
    facts: JsonObject,
    recorded_claims: Claims,
}

/// [`Evidence::Workload`](crate::identity::Evidence::Workload) without the claims.
#[derive(Serialize)]
#[serde(tag = "kind", rename = "workload", rename_all = "camelCase")]
struct Facts<'a> {
    issuer: &'a str,
    subject: &'a str,
    expire_time: Timestamp,
}

impl Workload {
    pub(super) fn new(
        issuer: IssuerUrl,
        registered: &Registered,
        claims: Map<String, Value>,
    ) -> Self {
        Self::of(issuer, &registered.subject, claims, registered.expire_time)
    }

    /// A workload that nobody verified: for the tests of other modules.
    #[cfg(test)]
    pub(in crate::identity) fn for_test(
        issuer: IssuerUrl,
        subject: &str,
        claims: Map<String, Value>,
        expire_time: Timestamp,
    ) -> Self {
        Self::of(issuer, subject, claims, expire_time)
    }

    /// A workload as the audit trail knows it. Nobody verified it now.
    pub(in crate::identity) fn recorded(
        issuer: IssuerUrl,
        subject: &str,
        claims: Map<String, Value>,
        expire_time: Timestamp,
    ) -> Self {
        Self::of(issuer, subject, claims, expire_time)
    }

    fn of(
        issuer: IssuerUrl,
        subject: &str,
        claims: Map<String, Value>,
        expire_time: Timestamp,
    ) -> Self {
        let facts = evidence::facts(&Facts { issuer: issuer.as_str(), subject, expire_time });
        let recorded_claims = Claims::of(&claims);
        let (subject, claims) = (subject.into(), claims.into());
        Self(Arc::new(Verified { issuer, subject, claims, expire_time, facts, recorded_claims }))
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
    pub fn claims(&self) -> &ClaimTable {
        &self.0.claims
    }

    /// What the audit trail says of it, without the claims.
    pub(in crate::identity) fn facts(&self) -> &JsonObject {
        &self.0.facts
    }

    /// The claims as the audit trail keeps them.
    pub(in crate::identity) fn recorded_claims(&self) -> &Claims {
        &self.0.recorded_claims
    }

    /// `exp`.
    pub fn expire_time(&self) -> Timestamp {
        self.0.expire_time
    }
}
