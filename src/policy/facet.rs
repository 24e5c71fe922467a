//! What is known of the credentials that stand under conditions on one and the same source: which keys are worth looking for.

use serde_json::Value;

use super::handle::{Key, Source};
use super::index::Hash;
use super::names::Names;
use crate::model::{Claim, HashedName};

/// A source, and of what kinds the keys are that stand under it.
#[derive(Clone, Debug)]
pub(super) struct Facet {
    pub(super) source: Source,
    pub(super) hash: Hash,
    /// The name of the claim, unless the source is the subject.
    pub(super) name: Option<HashedName>,
    /// The number of that name, if a credential with code tests it.
    pub(super) number: Option<u8>,
    /// How many stand under a whole value.
    pub(super) values: usize,
    prefixes: Vec<Prefixes>,
}

/// What is known of the prefixes of one length.
#[derive(Clone, Debug)]
struct Prefixes {
    /// In bytes.
    length: usize,
    /// How many stand under one.
    count: usize,
    /// The last bytes of all that stand or stood under one: most texts have another one there, and
    /// are not hashed at this length.
    last: ByteSet,
}

#[derive(Clone, Copy, Debug, Default)]
struct ByteSet([u64; 4]);

impl Facet {
    pub(super) fn new(source: Source, hash: Hash) -> Self {
        let name = match &source {
            Source::Subject => None,
            Source::Claim(name) => Some(HashedName::from(name.clone())),
        };
        Self { source, hash, name, number: None, values: 0, prefixes: Vec::new() }
    }

    /// Learns the number of its name, once that has one.
    pub(super) fn learn_number(&mut self, names: &Names) {
        if let (None, Source::Claim(name)) = (self.number, &self.source) {
            self.number = names.known(name);
        }
    }

    /// Calls `look` with every key that a credential may stand under which fits the value.
    pub(super) fn keys_of<'a>(&self, value: Claim<'a>, look: impl FnMut(Key<'a>)) {
        match value {
            Claim::Text(text) => self.keys_of_text(text, look),
            Claim::Other(Value::Number(number)) => {
                number.as_i64().map(Key::Integer).into_iter().for_each(look);
            }
            Claim::Other(_) => {}
        }
    }

    fn keys_of_text<'a>(&self, text: &'a str, mut look: impl FnMut(Key<'a>)) {
        if self.values > 0 {
            look(Key::Text(text));
        }
        for prefixes in &self.prefixes {
            if let Some(prefix) = prefixes.of(text) {
                look(Key::Prefix(prefix));
            }
        }
    }

    /// One more stands under the key.
    pub(super) fn count(&mut self, key: Key<'_>) {
        let Key::Prefix(prefix) = key else {
            self.values += 1;
            return;
        };
        let known = self.prefixes.iter_mut().find(|own| own.length == prefix.len());
        if let Some(prefixes) = known {
            prefixes.count += 1;
            prefixes.last.insert(prefix);
        } else {
            let mut last = ByteSet::default();
            last.insert(prefix);
            self.prefixes.push(Prefixes { length: prefix.len(), count: 1, last });
        }
    }

    /// So many that stood under the key do no more.
    pub(super) fn discount(&mut self, key: Key<'_>, stood: usize) {
        let Key::Prefix(prefix) = key else {
            self.values = self.values.saturating_sub(stood);
            return;
        };
        for own in self.prefixes.iter_mut().filter(|own| own.length == prefix.len()) {
            own.count = own.count.saturating_sub(stood);
        }
        self.prefixes.retain(|own| own.count > 0);
    }

    /// True when nothing stands under any key.
    pub(super) fn is_empty(&self) -> bool {
        self.values == 0 && self.prefixes.is_empty()
    }
}

impl Prefixes {
    /// The first bytes of the text, when a credential may stand under them.
    fn of<'a>(&self, text: &'a str) -> Option<&'a str> {
        let last = text.as_bytes().get(self.length.checked_sub(1)?)?;
        if self.last.contains(*last) { text.get(..self.length) } else { None }
    }
}

impl ByteSet {
    /// The last byte of a prefix, which is never empty.
    fn insert(&mut self, prefix: &str) {
        let Some(byte) = prefix.as_bytes().last() else { return };
        if let Some(word) = self.0.get_mut(usize::from(byte / 64)) {
            *word |= 1 << (byte % 64);
        }
    }

    fn contains(&self, byte: u8) -> bool {
        self.0.get(usize::from(byte / 64)).is_some_and(|word| word & 1 << (byte % 64) != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(facet: &Facet, text: &str) -> Vec<String> {
        let mut keys = Vec::new();
        facet.keys_of(Claim::Text(text), |key| keys.push(format!("{key:?}")));
        keys
    }

    #[test]
    fn only_prefixes_that_may_be_there_are_looked_for() {
        let mut facet = Facet::new(Source::Subject, 1);
        assert!(facet.is_empty() && keys(&facet, "repo:a:b").is_empty());
        for prefix in ["repo:a:", "repo:b/", "repo:", "é"] {
            facet.count(Key::Prefix(prefix));
        }
        assert_eq!(keys(&facet, "repo:a:b"), [r#"Prefix("repo:a:")"#, r#"Prefix("repo:")"#]);
        assert_eq!(keys(&facet, "repo:ab/"), [r#"Prefix("repo:")"#]);
        // nor a part of a character
        assert_eq!(keys(&facet, "éa"), [r#"Prefix("é")"#]);
        assert!(keys(&facet, "a\u{2a9}").is_empty());
        facet.count(Key::Text("x"));
        assert_eq!(keys(&facet, "x"), [r#"Text("x")"#]);
    }

    #[test]
    fn what_stands_under_no_key_is_not_looked_for() {
        let mut facet = Facet::new(Source::Subject, 1);
        for key in [Key::Prefix("a:"), Key::Prefix("b:"), Key::Integer(1)] {
            facet.count(key);
        }
        facet.discount(Key::Prefix("a:"), 1);
        assert_eq!(keys(&facet, "b:x").len(), 2);
        facet.discount(Key::Prefix("b:"), 1);
        assert_eq!(keys(&facet, "b:x"), [r#"Text("b:x")"#]);
        facet.discount(Key::Integer(1), 1);
        assert!(facet.is_empty());
    }
}
