//! `policy.toml`: scope maps, tokens and tests as a person writes them.

mod onto;
mod render;
mod sections;
mod values;

use std::collections::{BTreeSet, HashSet};
use std::ops::Range;

use jiff::Timestamp;
use serde::Serialize;

use self::sections::Sections;
pub(super) use self::sections::{Expectation, Test};
use super::{Error, PolicyTest};
use crate::model::{Definitions, RegistryName, TokenUid};

/// What becomes of definitions that a policy file does not name.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Rest {
    /// They stay.
    Keep,
    /// They go, in the registries that the file names.
    DeleteInNamedRegistries,
}

/// A policy file, parsed: every name and pattern in it is well formed, and there are no two of one name.
#[derive(Clone, Debug)]
pub struct PolicyFile {
    /// The `[[tests]]` sections.
    pub tests: Vec<PolicyTest>,
    scope_maps: Vec<sections::ScopeMap>,
    tokens: Vec<sections::Token>,
}

impl PolicyFile {
    /// Parses the text of a policy file.
    ///
    /// # Errors
    /// Unknown keys, duplicate or malformed names, patterns, actions: with line and remedy.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let sections: Sections = toml::from_str(text)
            .map_err(|error| Error { problems: vec![error.to_string().trim_end().to_owned()] })?;
        let problems = doubles(&sections, text);
        if !problems.is_empty() {
            return Err(Error { problems });
        }
        let tests = sections.tests.into_iter().map(PolicyTest::from).collect();
        Ok(Self { tests, scope_maps: sections.scope_maps, tokens: sections.tokens })
    }

    /// The definitions that the file asks for, on top of the present ones: what is the same keeps its uid, passwords, revision and times;
    /// what is not in the file is gone. The revision is the present one plus one when anything differs.
    ///
    /// A token whose `status` is not in the file keeps its own: applying a file never enables what somebody disabled.
    pub fn onto(
        &self,
        present: &Definitions,
        now: Timestamp,
        actor: &str,
        new_uid: &mut dyn FnMut() -> TokenUid,
    ) -> Definitions {
        let change = onto::Change { now, actor, revision: present.revision + 1 };
        onto::apply(self, present, &change, new_uid, &|_| false)
    }

    /// The registries whose definitions or decisions the file speaks of, in its tests too.
    pub fn registries(&self) -> BTreeSet<&RegistryName> {
        self.named().chain(self.tests.iter().map(PolicyTest::registry)).collect()
    }

    fn named(&self) -> impl Iterator<Item = &RegistryName> {
        let maps = self.scope_maps.iter().map(|section| &section.registry);
        maps.chain(self.tokens.iter().map(|section| &section.registry))
    }

    /// As [`PolicyFile::onto`], but `rest` says what becomes of what is not in the file.
    pub fn onto_keeping(
        &self,
        rest: Rest,
        present: &Definitions,
        now: Timestamp,
        actor: &str,
        new_uid: &mut dyn FnMut() -> TokenUid,
    ) -> Definitions {
        let named: BTreeSet<_> = self.named().collect();
        let keeps = |registry: &RegistryName| match rest {
            Rest::Keep => true,
            Rest::DeleteInNamedRegistries => !named.contains(registry),
        };
        let change = onto::Change { now, actor, revision: present.revision + 1 };
        onto::apply(self, present, &change, new_uid, &keeps)
    }

    /// Writes definitions as a policy file: applied again, it changes nothing.
    pub fn render(definitions: &Definitions) -> String {
        render::render(definitions)
    }
}

/// Names that stand twice, with the line of the second.
fn doubles(sections: &Sections, text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let mut seen = HashSet::new();
    for map in &sections.scope_maps {
        if !seen.insert((&map.registry, map.name.get_ref().as_str())) {
            let line = line(text, &map.name.span());
            problems.push(format!(
                "line {line}: scope map `{}` of registry `{}` is there twice: rename or remove one",
                map.name.get_ref(),
                map.registry
            ));
        }
    }
    let mut seen = HashSet::new();
    for token in &sections.tokens {
        if !seen.insert((&token.registry, token.name.get_ref().as_str())) {
            let line = line(text, &token.name.span());
            problems.push(format!(
                "line {line}: token `{}` of registry `{}` is there twice: rename or remove one",
                token.name.get_ref(),
                token.registry
            ));
        }
        let mut names = HashSet::new();
        for credential in &token.federated_credentials {
            if !names.insert(credential.name.get_ref().as_str()) {
                let line = line(text, &credential.name.span());
                problems.push(format!("line {line}: token `{}` has two federated credentials `{}`: rename or remove one", token.name.get_ref(), credential.name.get_ref()));
            }
        }
    }
    problems
}

fn line(text: &str, span: &Range<usize>) -> usize {
    text.get(..span.start).unwrap_or_default().lines().count().max(1)
}

#[cfg(test)]
mod tests;
