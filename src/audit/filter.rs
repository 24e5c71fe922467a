//! What events are searched for by.

use jiff::Timestamp;

use super::Kind;
use super::facts::{BYPASS, outcome};
use crate::model::{AccessTokenId, Reason, RegistryName, RepositoryName, ScopeMapName, TokenName};
use crate::store::{Field, IndexQuery, Term, TermHasher};

/// A search; what is absent does not matter.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Filter {
    /// Not before.
    pub since: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
    /// What the event is about.
    pub kind: Option<Kind>,
    /// How it went.
    pub outcome: Option<Outcome>,
    /// The registry asked for.
    pub registry: Option<RegistryName>,
    /// A repository asked for.
    pub repository: Option<RepositoryName>,
    /// The token that was acted as or asked for.
    pub token: Option<TokenName>,
    /// The scope map that allowed it.
    pub scope_map: Option<ScopeMapName>,
    /// The credential of a token that admitted the identity: a [`credential_key`](super::credential_key).
    pub credential: Option<String>,
    /// `iss` of the identity.
    pub issuer: Option<String>,
    /// `sub` of the identity, or whom a session was given to.
    pub subject: Option<String>,
    /// The access token that was given.
    pub access_token: Option<AccessTokenId>,
}

/// How a decision went.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// It was allowed.
    Allowed,
    /// It was refused, for whatever reason.
    Refused,
    /// It was refused for this reason.
    Because(Reason),
    /// A registry reported a use that no access token explains.
    Bypass,
}

impl Filter {
    /// What the index is asked for: all that fits, and little else.
    pub(super) fn query(&self, hasher: &TermHasher) -> IndexQuery {
        let one = |field, value: Option<&str>| {
            value.map(|value| vec![hasher.term(field, value.as_bytes())])
        };
        let terms = [
            one(Field::Kind, self.kind.map(Kind::as_str)),
            self.outcome.map(|outcome| vec![outcome.term(hasher)]),
            one(Field::Registry, self.registry.as_ref().map(RegistryName::as_str)),
            one(Field::Repository, self.repository.as_ref().map(RepositoryName::as_str)),
            one(Field::Token, self.token.as_ref().map(TokenName::as_str)),
            one(Field::ScopeMap, self.scope_map.as_ref().map(ScopeMapName::as_str)),
            one(Field::Credential, self.credential.as_deref()),
            one(Field::Issuer, self.issuer.as_deref()),
            one(Field::Subject, self.subject.as_deref()),
            self.access_token.map(|id| given(id, hasher)),
        ];
        IndexQuery {
            since: self.since,
            until: self.until,
            id: None,
            terms: terms.into_iter().flatten().collect(),
        }
    }
}

impl Outcome {
    fn term(self, hasher: &TermHasher) -> Term {
        match self {
            Self::Allowed => hasher.term(Field::Outcome, outcome(true)),
            Self::Refused => hasher.term(Field::Outcome, outcome(false)),
            Self::Bypass => hasher.term(Field::Bypass, BYPASS.as_bytes()),
            Self::Because(reason) => hasher.term(Field::Reason, reason.as_str().as_bytes()),
        }
    }
}

/// An access token is given by the decision that has its id, and by others later.
fn given(id: AccessTokenId, hasher: &TermHasher) -> Vec<Term> {
    [Field::AccessToken, Field::Id].map(|field| hasher.term(field, id.as_bytes())).into()
}
