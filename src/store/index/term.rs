//! What events are found by, as a hash of 32 bits: what has the term is a candidate, until its row was compared.

use std::hash::{BuildHasher, Hasher};

use foldhash::quality::FixedState;

/// What a value is the value of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Field {
    /// The access token that an event is about, its 16 bytes.
    AccessToken,
    /// That no access token explains a use.
    Bypass,
    /// The credential of a token that admitted the identity.
    Credential,
    /// The id of the decision, its 16 bytes.
    Id,
    /// `iss` of the identity.
    Issuer,
    /// The word for what it is about.
    Kind,
    /// Whether it was allowed or refused.
    Outcome,
    /// The word for why it was refused.
    Reason,
    /// The registry asked for.
    Registry,
    /// A repository asked for.
    Repository,
    /// The scope map that allowed it.
    ScopeMap,
    /// `sub` of the identity, or whom a session was given to.
    Subject,
    /// The name of the token that was acted as or asked for.
    Token,
}

/// A field with a value, hashed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Term(pub(in crate::store) u32);

/// Makes terms. Each index has a seed of its own: whoever chooses a value cannot know what it will collide with.
#[derive(Clone, Debug)]
pub struct TermHasher(FixedState);

impl TermHasher {
    pub(in crate::store) const fn new(seed: u64) -> Self {
        Self(FixedState::with_seed(seed))
    }

    /// The term of a value.
    pub fn term(&self, field: Field, value: &[u8]) -> Term {
        let mut hasher = self.0.build_hasher();
        hasher.write(value);
        hasher.write_u8(field as u8);
        // INVARIANT: the upper half of 64 bits fits into 32
        Term(u32::try_from(hasher.finish() >> 32).unwrap_or_default())
    }

    /// A term that another hash than this one would make otherwise.
    pub(in crate::store) fn known(&self) -> Term {
        self.term(Field::Subject, b"repo:acme/shop:ref:refs/heads/main")
    }
}
