//! What one registry holds, compiled.

use std::sync::Arc;

use foldhash::{HashMap, HashSet};

use super::boundaries::Boundaries;
use super::index::{CredentialIndex, Shared};
use super::place::Place;
use super::snapshot::Principal;
use super::token_key::ByName;
use super::{RegistryBounds, system_scope_maps};
use crate::model::{ClaimName, IssuerUrl, ScopeMap, ShardedMap, Status, Token};

/// The definitions of one registry.
#[derive(Clone, Debug)]
pub(super) struct Registry {
    pub(super) bounds: Arc<RegistryBounds>,
    boundaries: Boundaries,
    tokens: ShardedMap<ByName, ()>,
    credentials: HashMap<IssuerUrl, CredentialIndex>,
    /// The names of all claims that are tested: a hundred thousand credentials test a few.
    claim_names: Arc<HashSet<ClaimName>>,
}

impl Registry {
    /// Without tokens, and with the system's scope maps only.
    pub(super) fn new(bounds: RegistryBounds) -> Self {
        let mut boundaries = Boundaries::default();
        for map in system_scope_maps(&bounds.name) {
            boundaries.put(map);
        }
        Self {
            boundaries,
            bounds: Arc::new(bounds),
            tokens: ShardedMap::default(),
            credentials: HashMap::default(),
            claim_names: Arc::default(),
        }
    }

    /// The token of this name.
    pub(super) fn token(&self, name: &str) -> Option<&Arc<Token>> {
        self.tokens.find_key(name).map(|token| &token.0)
    }

    /// A token of this registry with the scope map that bounds it.
    pub(super) fn principal<'a>(&'a self, token: &'a Token) -> Option<Principal<'a>> {
        Some(Principal { token, boundary: self.boundaries.find(token.scope_map.as_str())? })
    }

    /// The token of a federated credential, with the scope map that bounds it.
    pub(super) fn principal_at<'a>(&'a self, place: &'a Place) -> Option<Principal<'a>> {
        Some(Principal { token: &place.token, boundary: self.boundaries.at(place.boundary())? })
    }

    /// The federated credentials that name the issuer.
    pub(super) fn credentials_of(&self, issuer: &IssuerUrl) -> Option<&CredentialIndex> {
        self.credentials.get(issuer)
    }

    /// True when there is a scope map of this name.
    pub(super) fn has_scope_map(&self, name: &str) -> bool {
        self.boundaries.find(name).is_some()
    }

    /// The scope map of this name.
    pub(super) fn scope_map(&self, name: &str) -> Option<&ScopeMap> {
        self.boundaries.find(name).map(|boundary| &boundary.scope_map)
    }

    /// All scope maps but the system's.
    pub(super) fn scope_maps(&self) -> impl Iterator<Item = &ScopeMap> {
        let all = self.boundaries.iter().map(|boundary| &boundary.scope_map);
        all.filter(|map| !map.system)
    }

    /// All tokens.
    pub(super) fn tokens(&self) -> impl Iterator<Item = &Token> {
        self.tokens.keys().map(|token| &*token.0)
    }

    /// The enabled tokens whose scope map is not there.
    pub(super) fn unbounded(&self) -> impl Iterator<Item = &Token> {
        self.tokens().filter(|token| {
            token.status == Status::Enabled && !self.has_scope_map(token.scope_map.as_str())
        })
    }

    /// Puts a scope map; those of the system stay as they are.
    pub(super) fn put_scope_map(&mut self, mut scope_map: ScopeMap) {
        if scope_map.system {
            return;
        }
        scope_map.registry = self.bounds.name.clone();
        self.boundaries.put(scope_map);
    }

    /// Takes a scope map away; those of the system stay.
    pub(super) fn take_scope_map(&mut self, name: &str) {
        if self.scope_map(name).is_some_and(|map| !map.system) {
            self.boundaries.take(name);
        }
    }

    /// Gives a token the names that are in memory already.
    pub(super) fn share_names(&mut self, token: &mut Token) {
        token.registry = self.bounds.name.clone();
        if let Some(boundary) = self.boundaries.find(token.scope_map.as_str()) {
            token.scope_map = boundary.scope_map.name.clone();
        }
        let conditions = token.federated_credentials.iter_mut().flat_map(|own| &mut own.claims);
        for condition in conditions {
            if let Some(shared) = self.claim_names.get(&condition.name) {
                condition.name = shared.clone();
            } else {
                Arc::make_mut(&mut self.claim_names).insert(condition.name.clone());
            }
        }
    }

    /// Makes room for so many tokens more.
    pub(super) fn reserve(&mut self, tokens: usize) {
        self.tokens.reserve(tokens);
    }

    /// Puts a token that is not there.
    pub(super) fn put_token(&mut self, token: &Arc<Token>, shared: &Shared) {
        let boundary = self.boundaries.hold(&token.scope_map);
        for (credential, position) in token.federated_credentials.iter().zip(0..) {
            let index = self.credentials.entry(credential.issuer.clone()).or_default();
            index.insert(token, position, boundary, shared);
        }
        self.tokens.insert(ByName(Arc::clone(token)), ());
    }

    pub(super) fn take_token(&mut self, name: &str) -> Option<Arc<Token>> {
        let (ByName(token), ()) = self.tokens.take(name)?;
        for (credential, position) in token.federated_credentials.iter().zip(0..) {
            if let Some(index) = self.credentials.get_mut(&credential.issuer) {
                index.remove(&token, position);
            }
        }
        self.boundaries.release(token.scope_map.as_str());
        Some(token)
    }

    #[cfg(test)]
    pub(super) fn is_without_places(&self) -> bool {
        self.credentials.values().all(CredentialIndex::is_empty) && self.boundaries.is_bare()
    }
}
