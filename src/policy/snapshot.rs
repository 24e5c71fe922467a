//! The compiled, immutable form of all definitions.

use std::sync::Arc;

use foldhash::HashMap;

use super::check;
use super::index::{CredentialIndex, Place};
use super::trie::Trie;
use crate::identity::{PasswordEntry, PasswordIndex};
use crate::model::{
    Definitions, FederatedCredential, IssuerUrl, Lifetime, RegistryName, RegistryUid, ScopeMap,
    Token, TokenName, TokenUid,
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
#[derive(Debug)]
pub struct Snapshot {
    definitions: Arc<Definitions>,
    passwords: PasswordIndex,
    registries: HashMap<RegistryName, Registry>,
    /// In the order of the scope maps.
    tries: Vec<Trie>,
    /// In the order of the tokens: where the scope map of each stands.
    scope_maps: Vec<usize>,
    tokens: HashMap<TokenUid, usize>,
}

/// What one registry holds.
#[derive(Debug)]
pub(super) struct Registry {
    pub(super) bounds: RegistryBounds,
    tokens: HashMap<TokenName, usize>,
    credentials: HashMap<IssuerUrl, CredentialIndex>,
}

/// A token with the scope map that bounds it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Principal<'a> {
    pub(super) token: &'a Token,
    pub(super) scope_map: &'a ScopeMap,
    pub(super) trie: &'a Trie,
}

impl Snapshot {
    /// Compiles the definitions.
    ///
    /// # Errors
    /// Every problem at once, each with the definition named: unknown registry, scope map or issuer, an unbounded federated credential, two of one name.
    pub fn compile(definitions: Arc<Definitions>, context: &Context) -> Result<Self, Error> {
        let problems = check::problems(&definitions, context);
        if !problems.is_empty() {
            return Err(Error { problems });
        }
        let maps: HashMap<_, _> =
            definitions.scope_maps.iter().zip(0..).map(|(map, at)| (key(map), at)).collect();
        let scope_maps = definitions
            .tokens
            .iter()
            // checked above: the scope map is there
            .filter_map(|token| maps.get(&(&token.registry, token.scope_map.as_str())).copied())
            .collect();
        let mut tokens = HashMap::<&RegistryName, Vec<(usize, &Token)>>::default();
        for (at, token) in definitions.tokens.iter().enumerate() {
            tokens.entry(&token.registry).or_default().push((at, token));
        }
        let registries = context.registries.iter().map(|bounds| {
            let tokens = tokens.get(&bounds.name).map(Vec::as_slice).unwrap_or_default();
            (bounds.name.clone(), Registry::new(bounds, tokens))
        });
        Ok(Self {
            passwords: passwords(&definitions),
            registries: registries.collect(),
            tries: definitions.scope_maps.iter().map(|map| Trie::new(&map.permissions)).collect(),
            scope_maps,
            tokens: definitions.tokens.iter().zip(0..).map(|(token, at)| (token.uid, at)).collect(),
            definitions,
        })
    }

    /// The policy revision.
    pub fn revision(&self) -> u64 {
        self.definitions.revision
    }

    /// What was compiled.
    pub const fn definitions(&self) -> &Arc<Definitions> {
        &self.definitions
    }

    /// The passwords of all tokens, by hash.
    pub const fn passwords(&self) -> &PasswordIndex {
        &self.passwords
    }

    /// A token by its uid.
    pub fn token(&self, uid: TokenUid) -> Option<&Token> {
        Some(self.principal_of(uid)?.token)
    }

    /// The scope map of a token.
    pub fn scope_map_of(&self, token: &Token) -> Option<&ScopeMap> {
        Some(self.principal_of(token.uid)?.scope_map)
    }

    pub(super) fn registry(&self, name: &RegistryName) -> Option<&Registry> {
        self.registries.get(name)
    }

    pub(super) fn principal(&self, at: usize) -> Option<Principal<'_>> {
        let scope_map = *self.scope_maps.get(at)?;
        Some(Principal {
            token: self.definitions.tokens.get(at)?,
            scope_map: self.definitions.scope_maps.get(scope_map)?,
            trie: self.tries.get(scope_map)?,
        })
    }

    pub(super) fn principal_of(&self, uid: TokenUid) -> Option<Principal<'_>> {
        self.principal(*self.tokens.get(&uid)?)
    }
}

impl Registry {
    fn new(bounds: &RegistryBounds, tokens: &[(usize, &Token)]) -> Self {
        let mut by_issuer = HashMap::<&IssuerUrl, Vec<(Place, &FederatedCredential)>>::default();
        for (at, token) in tokens {
            for (position, credential) in token.federated_credentials.iter().enumerate() {
                let place = Place { token: *at, credential: position };
                by_issuer.entry(&credential.issuer).or_default().push((place, credential));
            }
        }
        let credentials = by_issuer
            .into_iter()
            .map(|(issuer, credentials)| (issuer.clone(), CredentialIndex::new(&credentials)));
        Self {
            bounds: bounds.clone(),
            tokens: tokens.iter().map(|(at, token)| (token.name.clone(), *at)).collect(),
            credentials: credentials.collect(),
        }
    }

    /// Where the token of this name stands.
    pub(super) fn token(&self, name: &str) -> Option<usize> {
        self.tokens.get(name).copied()
    }

    /// The federated credentials that name the issuer.
    pub(super) fn credentials_of(&self, issuer: &IssuerUrl) -> Option<&CredentialIndex> {
        self.credentials.get(issuer)
    }
}

/// Why definitions do not compile: every problem, each a sentence that names the definition.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the policy does not compile: {}", .problems.join("; "))]
pub struct Error {
    /// The problems, in the order of the definitions.
    pub problems: Vec<String>,
}

fn key(map: &ScopeMap) -> (&RegistryName, &str) {
    (&map.registry, map.name.as_str())
}

fn passwords(definitions: &Definitions) -> PasswordIndex {
    let entries = definitions.tokens.iter().flat_map(|token| {
        token.passwords.iter().map(|password| {
            let entry = PasswordEntry {
                registry: token.registry.clone(),
                token: token.uid,
                token_name: token.name.clone(),
                slot: password.slot,
                generation: password.generation,
                expire_time: password.expire_time,
            };
            (password.hash, entry)
        })
    });
    PasswordIndex(entries.collect())
}
