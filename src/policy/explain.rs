//! The slow, exhaustive evaluation: it looks at every token, credential and entry, and says what it saw.

use jiff::Timestamp;
use serde::Serialize;

use super::Context;
use crate::identity::Evidence;
use crate::model::{AccessRequest, Definitions};

/// The whole trace of one decision.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Trace {
    /// Whether all of the request is allowed.
    pub allowed: bool,
    /// The token that allows it, if one does.
    pub token_name: Option<String>,
    /// One line that says why, for people.
    pub summary: String,
    /// Every token of the registry that could have been meant, by name.
    pub tokens: Vec<TokenTrace>,
}

/// What was seen at one token.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenTrace {
    /// Its name.
    pub name: String,
    /// What came of it, in words.
    pub outcome: String,
    /// Its federated credentials or passwords.
    pub credentials: Vec<CredentialTrace>,
    /// The entries of its scope map against the request.
    pub entries: Vec<EntryTrace>,
}

/// What was seen at one credential of a token.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CredentialTrace {
    /// Its name.
    pub name: String,
    /// Whether it admits the identity.
    pub admits: bool,
    /// Where it does not: what was wanted and what was seen.
    pub mismatches: Vec<String>,
}

/// What was seen at one entry of a scope map.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EntryTrace {
    /// The pattern.
    pub pattern: String,
    /// Its actions.
    pub actions: Vec<String>,
    /// The repositories of the request that it matches.
    pub matches: Vec<String>,
}

/// Evaluates a request by looking at everything.
pub fn explain(
    definitions: &Definitions,
    context: &Context,
    evidence: &Evidence,
    request: &AccessRequest,
    now: Timestamp,
) -> Trace {
    todo!()
}
