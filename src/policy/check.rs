//! What is wrong with definitions: every problem, each a sentence that names the definition and says what to do.

use std::collections::HashSet;

use super::snapshot::{Context, Issuer};
use super::tenant;
use crate::model::{Definitions, FederatedCredential, RegistryName, ScopeMap, Token};

/// What the names of the scope maps start with that every registry has and nobody can change.
const SYSTEM_PREFIX: &str = "_repositories_";

/// All problems, in the order of the definitions.
pub(super) fn problems(definitions: &Definitions, context: &Context) -> Vec<String> {
    let mut checks = Checks {
        registries: context.registries.iter().map(|registry| &registry.name).collect(),
        scope_maps: definitions.scope_maps.iter().map(|m| (&m.registry, m.name.as_str())).collect(),
        issuers: &context.issuers,
        problems: Vec::new(),
    };
    definitions.scope_maps.iter().for_each(|map| checks.scope_map(map));
    definitions.tokens.iter().for_each(|token| checks.token(token));
    checks.doubles(definitions);
    checks.problems
}

struct Checks<'a> {
    registries: HashSet<&'a RegistryName>,
    scope_maps: HashSet<(&'a RegistryName, &'a str)>,
    issuers: &'a [Issuer],
    problems: Vec<String>,
}

impl Checks<'_> {
    fn scope_map(&mut self, map: &ScopeMap) {
        let subject = format!("scope map `{}` of registry `{}`", map.name, map.registry);
        self.registry(&subject, &map.registry);
        if map.system != map.name.as_str().starts_with(SYSTEM_PREFIX) {
            self.add(&subject, format!("names that start with `{SYSTEM_PREFIX}` are kept for the scope maps of the system: choose another"));
        }
        if map.permissions.is_empty() {
            self.add(&subject, "it has no permissions: add at least one repository with actions");
        }
        for (pattern, _) in map.permissions.iter().filter(|(_, actions)| actions.is_empty()) {
            self.add(
                &subject,
                format!("`{pattern}` has no actions: add some, or remove the entry"),
            );
        }
    }

    fn token(&mut self, token: &Token) {
        let subject = format!("token `{}` of registry `{}`", token.name, token.registry);
        self.registry(&subject, &token.registry);
        if !self.scope_maps.contains(&(&token.registry, token.scope_map.as_str())) {
            self.add(
                &subject,
                format!(
                    "its scope map `{}` is not in that registry: add it, or name another",
                    token.scope_map
                ),
            );
        }
        let mut slots = HashSet::new();
        for password in token.passwords.iter().filter(|password| !slots.insert(password.slot)) {
            self.add(&subject, format!("it has two of {}: keep one", password.slot));
        }
        let mut names = HashSet::new();
        for credential in &token.federated_credentials {
            let subject = format!("federated credential `{}` of {subject}", credential.name);
            if !names.insert(&credential.name) {
                self.add(&subject, "the token has two of that name: rename one");
            }
            self.credential(&subject, credential);
        }
    }

    fn credential(&mut self, subject: &str, credential: &FederatedCredential) {
        match self.issuers.iter().find(|issuer| issuer.issuer == credential.issuer) {
            None => self.add(subject, format!("issuer `{}` is not configured: add it to `[[issuers]]`, written in the same way", credential.issuer)),
            Some(issuer) if issuer.shared && !tenant::binds_tenant(credential) => {
                let claims = tenant::TENANT_CLAIMS.join("`, `");
                self.add(subject, format!("many tenants share issuer `{}`: bind one by an exact value of one of the claims `{claims}`", credential.issuer));
            }
            Some(_) => {}
        }
        if !tenant::is_bounded(credential) {
            self.add(subject, "it is open to everybody at the issuer: give an exact subject, a subject pattern whose first segment is literal, or a claim");
        }
        let mut names = HashSet::new();
        for condition in &credential.claims {
            if condition.accepted.is_empty() {
                self.add(
                    subject,
                    format!(
                        "claim `{}` has no accepted value: add one, or remove the claim",
                        condition.name
                    ),
                );
            }
            if !names.insert(&condition.name) {
                self.add(
                    subject,
                    format!(
                        "claim `{}` is there twice: put all its values in one list",
                        condition.name
                    ),
                );
            }
        }
    }

    fn doubles(&mut self, definitions: &Definitions) {
        let mut maps = HashSet::new();
        for map in &definitions.scope_maps {
            if !maps.insert((&map.registry, &map.name)) {
                self.add(
                    &format!("scope map `{}` of registry `{}`", map.name, map.registry),
                    "there are two of that name: rename or remove one",
                );
            }
        }
        let mut names = HashSet::new();
        let mut uids = HashSet::new();
        let mut hashes = HashSet::new();
        for token in &definitions.tokens {
            let subject = format!("token `{}` of registry `{}`", token.name, token.registry);
            if !names.insert((&token.registry, &token.name)) {
                self.add(&subject, "there are two of that name: rename or remove one");
            }
            if !uids.insert(token.uid) {
                self.add(&subject, "another token has its uid: delete this one and make it again");
            }
            for password in token.passwords.iter().filter(|password| !hashes.insert(password.hash))
            {
                self.add(
                    &subject,
                    format!(
                        "another password has the secret of its {}: generate it again",
                        password.slot
                    ),
                );
            }
        }
    }

    fn registry(&mut self, subject: &str, registry: &RegistryName) {
        if !self.registries.contains(registry) {
            self.add(
                subject,
                "the registry is not configured: add it to `[[registries]]`, or correct the name",
            );
        }
    }

    fn add(&mut self, subject: &str, problem: impl AsRef<str>) {
        self.problems.push(format!("{subject}: {}", problem.as_ref()));
    }
}

#[cfg(test)]
mod tests;
