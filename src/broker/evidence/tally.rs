//! Counts who used which permission, how often and when last.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::audit::{Event, Kind};
use crate::model::{Action, ActionSet, CredentialRef, JsonObject, RepositoryName, TokenName};

/// The most different uses that are told apart.
const MAX_USES: usize = 10_000;

/// What became of one action on one repository by one identity.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PermissionUse {
    /// The token that was acted as.
    pub token_name: TokenName,
    /// Who acted as it.
    pub caller: Caller,
    /// The repository.
    pub repository: RepositoryName,
    /// The action.
    pub action: Action,
    /// How often access was given for it.
    pub count: u64,
    /// How often the registry reported that it was made use of.
    pub reported: u64,
    /// When last, either of them.
    pub last_time: Timestamp,
}

/// Who acted as a token.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Caller {
    /// Issuer of the identity; empty for a password.
    pub issuer: String,
    /// Subject of the identity, or the name of the password.
    pub subject: String,
}

impl Caller {
    /// Who was given access by a credential. A session knows whom it was given to.
    fn of(identity: Option<&JsonObject>, credential: &CredentialRef) -> Self {
        let facts = identity.map(JsonObject::members).unwrap_or_default();
        let fact = |name: &str| facts.get(name).and_then(|value| value.as_str());
        let (issuer, subject) = match credential {
            CredentialRef::Anonymous => ("", "anonymous".to_owned()),
            CredentialRef::Password { slot, .. } => ("", slot.to_string()),
            CredentialRef::Federated { .. } => {
                let holder = fact("holder").and_then(|holder| holder.split_once(' '));
                let (issuer, subject) = holder.unwrap_or_else(|| {
                    (fact("issuer").unwrap_or_default(), fact("subject").unwrap_or_default())
                });
                (issuer, subject.to_owned())
            }
        };
        Self { issuer: issuer.to_owned(), subject }
    }
}

/// The uses that were counted.
#[derive(Debug, Default)]
pub(super) struct Tally {
    uses: HashMap<(TokenName, Caller, RepositoryName, Action), Counted>,
    /// True when there were more than are told apart.
    pub(super) is_full: bool,
}

#[derive(Debug)]
struct Counted {
    given: u64,
    reported: u64,
    last_time: Timestamp,
}

/// What an event says of one use: of which token, by whom, what, and whether it was reported.
#[derive(Clone, Copy, Debug)]
enum Said {
    Given,
    Reported,
}

impl Tally {
    /// Counts what of an event is of interest: of the actions on a repository, those that `wanted` lets through.
    pub(super) fn add(
        &mut self,
        event: &Event,
        wanted: impl Fn(&RepositoryName, ActionSet) -> ActionSet,
    ) {
        let identity = event.identity.as_ref();
        if let Some(grant) = event.grant.as_ref().filter(|_| gives(event.kind)) {
            let caller = Caller::of(identity, &grant.credential);
            for one in &grant.permissions {
                let actions = wanted(&one.repository, one.actions);
                self.count(
                    (&grant.token_name, &caller),
                    (&one.repository, actions),
                    event.time,
                    Said::Given,
                );
            }
        }
        if let Some(usage) = &event.usage
            && let Some(by) = &usage.by
            && let Some(deed) = event.kind.deed()
        {
            let caller = Caller::of(identity, &by.credential);
            let actions = wanted(&usage.repository, deed.needs());
            self.count(
                (&by.token_name, &caller),
                (&usage.repository, actions),
                usage.time,
                Said::Reported,
            );
        }
    }

    fn count(
        &mut self,
        (token, caller): (&TokenName, &Caller),
        (repository, actions): (&RepositoryName, ActionSet),
        time: Timestamp,
        said: Said,
    ) {
        for action in actions.iter() {
            let key = (token.clone(), caller.clone(), repository.clone(), action);
            if self.uses.len() >= MAX_USES && !self.uses.contains_key(&key) {
                self.is_full = true;
                continue;
            }
            let counted =
                self.uses.entry(key).or_insert(Counted { given: 0, reported: 0, last_time: time });
            match said {
                Said::Given => counted.given += 1,
                Said::Reported => counted.reported += 1,
            }
            counted.last_time = counted.last_time.max(time);
        }
    }

    /// The uses, the most recent first.
    pub(super) fn into_uses(self) -> Vec<PermissionUse> {
        let uses = self.uses.into_iter();
        let mut uses: Vec<_> = uses
            .map(|((token_name, caller, repository, action), counted)| PermissionUse {
                token_name,
                caller,
                repository,
                action,
                count: counted.given,
                reported: counted.reported,
                last_time: counted.last_time,
            })
            .collect();
        let key = |one: &PermissionUse| {
            (one.token_name.clone(), one.caller.clone(), one.repository.clone(), one.action)
        };
        uses.sort_by(|a, b| b.last_time.cmp(&a.last_time).then_with(|| key(a).cmp(&key(b))));
        uses
    }
}

/// True when an event of the kind gives access.
const fn gives(kind: Kind) -> bool {
    matches!(kind, Kind::Exchange | Kind::Issue)
}
