//! What is told of an evaluation.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use crate::model::Permissions;

/// The whole trace of one decision.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Trace {
    /// Whether all of the request is allowed.
    pub allowed: bool,
    /// The token that allows it, if one does.
    pub token_name: Option<String>,
    /// What is allowed: all that was asked for, or nothing.
    pub permissions: Permissions,
    /// When an access token that is issued now would end.
    pub expire_time: Option<Timestamp>,
    /// One line that says why, for people.
    pub summary: String,
    /// Every token of the registry that could have been meant, by name: it was named, or has a credential of the identity's kind and issuer.
    pub tokens: Vec<TokenTrace>,
    /// How many more of these there are; the nearest are listed.
    pub omitted_tokens: usize,
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
    /// The scope map that bounds it.
    pub scope_map: String,
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

impl Trace {
    /// Nothing is allowed, and nothing was seen yet.
    pub(super) fn denied(summary: String) -> Self {
        Self {
            allowed: false,
            token_name: None,
            permissions: Permissions::default(),
            expire_time: None,
            summary,
            tokens: Vec::new(),
            omitted_tokens: 0,
        }
    }
}

/// For people: the summary, then every token with its credentials and entries.
impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.summary)?;
        self.tokens.iter().try_for_each(|token| token.fmt(f))?;
        match self.omitted_tokens {
            0 => Ok(()),
            more => writeln!(f, "\n{more} more tokens are further away"),
        }
    }
}

impl fmt::Display for TokenTrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\ntoken {}: {}", self.name, self.outcome)?;
        self.credentials.iter().try_for_each(|credential| credential.fmt(f))?;
        writeln!(f, "  scope map {}", self.scope_map)?;
        self.entries.iter().try_for_each(|entry| entry.fmt(f))
    }
}

impl fmt::Display for CredentialTrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict =
            if self.admits { "admits the identity" } else { "does not admit the identity" };
        writeln!(f, "  {}: {verdict}", self.name)?;
        self.mismatches.iter().try_for_each(|mismatch| writeln!(f, "    {mismatch}"))
    }
}

impl fmt::Display for EntryTrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let matches = match self.matches.as_slice() {
            [] => "matches nothing that was asked for".to_owned(),
            matches => format!("matches {}", matches.join(", ")),
        };
        writeln!(f, "    {}: {}; {matches}", self.pattern, self.actions.join(", "))
    }
}
