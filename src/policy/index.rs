//! Finds the federated credentials of one issuer that may admit an identity, without looking at the others.
//!
//! Each credential stands under one of its conditions: the one whose values the fewest credentials share. That is an exact
//! value, or the text before the first wildcard of a pattern. What is found is still to be checked completely; so only the
//! hash of a value is kept, and two values of one hash cost time, never more.

use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use foldhash::fast::{FixedState, FoldHasher};
use foldhash::{HashMap, HashSet};
use serde_json::Value;

use super::boundaries::Slot;
use super::facet::Facet;
use super::handle::{Handle, Key, Source, handles};
use super::names::Names;
use super::place::{Place, credential};
use super::test_code::Seen;
use crate::identity::Workload;
use crate::model::{Claim, Definitions, IssuerUrl, ShardedMap, Token};

/// The federated credentials that name one issuer, in one registry. A changed copy shares what did not change.
#[derive(Clone, Debug, Default)]
pub(super) struct CredentialIndex {
    facets: Vec<Facet>,
    places: ShardedMap<Hash, Bucket, AsItIs>,
    /// Those that no value singles out: to be looked at for every identity.
    rest: Arc<Vec<Place>>,
    names: Names,
}

/// How many credentials could stand under each key; nothing is known of one that is not there.
#[derive(Debug, Default)]
pub(super) struct Shared(HashMap<Hash, usize>);

/// The hash of an issuer, a source and a key.
pub(super) type Hash = u64;

/// Hashes what is a hash already.
#[derive(Clone, Copy, Debug, Default)]
struct AsItIs(Hash);

#[derive(Clone, Debug)]
enum Bucket {
    /// The usual case, without memory of its own.
    One(Place),
    #[expect(clippy::box_collection, reason = "it must not make the usual case larger")]
    Many(Box<Vec<Place>>),
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
    pub(super) fn insert(
        &mut self,
        token: &Arc<Token>,
        position: u32,
        boundary: Slot,
        shared: &Shared,
    ) {
        let Some(place) = Place::new(token, position, boundary, &mut self.names) else { return };
        let Some(credential) = place.credential() else { return };
        let issuer = &credential.issuer;
        let best = handles(credential).min_by_key(|handle| self.cost(issuer, handle, shared));
        let Some(handle) = best else {
            return Arc::make_mut(&mut self.rest).push(place);
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
    pub(super) fn remove(&mut self, token: &Arc<Token>, position: u32) {
        let place = (token, position);
        let Some(credential) = credential(token, position) else { return };
        for handle in handles(credential) {
            let hash = source_hash(&credential.issuer, &handle.source);
            for key in handle.keys {
                self.remove_from(place, &handle.source, hash, key);
            }
        }
        if self.rest.iter().any(|own| own.is(place)) {
            Arc::make_mut(&mut self.rest).retain(|own| !own.is(place));
        }
        self.facets.retain(|facet| !facet.is_empty());
        if self.facets.is_empty() && self.rest.is_empty() {
            self.names = Names::default();
        }
    }

    /// Calls `found` with every credential that admits the identity, at least once.
    pub(super) fn find<'a>(&'a self, workload: &Workload, mut found: impl FnMut(&'a Place)) {
        let seen = Seen { workload, names: &self.names, known: None };
        for facet in &self.facets {
            let claim = match &facet.name {
                None => Some(Claim::Text(workload.subject())),
                Some(name) => name.find(workload.claims()),
            };
            let Some(claim) = claim else { continue };
            let seen = Seen { known: facet.number.map(|number| (number, claim)), ..seen };
            let mut look = |place: &'a Place| {
                if place.admits(&seen) {
                    found(place);
                }
            };
            if let Claim::Other(Value::Array(elements)) = claim {
                self.under_any(facet, elements).into_iter().for_each(look);
            } else {
                facet.keys_of(claim, |key| self.at(facet.hash, key).iter().for_each(&mut look));
            }
        }
        self.rest.iter().filter(|place| place.admits(&seen)).for_each(found);
    }

    /// What stands under any element of a list, each once: a list has thousands of elements, and may lead to one credential with
    /// each of them.
    fn under_any(&self, facet: &Facet, elements: &[Value]) -> Vec<&Place> {
        let (mut keys, mut known) = (HashSet::default(), HashSet::default());
        let mut places = Vec::new();
        for element in elements {
            facet.keys_of(element.into(), |key| {
                if keys.insert(key_hash(facet.hash, key)) {
                    let there = self.at(facet.hash, key).iter();
                    places.extend(there.filter(|place| known.insert(place.identity())));
                }
            });
        }
        places
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.facets.is_empty()
            && self.places.values().count() == 0
            && self.rest.is_empty()
            && self.names.is_empty()
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
            self.facets.push(Facet::new(source, hash));
            self.facets.len() - 1
        });
        // INVARIANT: `at` was found or pushed above
        #[expect(clippy::indexing_slicing, reason = "the position comes from the lines above")]
        let facet = &mut self.facets[at];
        facet.learn_number(&self.names);
        facet
    }

    fn remove_from(
        &mut self,
        place: (&Arc<Token>, u32),
        source: &Source,
        hash: Hash,
        key: Key<'_>,
    ) {
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

impl Bucket {
    /// None is no bucket.
    fn new(mut places: Vec<Place>) -> Option<Self> {
        match places.len() {
            0 => None,
            1 => places.pop().map(Self::One),
            _ => Some(Self::Many(Box::new(places))),
        }
    }

    fn push(&mut self, place: Place) {
        *self = match std::mem::take(self) {
            Self::Many(places) if places.is_empty() => Self::One(place),
            Self::One(first) => Self::Many(Box::new(vec![first, place])),
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
        Self::Many(Box::default())
    }
}

fn source_hash(issuer: &IssuerUrl, source: &Source) -> Hash {
    FixedState::default().hash_one((issuer, source))
}

fn key_hash(source: Hash, key: Key<'_>) -> Hash {
    let hasher = |kind: u64| FixedState::with_seed(source ^ kind).build_hasher();
    let of_text = |mut hasher: FoldHasher<'_>, text: &str| {
        hasher.write(text.as_bytes());
        hasher.finish()
    };
    match key {
        Key::Text(text) => of_text(hasher(1), text),
        Key::Prefix(text) => of_text(hasher(2), text),
        Key::Integer(number) => {
            let mut hasher = hasher(3);
            hasher.write_i64(number);
            hasher.finish()
        }
    }
}

impl BuildHasher for AsItIs {
    type Hasher = Self;

    fn build_hasher(&self) -> Self {
        *self
    }
}

impl Hasher for AsItIs {
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    /// INVARIANT: a hash is one number.
    fn write(&mut self, bytes: &[u8]) {
        self.0 = FixedState::default().hash_one(bytes);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests;
