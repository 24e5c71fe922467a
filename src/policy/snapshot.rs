//! The compiled, immutable form of all definitions.

use std::sync::Arc;

use crate::identity::PasswordIndex;
use crate::model::{
    Definitions, IssuerUrl, Lifetime, RegistryName, RegistryUid, ScopeMap, Token, TokenUid,
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
pub struct Snapshot {}

impl Snapshot {
    /// Compiles the definitions.
    ///
    /// # Errors
    /// Every problem at once, each with the definition named: unknown registry, scope map or issuer, an unbounded federated credential, two of one name.
    pub fn compile(definitions: Arc<Definitions>, context: &Context) -> Result<Self, Error> {
        todo!()
    }

    /// The policy revision.
    pub fn revision(&self) -> u64 {
        todo!()
    }

    /// What was compiled.
    pub fn definitions(&self) -> &Arc<Definitions> {
        todo!()
    }

    /// The passwords of all tokens, by hash.
    pub fn passwords(&self) -> &PasswordIndex {
        todo!()
    }

    /// A token by its uid.
    pub fn token(&self, uid: TokenUid) -> Option<&Token> {
        todo!()
    }

    /// The scope map of a token.
    pub fn scope_map_of(&self, token: &Token) -> Option<&ScopeMap> {
        todo!()
    }
}

/// Why definitions do not compile: every problem, each a sentence that names the definition.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the policy does not compile: {}", .problems.join("; "))]
pub struct Error {
    /// The problems, in the order of the definitions.
    pub problems: Vec<String>,
}
