//! `RevokeAccessToken`: an access token stops at its next exchange.

use std::pin::pin;

use jiff::Timestamp;
use serde_json::json;

use super::decision::{Cut, UseCase, in_time};
use super::draft::Draft;
use super::{Broker, Error};
use crate::audit::{Event, Journal, Kind};
use crate::identity::{Evidence, Identity, Presented};
use crate::model::AccessTokenId;
use crate::policy::Denial;
use crate::store;

#[derive(Debug)]
pub(super) struct Revoke {
    pub(super) presented: Presented,
    pub(super) id: AccessTokenId,
}

impl UseCase for Revoke {
    const KIND: Kind = Kind::Revoke;
    const CUT: Cut = Cut::BeforeItStores;
    type Output = Timestamp;

    async fn run(&self, broker: &Broker, draft: &mut Draft) -> Result<Timestamp, Error> {
        let expire_time = in_time(draft.deadline, pin!(self.authorize(broker, draft))).await?;
        if expire_time <= draft.time() || draft.in_force.is_revoked(self.id) {
            return Ok(expire_time);
        }
        draft.change(json!({"accessToken": self.id, "expireTime": expire_time}));
        let seal = Journal::seal(draft.event().clone());
        let appended = broker.store.revoke(self.id, expire_time, seal).await;
        let appended = appended.inspect_err(|error| {
            if matches!(error, store::Error::Unavailable(_)) {
                draft.doubtful();
            }
        })?;
        draft.written();
        let id = self.id;
        broker.cache.forget(move |access_token| access_token.id() == id);
        broker.policies.follow(appended.policy_revision, draft.time()).await;
        Ok(expire_time)
    }
}

impl Revoke {
    /// Makes sure that it is the caller's own; tells when it ends.
    async fn authorize(&self, broker: &Broker, draft: &mut Draft) -> Result<Timestamp, Error> {
        draft.change(json!({"accessToken": self.id}));
        let in_force = draft.in_force();
        let identity = broker.identify_caller(&self.presented, &in_force, draft).await?;
        let given = broker.journal.grant_of(self.id).await?.ok_or(Denial::NotIssued)?;
        Ok(expiry_if_own(&given, &identity).ok_or(Denial::NotIssued)?)
    }
}

/// When the access token ends, if the event gave it to the same caller.
fn expiry_if_own(given: &Event, identity: &Identity) -> Option<Timestamp> {
    let grant = given.grant.as_ref()?;
    let holder = evidence(given)?;
    let same = match (&holder, &identity.evidence()) {
        (
            Evidence::Workload { issuer, subject, .. },
            Evidence::Workload { issuer: own_issuer, subject: own_subject, .. },
        ) => issuer == own_issuer && subject == own_subject,
        (Evidence::Password { token, .. }, Evidence::Password { token: own, .. }) => token == own,
        _ => false,
    };
    same.then_some(grant.expire_time)
}

fn evidence(event: &Event) -> Option<Evidence> {
    Evidence::from_event(event.identity.as_ref()?, event.claims.as_ref())
}
