//! Finds the federated credentials of one issuer that may admit an identity, without looking at the others.
//!
//! Each credential stands under one of its conditions: the one whose values the fewest credentials share. That is an exact
//! value, or the text before the first wildcard of a pattern. What is found is still to be checked completely; so only the
//! hash of a value is kept, and two values of one hash cost time, never more.

use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::HashMap;
use foldhash::fast::FixedState;
use serde_json::Value;

use super::handle::{Handle, Key, Source, handles};
use crate::model::{Definitions, FederatedCredential, IssuerUrl, Members, ShardedMap, Token};

/// A federated credential: where it stands in its token.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) token: Arc<Token>,
    pub(super) position: u32,
}

/// The federated credentials that name one issuer, in one registry. A changed copy shares what did not change.
#[derive(Clone, Debug, Default)]
pub(super) struct CredentialIndex {
    facets: Vec<Facet>,
    places: ShardedMap<Hash, Bucket>,
    /// Those that no value singles out: to be looked at for every identity.
    rest: Arc<Vec<Place>>,
}

/// How many credentials could stand under each key; nothing is known of one that is not there.
#[derive(Debug, Default)]
pub(super) struct Shared(HashMap<Hash, usize>);

/// The hash of an issuer, a source and a key.
type Hash = u64;

/// What is known of the credentials that stand under conditions on one and the same source.
#[derive(Clone, Debug)]
struct Facet {
    source: Source,
    hash: Hash,
    /// How many stand under a whole value.
    values: usize,
    /// The lengths of prefixes, in bytes, and how many stand under a prefix of each.
    prefixes: Vec<(usize, usize)>,
}

#[derive(Clone, Debug)]
enum Bucket {
    /// The usual case, without memory of its own.
    One(Place),
    Many(Vec<Place>),
}

impl Shared {
    pub(super) fn count(definitions: &Definitions) -> Self {
        let mut shared = HashMap::default();
        let credentials = definitions.tokens.iter().flat_map(|token| &token.federated_credentials);
        for credential in credentials {
            for handle in handles(credential) {
                let source = source_hash(&credential.issuer, &handle.source);
                for key in handle.keys {
                    *shared.entry(key_hash(source, key)).or_default() += 1;
                }
            }
        }
        Self(shared)
    }
}

impl CredentialIndex {
    /// Puts a credential of the issuer under its best condition.
    pub(super) fn insert(&mut self, place: &Place, shared: &Shared) {
        let Some(credential) = place.credential() else { return };
        let issuer = &credential.issuer;
        let best = handles(credential).min_by_key(|handle| self.cost(issuer, handle, shared));
        let Some(handle) = best else {
            return Arc::make_mut(&mut self.rest).push(place.clone());
        };
        let hash = source_hash(issuer, &handle.source);
        for key in handle.keys {
            self.facet(&handle.source, hash).count(key);
            if let Some(bucket) = self.places.entry(key_hash(hash, key)) {
                bucket.push(place.clone());
            }
        }
    }

    /// Takes a credential out, under whatever condition it stands.
    pub(super) fn remove(&mut self, place: &Place) {
        let Some(credential) = place.credential() else { return };
        for handle in handles(credential) {
            let hash = source_hash(&credential.issuer, &handle.source);
            for key in handle.keys {
                self.remove_from(place, &handle.source, hash, key);
            }
        }
        if self.rest.iter().any(|own| own.is(place)) {
            Arc::make_mut(&mut self.rest).retain(|own| !own.is(place));
        }
        self.facets.retain(|facet| facet.values > 0 || !facet.prefixes.is_empty());
    }

    /// Calls `found` with every credential that may admit the identity; with one that does at least once.
    pub(super) fn find<'a>(
        &'a self,
        subject: &str,
        claims: &impl Members,
        mut found: impl FnMut(&'a Place),
    ) {
        for facet in &self.facets {
            match &facet.source {
                Source::Subject => self.find_text(facet, subject, &mut found),
                Source::Claim(name) => match name.find(claims) {
                    Some(Value::Array(elements)) => {
                        for element in elements {
                            self.find_value(facet, element, &mut found);
                        }
                    }
                    Some(value) => self.find_value(facet, value, &mut found),
                    None => {}
                },
            }
        }
        self.rest.iter().for_each(found);
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.facets.is_empty() && self.places.values().count() == 0 && self.rest.is_empty()
    }

    fn find_value<'a>(&'a self, facet: &Facet, value: &Value, found: &mut impl FnMut(&'a Place)) {
        match value {
            Value::String(text) => self.find_text(facet, text, found),
            Value::Number(number) => {
                if let Some(number) = number.as_i64() {
                    self.at(facet.hash, Key::Integer(number)).iter().for_each(found);
                }
            }
            _ => {}
        }
    }

