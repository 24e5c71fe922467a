//! Reading: the role first, then the answer. What is allowed leaves no event; what is refused does.

use std::sync::Arc;

use serde_json::Value;

use super::authority::Authority;
use super::operator::Operator;
use super::present::Present;
use super::target::Target;
use crate::audit::Kind;
use crate::broker::decision::{Standing, UseCase};
use crate::broker::draft::Draft;
use crate::broker::policies::InForce;
use crate::broker::{Broker, Call, Error, Refusal};
use crate::policy::Snapshot;
use crate::registry::Registries;
use crate::store::Store;

/// Something that an operator can read.
pub trait Read: Send + Sync + 'static {
    /// What comes back.
    type Output: Send + 'static;

    /// What is read, and the role that it needs.
    fn target(&self) -> Target<'_>;

    /// Reads it.
    fn read(
        &self,
        reading: &Reading<'_>,
    ) -> impl Future<Output = Result<Self::Output, Error>> + Send;
}

/// What there is to read from, and who reads.
#[derive(Debug)]
pub struct Reading<'a> {
    /// Who reads, and what it may see.
    pub authority: &'a Authority,
    pub(in crate::broker) broker: &'a Broker,
    in_force: Arc<InForce>,
}

impl Reading<'_> {
    /// The policy in force.
    pub fn snapshot(&self) -> &Snapshot {
        &self.in_force.snapshot
    }

    /// The time.
    pub fn now(&self) -> jiff::Timestamp {
        self.broker.clock.now()
    }

    /// The same, to be kept.
    pub fn snapshot_shared(&self) -> Arc<Snapshot> {
        Arc::clone(&self.in_force.snapshot)
    }

    /// What an edit would start from.
    pub fn present(&self) -> Present {
        Present {
            snapshot: self.snapshot_shared(),
            revision: self.in_force.revision.saturating_add(1),
            now: self.broker.clock.now(),
            authority: self.authority.clone(),
        }
    }

    /// The registries.
    pub fn registries(&self) -> &Registries {
        &self.broker.registries
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.broker.store
    }
}

impl Broker {
    /// Reads for an operator.
    pub async fn read<R: Read>(
        self: &Arc<Self>,
        call: Call,
        operator: Operator,
        read: R,
    ) -> Result<R::Output, Refusal> {
        self.decide(call, Asked { operator, read }).await
    }

    /// Verifies an operator before all of its request has arrived: that it has the role, and who it is for the next step.
    pub async fn admit_operator<R: Read<Output = ()>>(
        self: &Arc<Self>,
        call: Call,
        operator: Operator,
        read: R,
    ) -> Result<Operator, Refusal> {
        self.decide(call, Admitted(Asked { operator, read })).await
    }
}

struct Asked<R> {
    operator: Operator,
    read: R,
}

impl<R: Read> Asked<R> {
    async fn answer(
        &self,
        broker: &Broker,
        draft: &mut Draft,
    ) -> Result<(Authority, R::Output), Error> {
        let authority = broker.authorize(&self.operator, &self.read.target(), draft).await?;
        let in_force = draft.in_force();
        let reading = Reading { authority: &authority, broker, in_force };
        let output = self.read.read(&reading).await?;
        draft.needs_no_event();
        Ok((authority, output))
    }
}

impl<R: Read> UseCase for Asked<R> {
    const KIND: Kind = Kind::ManagementRead;
    const STANDING: Standing = Standing::Always;
    type Output = R::Output;

    async fn run(&self, broker: &Broker, draft: &mut Draft) -> Result<R::Output, Error> {
        self.answer(broker, draft).await.map(|(_, output)| output)
    }
}

struct Admitted<R>(Asked<R>);

impl<R: Read<Output = ()>> UseCase for Admitted<R> {
    const KIND: Kind = Kind::ManagementRead;
    const STANDING: Standing = Standing::Always;
    type Output = Operator;

    async fn run(&self, broker: &Broker, draft: &mut Draft) -> Result<Operator, Error> {
        let (authority, ()) = self.0.answer(broker, draft).await?;
        Ok(self.0.operator.known(&authority))
    }
}

/// What was asked, as JSON.
pub(super) fn asked(asked: &impl serde::Serialize) -> Value {
    // INVARIANT: what is asked has no keys that are not texts
    serde_json::to_value(asked).unwrap_or_default()
}
