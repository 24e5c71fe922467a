//! The compiled, immutable form of all definitions.

use std::sync::Arc;

use foldhash::HashMap;

use super::boundaries::Boundary;
use super::check;
use super::index::Shared;
use super::registry::Registry;
use super::token_key::ByUid;
use crate::identity::{PasswordEntry, PasswordIndex};
use crate::model::{
    Definitions, IssuerUrl, Lifetime, RegistryName, RegistryUid, ScopeMap, ShardedMap, Token,
    TokenUid,
};

/// What of the configuration bounds policy.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// The configured registries.
    pub registries: Vec<RegistryBounds>,
    /// The configured issuers.
    pub issuers: Vec<Issuer>,
}

/// How a registry bounds lifetimes.
#[derive(Clone, Debug)]
pub struct RegistryBounds {
    /// Its name.
    pub name: RegistryName,
    /// What sessions call it.
    pub uid: RegistryUid,
    /// The lifetime of a request that names none.
    pub default_lifetime: Lifetime,
    /// The longest lifetime.
    pub max_lifetime: Option<Lifetime>,
}

/// An issuer that federated credentials may name.
#[derive(Clone, Debug)]
pub struct Issuer {
    /// Its `iss`.
    pub issuer: IssuerUrl,
    /// Many tenants share it: a credential must bind one by an exact value.
    pub shared: bool,
}

/// All definitions at one revision, compiled so that the cost of a decision does not grow with their number.
///
/// A copy is made at once; a changed copy shares what did not change (`apply.rs`).
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub(super) revision: u64,
    pub(super) context: Arc<Context>,
    pub(super) passwords: PasswordIndex,
    pub(super) registries: HashMap<RegistryName, Registry>,
    pub(super) tokens: ShardedMap<ByUid, ()>,
}

/// A token with the scope map that bounds it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Principal<'a> {
    pub(super) token: &'a Token,
    pub(super) boundary: &'a Boundary,
}

impl Snapshot {
    /// Compiles the definitions.
    ///
    /// # Errors
    /// Every problem at once, each with the definition named: unknown registry, scope map or issuer, an unbounded federated credential, two of one name.
    pub fn compile(definitions: Definitions, context: &Context) -> Result<Self, Error> {
        let problems = check::problems(&definitions, context);
        if !problems.is_empty() {
            return Err(Error { problems });
        }
        let mut snapshot = Self::empty(context, definitions.revision);
        let shared = Shared::count(&definitions);
        for map in definitions.scope_maps {
            snapshot.put_scope_map(map);
        }
        snapshot.reserve(&definitions.tokens);
        for token in definitions.tokens {
            snapshot.put_token(token, &shared);
        }
        Ok(snapshot)
    }

    fn empty(context: &Context, revision: u64) -> Self {
        let registries =
            context.registries.iter().map(|own| (own.name.clone(), Registry::new(own.clone())));
        Self {
            revision,
            passwords: PasswordIndex::default(),
            registries: registries.collect(),
            tokens: ShardedMap::default(),
            context: Arc::new(context.clone()),
        }
    }

    /// The policy revision.
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// What was compiled, in another order, without the scope maps of the system. A copy: for those who look at everything.
    pub fn definitions(&self) -> Definitions {
        let registries = self.registries.values();
        Definitions {
            revision: self.revision,
            scope_maps: registries.flat_map(Registry::scope_maps).cloned().collect(),
            tokens: self.tokens.keys().map(|token| token.0.as_ref().clone()).collect(),
        }
    }

    /// The passwords of all tokens, by hash.
    pub const fn passwords(&self) -> &PasswordIndex {
        &self.passwords
    }

    /// A token by its uid.
    pub fn token(&self, uid: TokenUid) -> Option<&Token> {
        self.shared_token(uid).map(Arc::as_ref)
    }

    pub(super) fn registry(&self, name: &RegistryName) -> Option<&Registry> {
        self.registries.get(name)
    }

    pub(super) fn principal_of(&self, uid: TokenUid) -> Option<Principal<'_>> {
        let token = self.shared_token(uid)?;
        self.registry(&token.registry)?.principal(token)
    }

    fn shared_token(&self, uid: TokenUid) -> Option<&Arc<Token>> {
        self.tokens.find_key(&uid).map(|token| &token.0)
    }

    /// Makes room for so many tokens, about.
    fn reserve(&mut self, tokens: &[Token]) {
        self.tokens.reserve(tokens.len());
        for (name, registry) in &mut self.registries {
            registry.reserve(tokens.iter().filter(|token| token.registry == *name).count());
        }
    }

    pub(super) fn put_scope_map(&mut self, map: ScopeMap) {
        if let Some(registry) = self.registries.get_mut(&map.registry) {
            registry.put_scope_map(map);
        }
    }

    /// True when nothing is left in any index of credentials.
    #[cfg(test)]
    pub(super) fn is_without_places(&self) -> bool {
        self.registries.values().all(Registry::is_without_places)
    }

    pub(super) fn take_scope_map(&mut self, registry: &RegistryName, name: &str) {
        if let Some(registry) = self.registries.get_mut(registry) {
            registry.take_scope_map(name);
        }
    }

    /// Puts a token that is not there, nor one of its uid or secrets.
    pub(super) fn put_token(&mut self, mut token: Token, shared: &Shared) {
        let Some(registry) = self.registries.get_mut(&token.registry) else { return };
        registry.share_names(&mut token);
        for credential in &mut token.federated_credentials {
            let issuers = &mut self.context.issuers.iter().map(|issuer| &issuer.issuer);
            if let Some(issuer) = issuers.find(|issuer| **issuer == credential.issuer) {
                credential.issuer = issuer.clone();
            }
        }
        let token = Arc::new(token);
        for password in &token.passwords {
            let entry = PasswordEntry {
                registry: token.registry.clone(),
                token: token.uid,
                token_name: token.name.clone(),
                slot: password.slot,
                generation: password.generation,
                expire_time: password.expire_time,
            };
            self.passwords.0.insert(password.hash, entry);
        }
        registry.put_token(&token, shared);
        self.tokens.insert(ByUid(token), ());
    }

    pub(super) fn take_token(&mut self, registry: &RegistryName, name: &str) {
        let Some(token) = self.registries.get_mut(registry).and_then(|own| own.take_token(name))
        else {
            return;
        };
        for password in &token.passwords {
            self.passwords.0.remove(&password.hash);
        }
        self.tokens.remove(&token.uid);
    }
}

/// Why definitions do not compile: every problem, each a sentence that names the definition.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the policy does not compile: {}", .problems.join("; "))]
pub struct Error {
    /// The problems, in the order of the definitions; then what is there twice.
    pub problems: Vec<String>,
}
