//! What an event is searched by, read from its row without a copy.

use jiff::Timestamp;
use serde::Deserialize;

use super::lenient::{Object, Text};
use super::{Filter, Outcome};
use crate::model::{
    AccessTokenId, CredentialRef, DecisionId, RegistryName, ScopeMapName, TokenName, TokenUid,
};
use crate::store::{Field, JournalRow, Searched, Term, TermHasher};

/// What an event is searched by.
#[derive(Debug)]
pub(super) struct Facts<'a> {
    id: DecisionId,
    time: Timestamp,
    open: Open<'a>,
    personal: Personal<'a>,
}

impl<'a> Facts<'a> {
    /// # Errors
    /// The JSON is damaged: with what is wrong.
    pub(super) fn of(event: &Searched<'a>) -> Result<Self, serde_json::Error> {
        Ok(Self {
            open: serde_json::from_str(event.open)?,
            personal: serde_json::from_str(event.personal)?,
            ..Self::damaged(event)
        })
    }

    /// A damaged event is found by its id and time at least; `verify` names it.
    pub(super) fn damaged(event: &Searched<'a>) -> Self {
        let (open, personal) = (Open::default(), Personal::default());
        Self { id: event.id, time: event.time, open, personal }
    }

    /// What is left of it, when it is damaged.
    pub(super) fn at_least(event: &Searched<'a>) -> Self {
        Self::of(event).unwrap_or_else(|_| Self::damaged(event))
    }

    /// Adds what the index finds it by.
    pub(super) fn terms(&self, hasher: &TermHasher, terms: &mut Vec<Term>) {
        let mut add = |field, value: &[u8]| terms.push(hasher.term(field, value));
        add(Field::Id, self.id.as_bytes());
        add(Field::Outcome, outcome(self.reason().is_none()));
        for (field, value) in [
            (Field::Kind, self.open.kind.as_deref()),
            (Field::Reason, self.reason()),
            (Field::Registry, self.registry()),
            (Field::Token, self.token()),
            (Field::ScopeMap, self.scope_map()),
            (Field::Credential, self.credential().as_deref()),
            (Field::Bypass, self.open.usage.bypass.as_deref().map(|_| BYPASS)),
            (Field::Issuer, self.personal.identity.issuer.as_deref()),
            (Field::Subject, self.subject()),
        ] {
            if let Some(value) = value {
                add(field, value.as_bytes());
            }
        }
        for repository in self.repositories() {
            add(Field::Repository, repository.as_bytes());
        }
        // one that it minted has its id
        if let Some(id) = self.access_token().filter(|id| DecisionId::from(*id) != self.id) {
            add(Field::AccessToken, id.as_bytes());
        }
    }

    /// Whether it is searched for.
    pub(super) fn fits(&self, filter: &Filter) -> bool {
        fn same<T: PartialEq + Copy>(wanted: Option<T>, found: Option<T>) -> bool {
            wanted.is_none() || wanted == found
        }
        filter.since.is_none_or(|since| self.time >= since)
            && filter.until.is_none_or(|until| self.time < until)
            && same(filter.kind.map(super::Kind::as_str), self.open.kind.as_deref())
            && match filter.outcome {
                None => true,
                Some(Outcome::Allowed) => self.reason().is_none(),
                Some(Outcome::Refused) => self.reason().is_some(),
                Some(Outcome::Bypass) => self.open.usage.bypass.as_deref().is_some(),
                Some(Outcome::Because(reason)) => self.reason() == Some(reason.as_str()),
            }
            && same(filter.registry.as_ref().map(RegistryName::as_str), self.registry())
            && same(filter.token.as_ref().map(TokenName::as_str), self.token())
            && same(filter.scope_map.as_ref().map(ScopeMapName::as_str), self.scope_map())
            && (filter.credential.is_none() || filter.credential == self.credential())
            && same(filter.issuer.as_deref(), self.personal.identity.issuer.as_deref())
            && same(filter.subject.as_deref(), self.subject())
            && same(filter.access_token, self.access_token())
            && filter
                .repository
                .as_ref()
                .is_none_or(|wanted| self.repositories().any(|found| found == wanted.as_str()))
    }

    fn reason(&self) -> Option<&str> {
        self.open.reason.as_deref()
    }

    /// The registry asked for, used or changed.
    fn registry(&self) -> Option<&str> {
        if let Some(request) = &self.open.request {
            return request.registry.as_deref();
        }
        let (of_use, of_change) = (&self.open.usage.registry, &self.open.change.registry);
        let of_identity = || self.personal.identity.registry.as_deref();
        of_use.as_deref().or(of_change.as_deref()).or_else(of_identity)
    }