    fn find_text<'a>(&'a self, facet: &Facet, text: &str, found: &mut impl FnMut(&'a Place)) {
        if facet.values > 0 {
            self.at(facet.hash, Key::Text(text)).iter().for_each(&mut *found);
        }
        for (length, _) in &facet.prefixes {
            if let Some(prefix) = text.get(..*length) {
                self.at(facet.hash, Key::Prefix(prefix)).iter().for_each(&mut *found);
            }
        }
    }

    fn at(&self, source: Hash, key: Key<'_>) -> &[Place] {
        self.places.find(&key_hash(source, key)).map_or(&[], Bucket::as_slice)
    }

    /// What it costs to have a credential under these keys: others that are found with it, then one more source to look at;
    /// of two that are equal, the one without prefixes is better.
    fn cost(
        &self,
        issuer: &IssuerUrl,
        handle: &Handle<'_>,
        shared: &Shared,
    ) -> (usize, bool, bool) {
        let source = source_hash(issuer, &handle.source);
        let others = |key: &Key<'_>| {
            let known = shared.0.get(&key_hash(source, *key)).copied().unwrap_or(0);
            known.max(self.at(source, *key).len())
        };
        let is_new = !self.facets.iter().any(|facet| facet.hash == source);
        let by_prefix = handle.keys.iter().any(|key| matches!(key, Key::Prefix(_)));
        (handle.keys.iter().map(others).sum(), is_new, by_prefix)
    }

    fn facet(&mut self, source: &Source, hash: Hash) -> &mut Facet {
        let at = self.facets.iter().position(|facet| facet.source == *source);
        let at = at.unwrap_or_else(|| {
            let source = source.clone();
            self.facets.push(Facet { source, hash, values: 0, prefixes: Vec::new() });
            self.facets.len() - 1
        });
        // INVARIANT: `at` was found or pushed above
        #[expect(clippy::indexing_slicing, reason = "the position comes from the lines above")]
        &mut self.facets[at]
    }

    fn remove_from(&mut self, place: &Place, source: &Source, hash: Hash, key: Key<'_>) {
        let stands = self.at(hash, key).iter().filter(|own| own.is(place)).count();
        if stands == 0 {
            return;
        }
        let key_hash = key_hash(hash, key);
        let others = self.at(hash, key).iter().filter(|own| !own.is(place)).cloned().collect();
        match Bucket::new(others) {
            Some(bucket) => self.places.insert(key_hash, bucket),
            None => self.places.remove(&key_hash),
        };
        self.facet(source, hash).discount(key, stands);
    }
}

impl Place {
    /// The credential.
    pub(super) fn credential(&self) -> Option<&FederatedCredential> {
        self.token.federated_credentials.get(usize::try_from(self.position).ok()?)
    }

    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.token, &other.token) && self.position == other.position
    }
}

impl Facet {
    fn count(&mut self, key: Key<'_>) {
        match key {
            Key::Text(_) | Key::Integer(_) => self.values += 1,
            Key::Prefix(prefix) => {
                let length = prefix.len();
                match self.prefixes.iter_mut().find(|(own, _)| *own == length) {
                    Some((_, count)) => *count += 1,
                    None => self.prefixes.push((length, 1)),
                }
            }
        }
    }

    fn discount(&mut self, key: Key<'_>, stood: usize) {
        match key {
            Key::Text(_) | Key::Integer(_) => self.values = self.values.saturating_sub(stood),
            Key::Prefix(prefix) => {
                for (_, count) in self.prefixes.iter_mut().filter(|(own, _)| *own == prefix.len()) {
                    *count = count.saturating_sub(stood);
                }
                self.prefixes.retain(|(_, count)| *count > 0);
            }
        }
    }
}

impl Bucket {
    /// None is no bucket.
    fn new(mut places: Vec<Place>) -> Option<Self> {
        match places.len() {
            0 => None,
            1 => places.pop().map(Self::One),
            _ => Some(Self::Many(places)),
        }
    }

    fn push(&mut self, place: Place) {
        *self = match std::mem::take(self) {
            Self::Many(places) if places.is_empty() => Self::One(place),
            Self::One(first) => Self::Many(vec![first, place]),
            Self::Many(mut places) => {
                places.push(place);
                Self::Many(places)
            }
        };
    }

    fn as_slice(&self) -> &[Place] {
        match self {
            Self::One(place) => std::slice::from_ref(place),
            Self::Many(places) => places,
        }
    }
}

impl Default for Bucket {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

fn source_hash(issuer: &IssuerUrl, source: &Source) -> Hash {
    FixedState::default().hash_one((issuer, source))
}

fn key_hash(source: Hash, key: Key<'_>) -> Hash {
    FixedState::default().hash_one((source, key))
}
