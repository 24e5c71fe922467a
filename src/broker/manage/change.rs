//! A change: made from the newest definitions, checked like a policy file, stored with its events, in force before the reply.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::MutexGuard;

use super::authority::Authority;
use super::limits;
use super::operator::Operator;
use super::present::Present;
use super::target::Target;
use crate::audit::{Event, Journal, Kind};
use crate::broker::decision::{Cut, Standing, UseCase, in_time};
use crate::broker::draft::Draft;
use crate::broker::{Broker, Call, Error, FieldViolation, Refusal};
use crate::model::{DecisionId, DefinitionChange};
use crate::policy;
use crate::registry::Registries;
use crate::store;

/// How often a change is made again because another process changed the policy in between.
const ATTEMPTS: u32 = 8;

/// Something that an operator can change.
pub trait Edit: Send + Sync + 'static {
    /// What comes back.
    type Output: Send + 'static;

    /// What is changed, and the role that it needs.
    fn target(&self) -> Target<'_>;

    /// The field of the request that a problem of the new definitions is told of.
    fn field(&self) -> &'static str;

    /// All that is asked, for the event of a change that is refused; no secret.
    fn asked(&self) -> Value;

    /// Says what it makes of the present definitions. It may be asked again when they have changed meanwhile.
    fn edit(&self, present: &Present) -> Result<Edited<Self::Output>, Error>;
}

/// What an edit makes.
#[derive(Clone, Debug)]
pub struct Edited<T> {
    /// What becomes of which definition, the one that was named first; none when all is as it was asked for already.
    pub changes: Vec<DefinitionChange>,
    /// What comes back.
    pub output: T,
}

impl Broker {
    /// Makes a change for an operator: when this returns, it is in the audit trail, and decides.
    pub async fn change<E: Edit>(
        self: &Arc<Self>,
        call: Call,
        operator: Operator,
        edit: E,
    ) -> Result<E::Output, Refusal> {
        self.decide(call, Change { operator, edit: Arc::new(edit) }).await
    }

    /// Stores what was prepared; `None` when another process changed the policy in between.
    async fn commit<T>(
        &self,
        prepared: Prepared<T>,
        present: Present,
        draft: &mut Draft,
    ) -> Result<Option<T>, Error> {
        let Present { revision, now, authority, .. } = present;
        if prepared.changes.is_empty() {
            return Ok(Some(prepared.output));
        }
        // only once it is stored is there such a revision
        let event = Event { policy_revision: Some(revision), ..draft.event().clone() };
        let seal = Journal::seal_all(events(&event, prepared.records));
        let changed = self.store.change_definitions(
            revision,
            prepared.changes,
            authority.actor().to_owned(),
            now,
            seal,
        );
        let appended = match changed.await {
            Ok(appended) => appended,
            Err(store::Error::Stale) => return Ok(None),
            Err(error) => {
                if matches!(error, store::Error::Unavailable(_)) {
                    draft.doubtful();
                }
                return Err(error.into());
            }
        };
        draft.written();
        self.policies.follow(appended.policy_revision, now).await;
        Ok(Some(prepared.output))
    }
}

struct Change<E> {
    operator: Operator,
    edit: Arc<E>,
}

impl<E: Edit> UseCase for Change<E> {
    const KIND: Kind = Kind::PolicyChange;
    const STANDING: Standing = Standing::Always;
    const CUT: Cut = Cut::BeforeItStores;
    type Output = E::Output;

    async fn run(&self, broker: &Broker, draft: &mut Draft) -> Result<E::Output, Error> {
        let deadline = draft.deadline;
        let (authority, _turn) = in_time(deadline, pin!(self.begin(broker, draft))).await?;
        for _ in 0..ATTEMPTS {
            let (prepared, present) =
                in_time(deadline, pin!(self.prepare(broker, &authority, draft))).await?;
            if let Some(output) = broker.commit(prepared, present, draft).await? {
                return Ok(output);
            }
        }
        Err(Error::Overloaded { retry_after: Duration::from_secs(1) })
    }
}

impl<E: Edit> Change<E> {
    /// Waits for its turn: changes are made one after the other, in the order in which they came.
    async fn begin<'b>(
        &self,
        broker: &'b Broker,
        draft: &mut Draft,
    ) -> Result<(Authority, MutexGuard<'b, ()>), Error> {
        let target = self.edit.target();
        let authority = broker.authorize(&self.operator, &target, draft).await?;
        draft.change(target.record_with(self.edit.asked(), None));
        Ok((authority, broker.changing.lock().await))
    }

    /// Makes the change of the newest definitions.
    async fn prepare(
        &self,
        broker: &Broker,
        authority: &Authority,
        draft: &mut Draft,
    ) -> Result<(Prepared<E::Output>, Present), Error> {
        let now = broker.clock.now();
        broker.policies.catch_up(now).await?;
        let in_force = broker.policies.in_force();
        if !in_force.is_newest() {
            return Err(unusable());
        }
        draft.event.policy_revision = Some(in_force.revision);
        let present = Present {
            snapshot: Arc::clone(&in_force.snapshot),
            revision: in_force.revision.saturating_add(1),
            now,
            authority: authority.clone(),
        };
        let prepared = prepare(&self.edit, &present, &broker.registries).await;
        let prepared = prepared.inspect_err(|_refused| {
            let target = self.edit.target();
            draft.change(target.record_with(self.edit.asked(), present.before(&target)));
        })?;
        Ok((prepared, present))
    }
}

/// A change that may be stored.
struct Prepared<T> {
    changes: Vec<DefinitionChange>,
    records: Vec<Value>,
    output: T,
}

/// On a blocking thread: a policy file may change very much at once.
async fn prepare<E: Edit>(
    edit: &Arc<E>,
    present: &Present,
    registries: &Registries,
) -> Result<Prepared<E::Output>, Error> {
    let (edit, present, registries) = (Arc::clone(edit), present.clone(), registries.clone());
    let prepared = tokio::task::spawn_blocking(move || {
        let Edited { changes, output } = edit.edit(&present)?;
        limits::check(&changes, &registries)?;
        check(&changes, &present, edit.field())?;
        let record = |change| policy::Change::of(change, &present.snapshot).record(present.actor());
        let records = changes.iter().map(record).collect();
        Ok(Prepared { changes, records, output })
    });
    // the text of a panic could hold what was being worked on
    prepared.await.unwrap_or_else(|_panic| Err(Error::Internal("an edit panicked".to_owned())))
}

/// The same rules as for a policy file: what does not compile is not stored.
fn check(
    changes: &[DefinitionChange],
    present: &Present,
    field: &'static str,
) -> Result<(), Error> {
    let applied = present.snapshot.apply(changes.to_vec(), present.revision);
    applied.map(drop).map_err(|error| {
        let violation = |description| FieldViolation { field: field.to_owned(), description };
        Error::InvalidRequest(error.problems.into_iter().map(violation).collect())
    })
}

/// One event for each definition: that of the decision, and others that name it as their cause.
fn events(decision: &Event, records: Vec<Value>) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::with_capacity(records.len());
    for mut record in records {
        let id = if events.is_empty() {
            decision.id
        } else {
            if let Some(members) = record.as_object_mut() {
                members.insert("cause".to_owned(), decision.id.to_string().into());
            }
            DecisionId::new(decision.time)
        };
        events.push(Event { id, change: Some(record), ..decision.clone() });
    }
    events
}

fn unusable() -> Error {
    Error::Store {
        problem:
            "the stored policy does not compile, so it cannot be changed here: the log says why"
                .to_owned(),
        retry_after: Duration::from_secs(10),
    }
}
