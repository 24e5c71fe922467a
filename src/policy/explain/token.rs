//! One token against the request.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;

use super::super::system;
use super::Question;
use super::credential::Seen;
use super::trace::{CredentialTrace, EntryTrace, TokenTrace};
use crate::identity::Evidence;
use crate::model::{ActionSet, Lifetime, Permission, ScopeMap, Status, Token};
use crate::seal::Ceiling;

/// What was seen at one token.
pub(super) struct Examination<'a> {
    pub(super) token: &'a Token,
    pub(super) outcome: Outcome,
    /// It was named, or has a credential of the kind that was presented.
    pub(super) is_of_interest: bool,
    credentials: Vec<Seen>,
    entries: Vec<EntryTrace>,
}

/// What came of a token; what is nearer to being allowed stands first.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Outcome {
    Allowed { lifetime: Lifetime },
    EndsTooSoon,
    Outside(Permission),
    Expired,
    Disabled,
    NotNamed,
    NotAdmitted,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allowed { lifetime } => write!(f, "allows it for {lifetime}"),
            Self::EndsTooSoon => {
                f.write_str("allows it, but less than a minute is left of one of its bounds")
            }
            Self::Outside(missing) => {
                write!(f, "does not allow {} on `{}`", missing.actions, missing.repository)
            }
            Self::Expired => f.write_str("has expired"),
            Self::Disabled => f.write_str("is disabled"),
            Self::NotNamed => f.write_str("is not the one that the request names"),
            Self::NotAdmitted => f.write_str("does not admit this identity"),
        }
    }
}

impl Examination<'_> {
    /// Sorts by what is nearest to being allowed, then by name.
    pub(super) fn nearness(&self) -> (u8, &str) {
        let place = match self.outcome {
            Outcome::Allowed { .. } => 0,
            Outcome::EndsTooSoon => 1,
            Outcome::Outside(_) => 2,
            Outcome::Expired => 3,
            Outcome::Disabled => 4,
            Outcome::NotNamed => 5,
            Outcome::NotAdmitted => 6,
        };
        (place, self.token.name.as_str())
    }

    /// What is told of it.
    pub(super) fn trace(&self) -> TokenTrace {
        let credential = |seen: &Seen| CredentialTrace {
            name: seen.name.clone(),
            admits: seen.mismatches.is_empty(),
            mismatches: seen.mismatches.clone(),
        };
        TokenTrace {
            name: self.token.name.to_string(),
            outcome: self.outcome.to_string(),
            credentials: self.credentials.iter().map(credential).collect(),
            scope_map: self.token.scope_map.to_string(),
            entries: self.entries.clone(),
        }
    }
}

impl Question<'_> {
    /// Looks at all of a token.
    pub(super) fn examine<'b>(&self, token: &'b Token) -> Examination<'b> {
        let credentials = self.credentials(token);
        let map = self.scope_map(token);
        let map = map.as_deref();
        Examination {
            token,
            outcome: self.outcome(token, map, &credentials),
            is_of_interest: self.is_of_interest(token),
            entries: map.map(|map| self.entries(map)).unwrap_or_default(),
            credentials,
        }
    }

    /// The scope map of a token: one of the definitions, or of the system.
    fn scope_map(&self, token: &Token) -> Option<Cow<'_, ScopeMap>> {
        let mut maps = self.definitions.scope_maps.iter().filter(|map| !map.system);
        let own = maps.find(|map| map.registry == token.registry && map.name == token.scope_map);
        let system = || system::find(&token.registry, token.scope_map.as_str());
        own.map(Cow::Borrowed).or_else(|| system().map(Cow::Owned))
    }

    fn is_of_interest(&self, token: &Token) -> bool {
        self.request.token_name.as_ref() == Some(&token.name)
            || match self.evidence {
                Evidence::Anonymous => token.name.as_str() == "anonymous",
                Evidence::Password { token: uid, .. } | Evidence::Session { token: uid, .. } => {
                    *uid == token.uid
                }
                Evidence::Workload { issuer, .. } => {
                    token.federated_credentials.iter().any(|own| own.issuer.as_str() == issuer)
                }
            }
    }

    fn outcome(&self, token: &Token, map: Option<&ScopeMap>, credentials: &[Seen]) -> Outcome {
        let admitting: Vec<&Seen> =
            credentials.iter().filter(|seen| seen.mismatches.is_empty()).collect();
        let Some(map) = map.filter(|_| !admitting.is_empty()) else { return Outcome::NotAdmitted };
        if self.request.token_name.as_ref().is_some_and(|name| *name != token.name) {
            return Outcome::NotNamed;
        }
        if token.status == Status::Disabled {
            return Outcome::Disabled;
        }
        if token.expire_time.is_some_and(|end| end <= self.now) {
            return Outcome::Expired;
        }
        if let Some(missing) = self.missing(map) {
            return Outcome::Outside(missing);
        }
        let lifetimes = admitting.iter().filter_map(|seen| self.lifetime(token, map, seen));
        lifetimes.max().map_or(Outcome::EndsTooSoon, |lifetime| Outcome::Allowed { lifetime })
    }

    /// The first of what is wanted that is not allowed.
    fn missing(&self, map: &ScopeMap) -> Option<Permission> {
        self.request.permissions.iter().find_map(|wanted| {
            let ceiling = match self.evidence {
                Evidence::Anonymous => ActionSet::PULL,
                Evidence::Session { ceiling: Ceiling::Permissions(most), .. } => {
                    most.actions_on(&wanted.repository)
                }
                _ => wanted.actions,
            };
            let allowed = map.actions_on(&wanted.repository).intersection(ceiling);
            let actions = wanted.actions.difference(allowed);
            (!actions.is_empty())
                .then(|| Permission { repository: wanted.repository.clone(), actions })
        })
    }

    fn lifetime(&self, token: &Token, map: &ScopeMap, seen: &Seen) -> Option<Lifetime> {
        let asked = self.request.lifetime.unwrap_or(self.bounds.default_lifetime);
        let lengths = [Some(asked), map.max_lifetime, seen.max_lifetime, self.bounds.max_lifetime];
        let left =
            |end: &Timestamp| u64::try_from(end.duration_since(self.now).as_secs()).unwrap_or(0);
        let ends = seen.ends.iter().chain(&token.expire_time).map(left);
        let seconds = lengths.into_iter().flatten().map(Lifetime::as_secs).chain(ends).min()?;
        Lifetime::new(std::time::Duration::from_secs(seconds)).ok()
    }

    fn entries(&self, map: &ScopeMap) -> Vec<EntryTrace> {
        let entries = map.permissions.iter().map(|(pattern, actions)| EntryTrace {
            pattern: pattern.to_string(),
            actions: (*actions).into(),
            matches: self
                .request
                .permissions
                .iter()
                .filter(|wanted| pattern.matches(&wanted.repository))
                .map(|wanted| wanted.repository.to_string())
                .collect(),
        });
        entries.collect()
    }
}
