//! Who used lately what a change of policy would take away.

use std::time::Duration;

use jiff::Timestamp;

use super::uses::{self, MAX_EVENTS, Uses, back};
use crate::audit::{Archive, ArchiveError, Event, Filter};
use crate::broker::Error;
use crate::broker::manage::Reading;
use crate::model::{ActionSet, CredentialRef, RepositoryName, ScopeMap, Status, Token};

/// A definition before and after a change.
#[derive(Clone, Debug)]
pub(in crate::broker) enum Changed {
    /// A scope map; `None` = it is gone.
    ScopeMap(Box<ScopeMap>, Option<Box<ScopeMap>>),
    /// A token with the scope map that bounds it after the change, if it is there; `None` = the token is gone.
    Token(Box<Token>, Option<(Box<Token>, Option<Box<ScopeMap>>)>),
}

impl Changed {
    /// The uses since a time of what would be gone, and how many events were looked at: about `most` at most.
    pub(super) fn uses(
        &self,
        archive: &Archive,
        since: Timestamp,
        most: u32,
    ) -> Result<(Uses, u32), ArchiveError> {
        uses::uses(archive, &self.filter(), (since, most), |event, repository, used| {
            self.lost(event, repository, used)
        })
    }

    /// Which events are of interest.
    fn filter(&self) -> Filter {
        match self {
            Self::ScopeMap(before, _) => Filter {
                registry: Some(before.registry.clone()),
                scope_map: Some(before.name.clone()),
                ..Filter::default()
            },
            Self::Token(before, _) => Filter {
                registry: Some(before.registry.clone()),
                token: Some(before.name.clone()),
                ..Filter::default()
            },
        }
    }

    /// Of what was used in an event, what would be gone.
    fn lost(&self, event: &Event, repository: &RepositoryName, used: ActionSet) -> ActionSet {
        match self {
            // what it did not allow any more before is not lost by this change
            Self::ScopeMap(before, after) => used
                .intersection(before.actions_on(repository))
                .difference(allowed(after.as_deref(), repository)),
            Self::Token(_, None) => used,
            Self::Token(_, Some((after, map))) => {
                if after.status == Status::Enabled && has(after, event) {
                    used.difference(allowed(map.as_deref(), repository))
                } else {
                    used
                }
            }
        }
    }
}

fn allowed(map: Option<&ScopeMap>, repository: &RepositoryName) -> ActionSet {
    map.map_or(ActionSet::EMPTY, |map| map.actions_on(repository))
}

/// True when the token still has the credential that was used.
fn has(token: &Token, event: &Event) -> bool {
    let given = event.grant.as_ref().map(|grant| &grant.credential);
    let used = || Some(&event.usage.as_ref()?.by.as_ref()?.credential);
    match given.or_else(used) {
        None | Some(CredentialRef::Anonymous) => true,
        Some(CredentialRef::Federated { name, .. }) => {
            token.federated_credentials.iter().any(|own| own.name == *name)
        }
        Some(CredentialRef::Password { slot, generation }) => {
            token.passwords.iter().any(|own| own.slot == *slot && own.generation == *generation)
        }
    }
}

impl Reading<'_> {
    /// The uses, in a window that ends now, of what the change would take away.
    pub(in crate::broker) async fn lost_uses(
        &self,
        changed: Changed,
        window: Duration,
    ) -> Result<Uses, Error> {
        let since = back(self.broker.clock.now(), window);
        self.archive(move |archive| Ok(changed.uses(archive, since, MAX_EVENTS)?.0)).await
    }
}
