//! When a token and its credentials were last used: access was given, or a registry reported that it was made use of.

use jiff::Timestamp;

use crate::audit::{Archive, ArchiveError, Event, Filter, Kind, Outcome, credential_key};
use crate::broker::Error;
use crate::broker::manage::Reading;
use crate::model::{CredentialRef, Token};

/// The kinds of events in which a token is used, those that come often first.
const KINDS: [Kind; 6] = [
    Kind::Exchange,
    Kind::Issue,
    Kind::RegistryPull,
    Kind::RegistryPush,
    Kind::RegistryMount,
    Kind::RegistryDelete,
];

/// How many events of an earlier token of the same name are passed over.
const EARLIER: u32 = 64;

/// When a token and its credentials were last used, as far as the trail goes back.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct LastUses {
    /// The token, by whatever credential.
    pub token: Option<Timestamp>,
    /// Its passwords, in the order of the definition.
    pub passwords: Vec<Option<Timestamp>>,
    /// Its federated credentials, in the order of the definition.
    pub federated: Vec<Option<Timestamp>>,
}

/// Looks for the last uses. Blocks.
pub(super) fn last_uses(archive: &Archive, token: &Token) -> Result<LastUses, ArchiveError> {
    let of = |credential: CredentialRef| last_use_of(archive, token, &credential);
    let passwords = token
        .passwords
        .iter()
        .map(|own| of(CredentialRef::Password { slot: own.slot, generation: own.generation }));
    let federated = token
        .federated_credentials
        .iter()
        .map(|own| of(CredentialRef::Federated { name: own.name.clone(), revision: own.revision }));
    Ok(LastUses {
        token: last_use(archive, token)?,
        passwords: passwords.collect::<Result<_, _>>()?,
        federated: federated.collect::<Result<_, _>>()?,
    })
}

fn last_use(archive: &Archive, token: &Token) -> Result<Option<Timestamp>, ArchiveError> {
    let mut last = None;
    for kind in KINDS {
        let filter = Filter {
            kind: Some(kind),
            outcome: Some(Outcome::Allowed),
            registry: Some(token.registry.clone()),
            token: Some(token.name.clone()),
            // what is older than it is another token's of the same name
            since: Some(token.create_time),
            ..Filter::default()
        };
        let page = archive.list(&filter, None, EARLIER)?;
        let own = page.events.iter().find(|found| is_of(&found.event, token));
        last = last.max(own.map(|found| found.event.time));
    }
    Ok(last)
}

fn is_of(event: &Event, token: &Token) -> bool {
    let given = event.grant.as_ref().map(|grant| grant.token);
    let used = || Some(event.usage.as_ref()?.by.as_ref()?.token);
    given.or_else(used) == Some(token.uid)
}

fn last_use_of(
    archive: &Archive,
    token: &Token,
    credential: &CredentialRef,
) -> Result<Option<Timestamp>, ArchiveError> {
    let filter = Filter {
        outcome: Some(Outcome::Allowed),
        credential: credential_key(token.uid, credential),
        ..Filter::default()
    };
    let page = archive.list(&filter, None, 1)?;
    Ok(page.events.first().map(|found| found.event.time))
}

impl Reading<'_> {
    /// When a token and its credentials were last used.
    pub(in crate::broker) async fn last_uses(&self, token: &Token) -> Result<LastUses, Error> {
        let token = token.clone();
        self.archive(move |archive| last_uses(archive, &token)).await
    }
}
