//! What is wrong with definitions: every problem, each a sentence that names the definition and says what to do.

use std::fmt;
use std::hash::Hash;

use foldhash::HashSet;

use super::snapshot::{Context, Issuer};
use super::{system, tenant};
use crate::model::{
    Definitions, FederatedCredential, Password, RegistryName, ScopeMap, Status, Token,
};

/// All problems, in the order of the definitions; then what is there twice.
pub(super) fn problems(definitions: &Definitions, context: &Context) -> Vec<String> {
    let scope_maps: HashSet<_> =
        definitions.scope_maps.iter().map(|map| (&map.registry, map.name.as_str())).collect();
    let has_scope_map = |registry: &RegistryName, name: &str| {
        scope_maps.contains(&(registry, name)) || system::is_one(name)
    };
    let mut checks = Checks::new(context, &has_scope_map);
    definitions.scope_maps.iter().for_each(|map| checks.scope_map(map));
    definitions.tokens.iter().for_each(|token| checks.token(token));
    checks.doubles(definitions);
    checks.problems
}

/// The problem of an enabled token whose scope map is not there. A disabled one may keep the name of a scope map that is gone.
pub(super) fn no_scope_map(token: &Token) -> String {
    format!(
        "{}: its scope map `{}` is not in that registry: add it, or name another",
        Subject::Token(token),
        token.scope_map
    )
}

/// Looks at one definition after another.
pub(super) struct Checks<'a> {
    registries: HashSet<&'a RegistryName>,
    has_scope_map: &'a dyn Fn(&RegistryName, &str) -> bool,
    issuers: &'a [Issuer],
    /// What was found so far.
    pub(super) problems: Vec<String>,
}

impl<'a> Checks<'a> {
    pub(super) fn new(
        context: &'a Context,
        has_scope_map: &'a dyn Fn(&RegistryName, &str) -> bool,
    ) -> Self {
        Self {
            registries: context.registries.iter().map(|registry| &registry.name).collect(),
            has_scope_map,
            issuers: &context.issuers,
            problems: Vec::new(),
        }
    }

    /// What is wrong with a scope map by itself.
    pub(super) fn scope_map(&mut self, map: &ScopeMap) {
        let subject = Subject::ScopeMap(map);
        self.registry(subject, &map.registry);
        if map.system != map.name.as_str().starts_with(system::PREFIX) {
            let prefix = system::PREFIX;
            self.add(subject, format!("names that start with `{prefix}` are kept for the scope maps of the system: choose another"));
        }
        if map.permissions.is_empty() {
            self.add(subject, "it has no permissions: add at least one repository with actions");
        }
        for (pattern, _) in map.permissions.iter().filter(|(_, actions)| actions.is_empty()) {
            self.add(subject, format!("`{pattern}` has no actions: add some, or remove the entry"));
        }
    }

    /// What is wrong with a token by itself.
    pub(super) fn token(&mut self, token: &Token) {
        let subject = Subject::Token(token);
        self.registry(subject, &token.registry);
        let enabled = token.status == Status::Enabled;
        if enabled && !(self.has_scope_map)(&token.registry, token.scope_map.as_str()) {
            self.problems.push(no_scope_map(token));
        }
        for password in repeated(&token.passwords, |own| own.slot) {
            self.add(subject, format!("it has two of {}: keep one", password.slot));
        }
        for credential in repeated(&token.federated_credentials, |own| &own.name) {
            let subject = Subject::Credential(token, credential);
            self.add(subject, "the token has two of that name: rename one");
        }
        for credential in &token.federated_credentials {
            self.credential(Subject::Credential(token, credential), credential);
        }
    }

    fn credential(&mut self, subject: Subject<'_>, credential: &FederatedCredential) {
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
        for condition in credential.claims.iter().filter(|own| own.accepted.is_empty()) {
            self.add(
                subject,
                format!(
                    "claim `{}` has no accepted value: add one, or remove the claim",
                    condition.name
                ),
            );
        }
        for condition in repeated(&credential.claims, |own| &own.name) {
            self.add(
                subject,
                format!(
                    "claim `{}` is there twice: put all its values in one list",
                    condition.name
                ),
            );
        }
    }

    fn doubles(&mut self, definitions: &Definitions) {
        let twice = "there are two of that name: rename or remove one";
        for map in repeated(&definitions.scope_maps, |own| (&own.registry, &own.name)) {
            self.add(Subject::ScopeMap(map), twice);
        }
        for token in repeated(&definitions.tokens, |own| (&own.registry, &own.name)) {
            self.add(Subject::Token(token), twice);
        }
        for token in repeated(&definitions.tokens, |own| own.uid) {
            self.double_uid(token);
        }
        let mut hashes = HashSet::default();
        for token in &definitions.tokens {
            for password in token.passwords.iter().filter(|password| !hashes.insert(password.hash))
            {
                self.double_secret(token, password);
            }
        }
    }

    /// Another token has the uid of this one.
    pub(super) fn double_uid(&mut self, token: &Token) {
        let problem = "another token has its uid: delete this one and make it again";
        self.add(Subject::Token(token), problem);
    }

    /// Another password has the secret of this one.
    pub(super) fn double_secret(&mut self, token: &Token, password: &Password) {
        let slot = password.slot;
        self.add(
            Subject::Token(token),
            format!("another password has the secret of its {slot}: generate it again"),
        );
    }

    fn registry(&mut self, subject: Subject<'_>, registry: &RegistryName) {
        if !self.registries.contains(registry) {
            self.add(
                subject,
                "the registry is not configured: add it to `[[registries]]`, or correct the name",
            );
        }
    }

    fn add(&mut self, subject: Subject<'_>, problem: impl AsRef<str>) {
        self.problems.push(format!("{subject}: {}", problem.as_ref()));
    }
}

/// Of what a problem is: put into words when there is one.
#[derive(Clone, Copy)]
enum Subject<'a> {
    ScopeMap(&'a ScopeMap),
    Token(&'a Token),
    Credential(&'a Token, &'a FederatedCredential),
}

impl fmt::Display for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ScopeMap(map) => {
                write!(f, "scope map `{}` of registry `{}`", map.name, map.registry)
            }
            Self::Token(token) => {
                write!(f, "token `{}` of registry `{}`", token.name, token.registry)
            }
            Self::Credential(token, own) => {
                write!(f, "federated credential `{}` of {}", own.name, Self::Token(token))
            }
        }
    }
}

/// Those with a key that one before them has.
fn repeated<'a, T, K: Eq + Hash>(
    all: &'a [T],
    key: impl Fn(&'a T) -> K,
) -> impl Iterator<Item = &'a T> {
    let several = if all.len() > 1 { all } else { &[] };
    let mut keys =
        HashSet::with_capacity_and_hasher(several.len(), foldhash::fast::RandomState::default());
    several.iter().filter(move |own| !keys.insert(key(own)))
}

#[cfg(test)]
mod tests;
