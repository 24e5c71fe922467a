//! The access review: who can do what, where, until when, and what of it was not used.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::bypasses;
use super::findings::findings;
use super::last_use::{LastUses, last_uses};
use super::tally::{PermissionUse, Tally};
use super::uses::{MAX_EVENTS, back, walk};
use crate::audit::{Archive, ArchiveError, Filter};
use crate::broker::Error;
use crate::broker::manage::{Page, PageRequest, Place, Read, Reading, Role, Target};
use crate::model::{
    ActionSet, Permission, Permissions, RegistryName, RepositoryPattern, ScopeMap, Token,
};

/// Not used for so long counts as unused, when nobody says.
pub const DEFAULT_UNUSED: Duration = Duration::from_hours(90 * 24);

/// The most tokens on a page: each is a look into the trail of its own.
const MAX_TOKENS: u32 = 200;

/// How many events are looked at for one page; then the page is short, and the next one goes on.
const MAX_EVENTS_OF_PAGE: u32 = 2 * MAX_EVENTS;

/// The most uses that are shown of one token.
const MAX_USES: usize = 1_000;

/// Which part of the review.
#[derive(Clone, Debug)]
pub struct ReviewAccess {
    /// The registry.
    pub registry: RegistryName,
    /// Not used for so long counts as unused.
    pub unused_window: Duration,
    /// Which page.
    pub page: PageRequest,
}

/// A page of the review.
#[derive(Clone, Debug)]
pub struct Review {
    /// The tokens, by name.
    pub tokens: Page<TokenReview>,
    /// What concerns the registry as a whole, one sentence each; on the first page only.
    pub findings: Vec<String>,
}

/// One token under review.
#[derive(Clone, Debug)]
pub struct TokenReview {
    /// The token.
    pub token: Token,
    /// When it and its credentials were last used.
    pub last: LastUses,
    /// What it may do.
    pub permissions: BTreeMap<RepositoryPattern, ActionSet>,
    /// What was used in the window, the most recent first.
    pub uses: Vec<PermissionUse>,
    /// What was not used in the window; empty when not all of the window was looked at.
    pub unused: BTreeMap<RepositoryPattern, ActionSet>,
    /// The scope map that would have sufficed in the window.
    pub sufficient: Permissions,
    /// What an auditor should look at, one sentence each.
    pub findings: Vec<String>,
    /// How far back was looked: later than the window when there was too much.
    pub since: Timestamp,
}

impl Read for ReviewAccess {
    type Output = Review;

    fn target(&self) -> Target<'_> {
        Target {
            method: "ReviewAccess",
            role: Role::Viewer,
            place: Place::Registry(&self.registry),
            definition: None,
        }
    }

    async fn read(&self, reading: &Reading<'_>) -> Result<Review, Error> {
        if !reading.snapshot().has_registry(&self.registry) {
            return Err(Error::NotFound(format!("there is no registry `{}`", self.registry)));
        }
        let PageRequest { size, after } = self.page.clone();
        let (is_first, size) = (after.is_empty(), size.min(MAX_TOKENS));
        let page = reading.store().tokens_after(self.registry.clone(), None, after, size).await?;
        let more = page.more;
        let snapshot = reading.snapshot();
        let map =
            |token: &Token| snapshot.scope_map(&token.registry, token.scope_map.as_str()).cloned();
        let tokens: Vec<_> = page.items.into_iter().map(|token| (map(&token), token)).collect();
        let now = reading.now();
        let since = back(now, self.unused_window);
        let registry = self.registry.clone();
        reading
            .archive(move |archive| {
                let findings = if is_first {
                    bypasses::findings(archive, &registry, since)?
                } else {
                    Vec::new()
                };
                Ok(Review { tokens: reviews(archive, tokens, more, (since, now))?, findings })
            })
            .await
    }
}

fn reviews(
    archive: &Archive,
    tokens: Vec<(Option<ScopeMap>, Token)>,
    more: bool,
    (since, now): (Timestamp, Timestamp),
) -> Result<Page<TokenReview>, ArchiveError> {
    let (mut items, mut looked_at) = (Vec::<TokenReview>::new(), 0);
    let mut is_cut = more;
    for (map, token) in tokens {
        if looked_at >= MAX_EVENTS_OF_PAGE {
            is_cut = true;
            break;
        }
        let (review, events) = review(archive, token, map.as_ref(), since, now)?;
        looked_at += events;
        items.push(review);
    }
    let next = items.last().filter(|_| is_cut).map(|last| last.token.name.to_string());
    Ok(Page { items, next })
}

fn review(
    archive: &Archive,
    token: Token,
    map: Option<&ScopeMap>,
    since: Timestamp,
    now: Timestamp,
) -> Result<(TokenReview, u32), ArchiveError> {
    let filter = Filter {
        registry: Some(token.registry.clone()),
        token: Some(token.name.clone()),
        ..Filter::default()
    };
    let mut tally = Tally::default();
    // what is older than it is another token's of the same name
    let since = since.max(token.create_time);
    let walked = walk(archive, &filter, since, MAX_EVENTS, |event| {
        tally.add(event, |_, actions| actions);
    })?;
    let is_complete = walked.is_complete && !tally.is_full;
    let last = last_uses(archive, &token)?;
    let permissions = map.map(|map| map.permissions.clone()).unwrap_or_default();
    let mut uses = tally.into_uses();
    let sufficient = sufficient(&uses);
    let unused = if is_complete { unused(&permissions, &uses) } else { BTreeMap::new() };
    uses.truncate(MAX_USES);
    let findings = findings(&token, map, &last, (since, now), is_complete);
    let since = walked.since;
    let review =
        TokenReview { token, last, permissions, uses, unused, sufficient, findings, since };
    Ok((review, walked.events))
}

/// Exactly what was used.
fn sufficient(uses: &[PermissionUse]) -> Permissions {
    let used = uses
        .iter()
        .map(|one| Permission { repository: one.repository.clone(), actions: one.action.into() });
    used.collect()
}

/// What no use fits.
fn unused(
    permissions: &BTreeMap<RepositoryPattern, ActionSet>,
    uses: &[PermissionUse],
) -> BTreeMap<RepositoryPattern, ActionSet> {
    let unused = permissions.iter().map(|(pattern, actions)| {
        let used = uses.iter().filter(|one| pattern.matches(&one.repository));
        let used: ActionSet = used.map(|one| one.action).collect();
        (pattern.clone(), actions.difference(used))
    });
    unused.filter(|(_, actions)| !actions.is_empty()).collect()
}
