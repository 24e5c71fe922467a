//! `policy.toml`: scope maps, tokens and tests as a person writes them.

use jiff::Timestamp;

use super::PolicyTest;
use crate::model::{Definitions, TokenUid};

/// A policy file, parsed: every name and pattern in it is well formed.
#[derive(Clone, Debug)]
pub struct PolicyFile {
    /// The `[[tests]]` sections.
    pub tests: Vec<PolicyTest>,
}

/// One definition that differs between two sets of definitions.
#[derive(Clone, Debug)]
pub struct Change {
    /// `scope_map` or `token`.
    pub kind: &'static str,
    /// The registry.
    pub registry: String,
    /// The name.
    pub name: String,
    /// The definition before; `None` = it is new.
    pub before: Option<serde_json::Value>,
    /// The definition after; `None` = it is gone.
    pub after: Option<serde_json::Value>,
}

impl PolicyFile {
    /// Parses the text of a policy file.
    ///
    /// # Errors
    /// Unknown keys, duplicate or malformed names, patterns, actions: with line and remedy.
    pub fn parse(text: &str) -> Result<Self, super::Error> {
        todo!()
    }

    /// The definitions that the file asks for, on top of the present ones: what is the same keeps its uid, passwords, revision and times;
    /// what is not in the file is gone. The revision is the present one plus one when anything differs.
    pub fn onto(
        &self,
        present: &Definitions,
        now: Timestamp,
        actor: &str,
        new_uid: &mut dyn FnMut() -> TokenUid,
    ) -> Definitions {
        todo!()
    }

    /// Writes definitions as a policy file: applied again, it changes nothing.
    pub fn render(definitions: &Definitions) -> String {
        todo!()
    }
}

impl Change {
    /// What differs between two sets of definitions, scope maps first, by registry and name.
    pub fn between(before: &Definitions, after: &Definitions) -> Vec<Self> {
        todo!()
    }
}