    fn repositories(&self) -> impl Iterator<Item = &str> {
        let permissions = self.open.request.iter().flat_map(|request| &request.permissions);
        let asked = permissions.filter_map(|permission| permission.repository.as_deref());
        asked.chain(self.open.usage.repository.as_deref())
    }

    /// What allowed it.
    fn by(&self) -> Option<&Grant<'_>> {
        self.open.grant.as_ref().or(self.open.usage.by.as_ref())
    }

    /// The token that was acted as or asked for.
    fn token(&self) -> Option<&str> {
        let granted = self.by().and_then(|by| by.token_name.as_deref());
        let wanted = self.open.request.as_ref().and_then(|request| request.token_name.as_deref());
        granted.or(wanted).or(self.personal.identity.token_name.as_deref())
    }

    fn scope_map(&self) -> Option<&str> {
        self.by()?.scope_map.as_deref()
    }

    fn credential(&self) -> Option<String> {
        let by = self.by()?;
        let token = by.token.as_deref()?;
        let (federated, password) = (&by.credential.federated, &by.credential.password);
        match (federated.name.as_deref(), password.slot.as_deref()) {
            (Some(name), _) => Some(format!("{token} federated {name}")),
            (None, Some(slot)) => Some(format!("{token} {slot} {}", password.generation)),
            (None, None) => None,
        }
    }

    /// `sub` of the identity, or whom a session was given to.
    fn subject(&self) -> Option<&str> {
        let identity = &self.personal.identity;
        identity.subject.as_deref().or(identity.holder.as_deref())
    }

    /// The access token that was given, or that a revocation names.
    fn access_token(&self) -> Option<AccessTokenId> {
        let given = self.open.grant.as_ref().and_then(|grant| grant.access_token.as_deref());
        let used = self.open.usage.access_token.as_deref();
        given.or(used).or(self.open.change.access_token.as_deref())?.parse().ok()
    }
}

/// The part of a row that searches look at.
pub(super) fn searched(row: &JournalRow) -> Searched<'_> {
    Searched {
        sequence: row.sequence,
        id: row.id,
        time: row.time,
        open: row.body.open(),
        personal: row.body.personal(),
    }
}

/// What a credential of a token is searched by: a federated one by its name, a password by its filling. None for nobody.
pub fn credential_key(token: TokenUid, credential: &CredentialRef) -> Option<String> {
    match credential {
        CredentialRef::Anonymous => None,
        CredentialRef::Federated { name, .. } => Some(format!("{token} federated {name}")),
        CredentialRef::Password { slot, generation } => {
            Some(format!("{token} {slot} {generation}"))
        }
    }
}

/// The value of [`Field::Bypass`].
pub(super) const BYPASS: &str = "bypass";

/// The value of [`Field::Outcome`].
pub(super) const fn outcome(allowed: bool) -> &'static [u8] {
    if allowed { b"allowed" } else { b"refused" }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Open<'a> {
    #[serde(borrow)]
    kind: Text<'a>,
    reason: Text<'a>,
    request: Option<Request<'a>>,
    grant: Option<Grant<'a>>,
    change: Object<Change<'a>>,
    #[serde(rename = "use")]
    usage: Object<Usage<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Request<'a> {
    #[serde(borrow)]
    registry: Text<'a>,
    permissions: Vec<Permission<'a>>,
    token_name: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Permission<'a> {
    #[serde(borrow)]
    repository: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
/// What was given; of a use, what allowed it.
struct Grant<'a> {
    #[serde(borrow)]
    access_token: Text<'a>,
    token: Text<'a>,
    token_name: Text<'a>,
    scope_map: Text<'a>,
    credential: Object<Credential<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Usage<'a> {
    #[serde(borrow)]
    registry: Text<'a>,
    repository: Text<'a>,
    access_token: Text<'a>,
    by: Option<Grant<'a>>,
    bypass: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Credential<'a> {
    #[serde(borrow)]
    federated: Object<Federated<'a>>,
    password: Object<Password<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Federated<'a> {
    #[serde(borrow)]
    name: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Password<'a> {
    #[serde(borrow)]
    slot: Text<'a>,
    generation: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Personal<'a> {
    #[serde(borrow)]
    identity: Object<Identity<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Identity<'a> {
    #[serde(borrow)]
    issuer: Text<'a>,
    subject: Text<'a>,
    holder: Text<'a>,
    /// A name for a password; a session has something else here.
    registry: Text<'a>,
    token_name: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Change<'a> {
    #[serde(borrow)]
    access_token: Text<'a>,
    registry: Text<'a>,
}
