//! A change of the stored policy, made offline: the definitions and their audit events in one transaction.

use super::{Failure, Process};
use crate::audit::{Event, Journal, Kind};
use crate::model::{DecisionId, DefinitionChange, Definitions};
use crate::policy::Change;
use crate::store::Store;

/// Who changes the files: the user of the operating system.
pub(super) fn actor() -> String {
    format!("offline: uid {}", rustix::process::getuid().as_raw())
}

/// Replaces the definitions `before` by `after`, with one event for each definition that differs. Returns what differs.
///
/// # Errors
/// The store does not do its work, or somebody else changed the policy since `before` was read.
pub(super) async fn commit(
    store: &Store,
    before: &Definitions,
    after: Definitions,
    process: &Process,
) -> Result<Vec<Change>, Failure> {
    let changes = Change::between(before, &after);
    if changes.is_empty() {
        return Ok(changes);
    }
    let (now, actor) = (process.clock.now(), actor());
    let events = changes.iter().map(|change| Event {
        change: Some(change.record(&actor)),
        policy_revision: Some(after.revision),
        ..Event::new(DecisionId::new(now), now, Kind::PolicyChange)
    });
    let seal = Journal::seal_all(events.collect());
    let definitions = DefinitionChange::between(before, &after);
    store.change_definitions(after.revision, definitions, actor, now, seal).await?;
    Ok(changes)
}
