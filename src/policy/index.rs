//! Finds the federated credentials of one issuer that may admit an identity, without looking at the others.
//!
//! Each credential stands under one of its conditions: the one whose values the fewest credentials share. That is an exact
//! value, or the text before the first wildcard of a pattern. What is found is still to be checked completely.

use foldhash::HashMap;
use serde_json::{Map, Value};

use crate::model::{Accepted, ClaimName, FederatedCredential, Glob};

/// Where a federated credential stands in the definitions.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Place {
    /// The position of its token among all tokens.
    pub(super) token: usize,
    /// Its position inside the token.
    pub(super) credential: usize,
}

/// The federated credentials that name one issuer, in one registry.
#[derive(Debug, Default)]
pub(super) struct CredentialIndex {
    facets: Vec<Facet>,
    /// Those that no value singles out: to be looked at for every identity.
    rest: Vec<Place>,
}

/// The credentials that stand under conditions on one and the same source.
#[derive(Debug)]
struct Facet {
    source: Source,
    texts: HashMap<Box<str>, Vec<Place>>,
    integers: HashMap<i64, Vec<Place>>,
    /// The lengths, in bytes, of the keys of `prefixes`.
    prefix_lengths: Vec<usize>,
    prefixes: HashMap<Box<str>, Vec<Place>>,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum Source {
    Subject,
    Claim(ClaimName),
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Key<'a> {
    Text(&'a str),
    Integer(i64),
    Prefix(&'a str),
}

/// One condition of a credential, as the keys under which it would stand: a value that fits has at least one of them.
struct Handle<'a> {
    source: Source,
    keys: Vec<Key<'a>>,
}

impl CredentialIndex {
    /// Builds the index over credentials of one issuer.
    pub(super) fn new(credentials: &[(Place, &FederatedCredential)]) -> Self {
        let mut shared = HashMap::<(Source, Key<'_>), usize>::default();
        for handle in credentials.iter().flat_map(|(_, credential)| handles(credential)) {
            for key in handle.keys {
                *shared.entry((handle.source.clone(), key)).or_default() += 1;
            }
        }
        let mut index = Self::default();
        for (place, credential) in credentials {
            match handles(credential).min_by_key(|handle| handle.cost(&shared)) {
                Some(handle) => index.facet(handle.source).insert(&handle.keys, *place),
                None => index.rest.push(*place),
            }
        }
        index
    }

    /// Calls `found` with every credential that may admit the identity; with one that does at least once.
    pub(super) fn find(
        &self,
        subject: &str,
        claims: &Map<String, Value>,
        mut found: impl FnMut(Place),
    ) {
        for facet in &self.facets {
            match &facet.source {
                Source::Subject => facet.find_text(subject, &mut found),
                Source::Claim(name) => match name.find(claims) {
                    Some(Value::Array(elements)) => {
                        for element in elements {
                            facet.find(element, &mut found);
                        }
                    }
                    Some(value) => facet.find(value, &mut found),
                    None => {}
                },
            }
        }
        self.rest.iter().copied().for_each(found);
    }

    fn facet(&mut self, source: Source) -> &mut Facet {
        let at = self.facets.iter().position(|facet| facet.source == source);
        let at = at.unwrap_or_else(|| {
            self.facets.push(Facet::new(source));
            self.facets.len() - 1
        });
        // INVARIANT: `at` was found or pushed above
        #[expect(clippy::indexing_slicing, reason = "the position comes from the lines above")]
        &mut self.facets[at]
    }
}

impl Facet {
    fn new(source: Source) -> Self {
        Self {
            source,
            texts: HashMap::default(),
            integers: HashMap::default(),
            prefix_lengths: Vec::new(),
            prefixes: HashMap::default(),
        }
    }

    fn insert(&mut self, keys: &[Key<'_>], place: Place) {
        for key in keys {
            match *key {
                Key::Text(text) => self.texts.entry(text.into()).or_default().push(place),
                Key::Integer(number) => self.integers.entry(number).or_default().push(place),
                Key::Prefix(prefix) => {
                    if !self.prefix_lengths.contains(&prefix.len()) {
                        self.prefix_lengths.push(prefix.len());
                    }
                    self.prefixes.entry(prefix.into()).or_default().push(place);
                }
            }
        }
    }

    fn find(&self, value: &Value, found: &mut impl FnMut(Place)) {
        match value {
            Value::String(text) => self.find_text(text, found),
            Value::Number(number) => {
                let places = number.as_i64().and_then(|number| self.integers.get(&number));
                places.into_iter().flatten().copied().for_each(found);
            }
            _ => {}
        }
    }

    fn find_text(&self, text: &str, found: &mut impl FnMut(Place)) {
        let exact = self.texts.get(text);
        let prefixes =
            self.prefix_lengths.iter().filter_map(|length| self.prefixes.get(text.get(..*length)?));
        exact.into_iter().chain(prefixes).flatten().copied().for_each(found);
    }
}

impl Handle<'_> {
    /// How many credentials share its keys; of two that are equal, the one without prefixes is better.
    fn cost(&self, shared: &HashMap<(Source, Key<'_>), usize>) -> (usize, bool) {
        let count = |key: &Key<'_>| shared.get(&(self.source.clone(), *key)).copied().unwrap_or(0);
        let by_prefix = self.keys.iter().any(|key| matches!(key, Key::Prefix(_)));
        (self.keys.iter().map(count).sum(), by_prefix)
    }
}

fn handles(credential: &FederatedCredential) -> impl Iterator<Item = Handle<'_>> {
    let subject = credential
        .subject
        .as_ref()
        .and_then(|rule| Some(Handle { source: Source::Subject, keys: vec![glob_key(&rule.0)?] }));
    let claims = credential.claims.iter().filter_map(|condition| {
        let keys = condition.accepted.iter().map(accepted_key).collect::<Option<Vec<_>>>()?;
        Some(Handle { source: Source::Claim(condition.name.clone()), keys })
    });
    subject.into_iter().chain(claims)
}

fn accepted_key(accepted: &Accepted) -> Option<Key<'_>> {
    match accepted {
        // of two values, each is shared by about half of all
        Accepted::Boolean(_) => None,
        Accepted::Integer(number) => Some(Key::Integer(*number)),
        Accepted::Text(glob) => glob_key(glob),
    }
}

fn glob_key(glob: &Glob) -> Option<Key<'_>> {
    match glob.exact() {
        Some(text) => Some(Key::Text(text)),
        None => Some(glob.literal_prefix()).filter(|prefix| !prefix.is_empty()).map(Key::Prefix),
    }
}
