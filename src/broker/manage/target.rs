//! What an operator asks for, in a few words: for the role that it needs, and for the audit event.

use std::fmt;

use serde_json::{Value, json};

use super::role::Role;
use crate::model::RegistryName;

/// What is asked for, and the role that it needs.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The method, as in the service definitions.
    pub method: &'static str,
    /// The role that it needs.
    pub role: Role,
    /// Where it is needed.
    pub place: Place<'a>,
    /// The definition that is meant: what it is, and its name.
    pub definition: Option<(Noun, &'a str)>,
}

/// Where a role is needed.
#[derive(Clone, Copy, Debug)]
pub enum Place<'a> {
    /// In one registry.
    Registry(&'a RegistryName),
    /// In all registries.
    Everywhere,
    /// In any registry: what is shown is of those.
    Somewhere,
}

/// What has a name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Noun {
    /// A registry.
    Registry,
    /// A scope map.
    ScopeMap,
    /// A token.
    Token,
}

impl Noun {
    /// The word in audit events.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Registry => "registry",
            Self::ScopeMap => "scope_map",
            Self::Token => "token",
        }
    }
}

impl fmt::Display for Noun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Registry => "registry",
            Self::ScopeMap => "scope map",
            Self::Token => "token",
        })
    }
}

impl Target<'_> {
    /// What the audit event says of it. It is short, whoever asks.
    pub(super) fn record(&self) -> Value {
        let mut record = json!({ "method": self.method });
        if let Place::Registry(registry) = self.place {
            set(&mut record, "registry", registry.as_str());
        }
        if let Some((noun, name)) = self.definition {
            set(&mut record, "kind", noun.as_str());
            set(&mut record, "name", name);
        }
        record
    }

    /// The same, with all that was asked, and what it would have changed: of somebody who has the role.
    pub(super) fn record_with(&self, asked: Value, before: Option<Value>) -> Value {
        let mut record = self.record();
        if let Some(members) = record.as_object_mut() {
            members.insert("asked".to_owned(), asked);
            members.extend(before.map(|before| ("before".to_owned(), before)));
        }
        record
    }
}

fn set(record: &mut Value, key: &str, value: &str) {
    if let Some(members) = record.as_object_mut() {
        members.insert(key.to_owned(), value.into());
    }
}
