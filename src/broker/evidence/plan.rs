//! Who used lately what a policy file would take away.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::lost::Changed;
use super::tally::PermissionUse;
use super::uses::{MAX_EVENTS, back};
use crate::broker::Error;
use crate::broker::manage::{Difference, Reading};
use crate::model::{RegistryName, ScopeMap, Token};
use crate::policy::Snapshot;

/// How many events are looked at for a whole file; of what is beyond, nothing is told.
const MAX_EVENTS_OF_FILE: u32 = 2 * MAX_EVENTS;

/// The uses of what one change would take away.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct LostUses {
    /// How often.
    pub count: u64,
    /// When last.
    pub last: Option<Timestamp>,
}

impl Reading<'_> {
    /// For each difference the uses, in a window that ends now, of what it would take away; absent = the trail was too long to look.
    pub(in crate::broker) async fn uses_lost_by(
        &self,
        differences: &[Difference],
        candidate: Arc<Snapshot>,
        window: Duration,
    ) -> Result<Vec<Option<LostUses>>, Error> {
        let present = self.snapshot_shared();
        let changed: Vec<Option<Changed>> =
            differences.iter().map(|own| changed(own, &present, &candidate)).collect();
        let since = back(self.now(), window);
        self.archive(move |archive| {
            let mut budget = MAX_EVENTS_OF_FILE;
            let lost = changed.into_iter().map(|changed| {
                let Some(changed) = changed else { return Ok(Some(LostUses::default())) };
                if budget == 0 {
                    return Ok(None);
                }
                let (uses, looked_at) = changed.uses(archive, since, budget.min(MAX_EVENTS))?;
                budget = budget.saturating_sub(looked_at);
                Ok(Some(sum(&uses.uses)))
            });
            lost.collect()
        })
        .await
    }
}

fn sum(uses: &[PermissionUse]) -> LostUses {
    LostUses {
        count: uses.iter().map(|one| one.count).sum(),
        last: uses.iter().map(|one| one.last_time).max(),
    }
}

/// The definition before and after; `None` when nothing is taken away, since it is new.
fn changed(difference: &Difference, present: &Snapshot, candidate: &Snapshot) -> Option<Changed> {
    let registry: RegistryName = difference.registry.parse().ok()?;
    let name = difference.name.as_str();
    let map = |snapshot: &Snapshot, name: &str| -> Option<Box<ScopeMap>> {
        snapshot.scope_map(&registry, name).cloned().map(Box::new)
    };
    let token = |snapshot: &Snapshot| -> Option<Box<Token>> {
        snapshot.token_named(&registry, name).cloned().map(Box::new)
    };
    if difference.kind == "scope_map" {
        return Some(Changed::ScopeMap(map(present, name)?, map(candidate, name)));
    }
    let after = token(candidate).map(|after| {
        let bound = map(candidate, after.scope_map.as_str());
        (after, bound)
    });
    Some(Changed::Token(token(present)?, after))
}
