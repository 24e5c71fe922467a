//! Looks into the audit trail: lists, and single events.

use super::visible;
use crate::audit::{Filter, Found, Page, Places};
use crate::broker::Error;
use crate::broker::manage::{Place, Read, Reading, Role, Target};
use crate::model::DecisionId;

/// Which events to list, newest first.
#[derive(Clone, Debug)]
pub struct ListEvents {
    /// Which.
    pub filter: Filter,
    /// Only before these places: the `next` of a page.
    pub before: Option<Places>,
    /// At most so many. There may be fewer also when there are more.
    pub limit: u32,
}

/// Which event to get.
#[derive(Clone, Copy, Debug)]
pub struct GetEvent {
    /// Its id.
    pub id: DecisionId,
}

/// Where a role is needed for events of a filter.
pub(super) fn place(filter: &Filter) -> Place<'_> {
    filter.registry.as_ref().map_or(Place::Somewhere, Place::Registry)
}

impl Read for ListEvents {
    type Output = Page;

    fn target(&self) -> Target<'_> {
        Target {
            method: "ListAuditEvents",
            role: Role::Viewer,
            place: place(&self.filter),
            definition: None,
        }
    }

    async fn read(&self, reading: &Reading<'_>) -> Result<Page, Error> {
        let (authority, asked) = (reading.authority.clone(), self.clone());
        reading
            .archive(move |archive| {
                visible::page(archive, &authority, &asked.filter, asked.before, asked.limit)
            })
            .await
    }
}

impl Read for GetEvent {
    type Output = Found;

    fn target(&self) -> Target<'_> {
        Target {
            method: "GetAuditEvent",
            role: Role::Viewer,
            place: Place::Somewhere,
            definition: None,
        }
    }

    async fn read(&self, reading: &Reading<'_>) -> Result<Found, Error> {
        find(reading, self.id).await
    }
}

/// An event that the operator may see.
pub(super) async fn find(reading: &Reading<'_>, id: DecisionId) -> Result<Found, Error> {
    let found = reading.archive(move |archive| archive.find(id)).await?;
    // one answer for what is not there and what is somebody else's
    found
        .filter(|found| visible::may_see(reading.authority, &found.event))
        .ok_or_else(|| Error::NotFound(format!("the audit trail has no decision {id}")))
}
