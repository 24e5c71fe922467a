//! Identity tokens of OpenID Connect issuers.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::model::IssuerUrl;

/// A workload whose identity token verified.
#[derive(Clone, Debug)]
pub struct Workload {
    pub(super) issuer: IssuerUrl,
    pub(super) subject: Arc<str>,
    pub(super) claims: Arc<Map<String, Value>>,
    pub(super) expire_time: Timestamp,
}

impl Workload {
    /// `iss`.
    pub fn issuer(&self) -> &IssuerUrl {
        &self.issuer
    }

    /// `sub`.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// All claims of the token, as they were signed.
    pub fn claims(&self) -> &Arc<Map<String, Value>> {
        &self.claims
    }

    /// `exp`.
    pub const fn expire_time(&self) -> Timestamp {
        self.expire_time
    }
}
