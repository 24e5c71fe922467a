//! What events are searched for by, and whether an event fits.

use jiff::Timestamp;
use serde_json::Value;

use super::{Event, Kind};
use crate::model::{AccessTokenId, JsonObject, Reason, RegistryName, RepositoryName, TokenName};
use crate::store::{IndexEntry, IndexQuery};

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
}

impl Filter {
    pub(super) fn query(&self) -> IndexQuery {
        let text = |value: &Option<String>| value.clone();
        IndexQuery {
            since: self.since,
            until: self.until,
            kind: self.kind.map(|kind| kind.as_str().to_owned()),
            refused: match self.outcome {
                Some(Outcome::Allowed) => Some(false),
                Some(Outcome::Refused) => Some(true),
                _ => None,
            },
            reason: match self.outcome {
                Some(Outcome::Because(reason)) => Some(reason.as_str().to_owned()),
                _ => None,
            },
            registry: self.registry.as_ref().map(ToString::to_string),
            repository: self.repository.as_ref().map(ToString::to_string),
            token: self.token.as_ref().map(ToString::to_string),
            issuer: text(&self.issuer),
            subject: text(&self.subject),
            access_token: self.access_token.map(|id| *id.as_bytes()),
        }
    }
}

/// What the index keeps of an event.
pub(super) fn entry(sequence: u64, event: &Event) -> IndexEntry {
    let facts = event.identity.as_ref().map(JsonObject::members).unwrap_or_default();
    let identity = |name: &str| facts.get(name)?.as_str().map(str::to_owned);
    let (request, grant) = (event.request.as_ref(), event.grant.as_ref());
    let token = grant
        .map(|grant| &grant.token_name)
        .or_else(|| request.and_then(|request| request.token_name.as_ref()));
    IndexEntry {
        sequence,
        id: Some(event.id),
        time: event.time,
        kind: event.kind.as_str().to_owned(),
        reason: event.reason.map(|reason| reason.as_str().to_owned()),
        registry: request
            .map(|request| request.registry.to_string())
            .or_else(|| identity("registry")),
        repositories: request.map_or_else(Vec::new, |request| {
            request.permissions.iter().map(|one| one.repository.to_string()).collect()
        }),
        token: token.map(ToString::to_string).or_else(|| identity("tokenName")),
        issuer: identity("issuer"),
        subject: identity("subject").or_else(|| identity("holder")),
        access_token: grant.map(|grant| *grant.access_token.as_bytes()).or_else(|| revoked(event)),
    }
}

/// The access token that an event of a revocation names.
fn revoked(event: &Event) -> Option<[u8; 16]> {
    let id = event.change.as_ref()?.get("accessToken").and_then(Value::as_str)?;
    id.parse::<AccessTokenId>().ok().map(|id| *id.as_bytes())
}

/// The same as the index's search, for events that are not indexed yet.
pub(super) fn fits(query: &IndexQuery, entry: &IndexEntry) -> bool {
    fn same<T: PartialEq>(wanted: Option<&T>, found: Option<&T>) -> bool {
        wanted.is_none_or(|wanted| found == Some(wanted))
    }
    query.since.is_none_or(|since| entry.time >= since)
        && query.until.is_none_or(|until| entry.time < until)
        && same(query.kind.as_ref(), Some(&entry.kind))
        && query.refused.is_none_or(|refused| entry.reason.is_some() == refused)
        && same(query.reason.as_ref(), entry.reason.as_ref())
        && same(query.registry.as_ref(), entry.registry.as_ref())
        && same(query.token.as_ref(), entry.token.as_ref())
        && same(query.issuer.as_ref(), entry.issuer.as_ref())
        && same(query.subject.as_ref(), entry.subject.as_ref())
        && same(query.access_token.as_ref(), entry.access_token.as_ref())
        && query.repository.as_ref().is_none_or(|wanted| entry.repositories.contains(wanted))
}
