//! The join of a use with the decision that allowed it.

use std::time::Duration;

use super::Report;
use crate::audit::{Archive, ArchiveError, By, Bypass, Event, Filter, Kind, Outcome};
use crate::model::{AccessTokenId, RegistryName, RepositoryName};

/// How long after its end a registry still accepts a JWT: the leeway of distribution.
const LEEWAY: Duration = Duration::from_mins(1);

/// How many decisions of one access token and repository are looked at, the newest first.
const DECISIONS: u32 = 64;

/// What explains a use.
#[derive(Debug)]
pub(super) enum Joined {
    /// The decision that gave the access token.
    Explained(Box<Event>, By),
    /// No decision of ours.
    Bypass(Bypass),
}

/// Looks for the decision that gave what was used. Blocks.
///
/// An access token is given by the decision of its id, by others that hand it out again, and by the exchanges of its session, each for some repositories.
pub(super) fn join(
    archive: &Archive,
    registry: &RegistryName,
    report: &Report,
) -> Result<Joined, ArchiveError> {
    let Some(id) = report.access_token() else {
        return Ok(Joined::Bypass(Bypass::NoAccessToken));
    };
    let mut nearest = Bypass::Unknown;
    let minted = archive.find(id.into())?.map(|found| found.event);
    let mut decisions: Vec<Event> = minted.into_iter().collect();
    for kind in [None, Some(Kind::Exchange), Some(Kind::Issue)] {
        if let Some(kind) = kind {
            decisions = given(archive, id, kind, &report.repository)?;
        }
        for event in std::mem::take(&mut decisions) {
            match explain(&event, id, registry, report) {
                Ok(by) => return Ok(Joined::Explained(Box::new(event), by)),
                Err(bypass) => nearest = nearer(nearest, bypass),
            }
        }
    }
    Ok(Joined::Bypass(nearest))
}

/// The decisions of a kind that gave an access token for a repository.
fn given(
    archive: &Archive,
    id: AccessTokenId,
    kind: Kind,
    repository: &RepositoryName,
) -> Result<Vec<Event>, ArchiveError> {
    let filter = Filter {
        access_token: Some(id),
        kind: Some(kind),
        outcome: Some(Outcome::Allowed),
        repository: Some(repository.clone()),
        ..Filter::default()
    };
    let page = archive.list(&filter, None, DECISIONS)?;
    Ok(page.events.into_iter().map(|found| found.event).collect())
}

/// Whether a decision explains a use.
pub(super) fn explain(
    event: &Event,
    id: AccessTokenId,
    registry: &RegistryName,
    report: &Report,
) -> Result<By, Bypass> {
    let Some(grant) = event.grant.as_ref().filter(|grant| grant.access_token == id) else {
        return Err(Bypass::Unknown);
    };
    if event.request.as_ref().is_none_or(|request| request.registry != *registry) {
        return Err(Bypass::OtherRegistry);
    }
    if !report.deed.needs().is_subset_of(grant.permissions.actions_on(&report.repository)) {
        return Err(Bypass::NotGiven);
    }
    let end = grant.expire_time.saturating_add(LEEWAY).unwrap_or(grant.expire_time);
    if report.time > end {
        return Err(Bypass::Ended);
    }
    Ok(By {
        decision: event.id,
        token: grant.token,
        token_name: grant.token_name.clone(),
        scope_map: grant.scope_map.clone(),
        credential: grant.credential.clone(),
    })
}

/// Of two reasons the one that says more.
const fn nearer(one: Bypass, other: Bypass) -> Bypass {
    if rank(other) > rank(one) { other } else { one }
}

const fn rank(bypass: Bypass) -> u8 {
    match bypass {
        Bypass::NoAccessToken => 0,
        Bypass::Unknown => 1,
        Bypass::OtherRegistry => 2,
        Bypass::NotGiven => 3,
        Bypass::Ended => 4,
    }
}

#[cfg(test)]
mod tests;
