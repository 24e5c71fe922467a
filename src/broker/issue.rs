//! `IssueAccessToken`: identity, policy, cache, driver; the audit trail is around it (`decision.rs`).

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::decision::UseCase;
use super::draft::{Draft, Given};
use super::minted::{Minted, Wanted};
use super::policies::InForce;
use super::{Broker, Error, Issued};
use crate::audit::Kind;
use crate::cache::{Expires, Found, Order};
use crate::identity::{Identity, Presented};
use crate::model::{AccessRequest, AccessTokenId, Lifetime, RegistryName, Reuse};
use crate::policy::{self, Denial, Permit};
use crate::registry::Registry;
use crate::telemetry::metrics::{self, Source};

#[derive(Debug)]
pub(super) struct Issue {
    pub(super) presented: Presented,
    pub(super) request: AccessRequest,
}

impl UseCase for Issue {
    const KIND: Kind = Kind::Issue;
    type Output = Issued;

    async fn run(&self, broker: &Broker, draft: &mut Draft) -> Result<Issued, Error> {
        draft.request(&self.request);
        let in_force = draft.in_force();
        let identity = broker.identify_caller(&self.presented, &in_force, draft).await?;
        let permit = policy::decide(&in_force.snapshot, &identity, &self.request, draft.time())?;
        in_force.refuse_doubtful(&permit)?;
        let registry = broker.registry(permit.registry())?;
        let issued = broker.mint(registry, &permit, self.request.reuse, &in_force, draft).await?;
        metrics::access_token(if issued.reused { Source::Reused } else { Source::Minted });
        draft.grant(
            &permit,
            issued.access_token.id(),
            Given {
                permissions: issued.access_token.permissions(),
                expire_time: issued.access_token.expire_time(),
                reused: issued.reused,
            },
        );
        Ok(issued)
    }
}

impl Broker {
    /// Verifies the caller of the API, and counts the request as its.
    pub(super) async fn identify_caller(
        &self,
        presented: &Presented,
        in_force: &InForce,
        draft: &mut Draft,
    ) -> Result<Identity, Error> {
        if let Some(identity) = draft.verified.clone() {
            draft.identity(&identity);
            return Ok(identity);
        }
        let identity =
            self.verifiers.verify_caller(presented, in_force.snapshot.passwords()).await?;
        self.admit(identity, draft)
    }

    /// Counts the request of a verified identity; refusals of the limit are counted together, so the draft learns of the identity after.
    pub(super) fn admit(&self, identity: Identity, draft: &mut Draft) -> Result<Identity, Error> {
        self.limits.identity(&identity)?;
        draft.identity(&identity);
        Ok(identity)
    }

    /// The registry of a permit. A caller is not told which registries there are.
    pub(super) fn registry(&self, name: &RegistryName) -> Result<&Registry, Error> {
        let unknown = || Denial::UnknownRegistry { registry: name.clone() };
        Ok(self.registries.get(name).ok_or_else(unknown)?)
    }

    /// Hands out an access token that was minted before, or mints one.
    async fn mint(
        &self,
        registry: &Registry,
        permit: &Permit<'_>,
        reuse: Reuse,
        in_force: &InForce,
        draft: &mut Draft,
    ) -> Result<Issued, Error> {
        let Reuse::WithRemaining(minimum) = reuse else {
            let wanted = self.wanted(registry, permit, Timestamp::MAX, in_force, draft);
            let access_token = Arc::new(wanted.mint().await?);
            draft.minted = Some(Minted::new(&wanted, &access_token, None));
            return Ok(Issued { access_token, reused: false });
        };
        let until = at_least_until(draft.time(), minimum);
        let wanted = self.wanted(registry, permit, until, in_force, draft);
        let found = self.cache.get_or_mint(*permit.reuse_key().as_bytes(), &wanted).await?;
        let Found { value: access_token, unrecorded } = found;
        let reused = unrecorded.is_none();
        if let Some(unrecorded) = unrecorded {
            draft.minted = Some(Minted::new(&wanted, &access_token, Some(unrecorded)));
        }
        Ok(Issued { access_token, reused })
    }

    fn wanted<'a>(
        &'a self,
        registry: &'a Registry,
        permit: &'a Permit<'a>,
        at_least_until: Timestamp,
        in_force: &'a InForce,
        draft: &Draft,
    ) -> Wanted<'a> {
        let (id, tasks) = (AccessTokenId::from(draft.id()), &self.tasks);
        Wanted { registry, permit, id, at_least_until, in_force, tasks }
    }
}

fn at_least_until(now: Timestamp, minimum: Duration) -> Timestamp {
    now.saturating_add(minimum.max(Lifetime::MIN.as_duration())).unwrap_or(Timestamp::MAX)
}
