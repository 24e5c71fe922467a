//! Who used a permission lately: read from the audit trail, newest first, up to a bound.

use std::time::Duration;

use jiff::Timestamp;

use super::tally::{PermissionUse, Tally};
use crate::audit::{Archive, ArchiveError, Event, Filter, Outcome};
use crate::model::{ActionSet, RepositoryName};

/// How many events are looked at; what is older is not counted, and that is told.
pub(super) const MAX_EVENTS: u32 = 50_000;

/// How many events are read at once.
const PIECE: u32 = 1_000;

/// How far back is looked when nobody says.
pub const DEFAULT_WINDOW: Duration = Duration::from_hours(30 * 24);

/// The uses in a window.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::struct_field_names, reason = "the uses, and what is known of them")]
pub struct Uses {
    /// The most recent first.
    pub uses: Vec<PermissionUse>,
    /// How far back was looked: later than asked when there was too much.
    pub since: Timestamp,
    /// True when all of the window was looked at.
    pub is_complete: bool,
}

/// Counts the uses that fit, of what `wanted` lets through, and tells how many events were looked at: about `most` at most.
pub(super) fn uses(
    archive: &Archive,
    filter: &Filter,
    (since, most): (Timestamp, u32),
    wanted: impl Fn(&Event, &RepositoryName, ActionSet) -> ActionSet,
) -> Result<(Uses, u32), ArchiveError> {
    let mut tally = Tally::default();
    let walked = walk(archive, filter, since, most, |event| {
        tally.add(event, |repository, actions| wanted(event, repository, actions));
    })?;
    let is_complete = walked.is_complete && !tally.is_full;
    let uses = Uses { uses: tally.into_uses(), since: walked.since, is_complete };
    Ok((uses, walked.events))
}

/// How far a walk came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walked {
    pub(super) since: Timestamp,
    pub(super) is_complete: bool,
    pub(super) events: u32,
}

/// Shows the allowed events since a time that fit, newest first, at most about `most`.
pub(super) fn walk(
    archive: &Archive,
    filter: &Filter,
    since: Timestamp,
    most: u32,
    mut look: impl FnMut(&Event),
) -> Result<Walked, ArchiveError> {
    let filter = Filter { since: Some(since), outcome: Some(Outcome::Allowed), ..filter.clone() };
    let (mut before, mut events, mut oldest) = (None, 0, since);
    loop {
        let page = archive.list(&filter, before.as_ref(), PIECE)?;
        for found in &page.events {
            look(&found.event);
            oldest = found.event.time;
        }
        events += u32::try_from(page.events.len()).unwrap_or(u32::MAX);
        before = page.next;
        if before.is_none() {
            return Ok(Walked { since, is_complete: true, events });
        }
        if events >= most {
            return Ok(Walked { since: oldest, is_complete: false, events });
        }
    }
}

/// A time before now; the beginning of time when there is none so far back.
pub(super) fn back(now: Timestamp, window: Duration) -> Timestamp {
    now.checked_sub(window).unwrap_or(Timestamp::MIN)
}
