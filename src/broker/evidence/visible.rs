//! What of the audit trail an operator may see: the events of the registries in which it has a role; of all, and what is of none, with a role in all.

use crate::audit::{Archive, ArchiveError, Event, Filter, Found, Page, Places};
use crate::broker::Error;
use crate::broker::manage::{Authority, Reading};
use crate::model::RegistryName;

use super::unreadable;

/// How many events are looked at for one page of what may be seen; then the page is short, and the next one goes on.
const LOOKED_AT: u32 = 10_000;

/// How many events are read at once.
const PIECE: u32 = 500;

/// About how many bytes of events are on a page: an answer has a size too.
const PAGE_BYTES: usize = 1 << 20;

/// True when the operator may see the event.
pub(super) fn may_see(authority: &Authority, event: &Event) -> bool {
    authority.role_in_all().is_some()
        || event
            .registry()
            .and_then(|registry| registry.parse().ok())
            .is_some_and(|registry: RegistryName| authority.role_in(&registry).is_some())
}

/// A page of the events that fit and may be seen, newest first.
pub(super) fn page(
    archive: &Archive,
    authority: &Authority,
    filter: &Filter,
    before: Option<Places>,
    limit: u32,
) -> Result<Page, ArchiveError> {
    let wanted = limit as usize;
    let mut page = Page { next: before, ..Page::default() };
    let (mut bytes, mut looked_at) = (0, 0);
    loop {
        let piece = archive.list(filter, page.next.as_ref(), limit.min(PIECE))?;
        looked_at += PIECE;
        let mut place = piece.begin;
        for found in piece.events {
            if page.events.len() >= wanted || (bytes > PAGE_BYTES && !page.events.is_empty()) {
                page.next = Some(place);
                return Ok(page);
            }
            place.pass(&found);
            if may_see(authority, &found.event) {
                bytes += size(&found);
                page.events.push(found);
            }
        }
        page.next = piece.next;
        if page.next.is_none() || page.events.len() >= wanted || looked_at >= LOOKED_AT {
            return Ok(page);
        }
    }
}

/// About how large an event is in an answer.
fn size(found: &Found) -> usize {
    let event = &found.event;
    let claims = event.claims.as_ref().map_or(0, |claims| claims.json().len());
    let change = event.change.as_ref().map_or(0, |change| change.to_string().len());
    let permissions = event.request.as_ref().map_or(0, |request| request.permissions.len());
    1024 + claims + change + 256 * permissions
}

impl Reading<'_> {
    /// Reads the audit trail, on a thread that may block.
    pub(super) async fn archive<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Archive) -> Result<T, ArchiveError> + Send + 'static,
    ) -> Result<T, Error> {
        let archive = self.broker.journal.archive().clone();
        tokio::task::spawn_blocking(move || work(&archive))
            .await
            .map_err(|_panic| Error::Internal("a look into the audit trail panicked".to_owned()))?
            .map_err(unreadable)
    }
}
