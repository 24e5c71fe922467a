//! What clients received is in the trail.

use std::collections::BTreeMap;

use crate::support::{Record, Replicas};

/// Every credential that a client received has its event, as often as it was received, and all chains verify.
pub(super) async fn assert_complete(replicas: &Replicas, record: &Record) {
    let (received, trail) = (record.received(), replicas.trail().await);
    assert!(received.len() > 50, "only {} credentials were received", received.len());
    let lost: BTreeMap<_, _> = received
        .iter()
        .filter(|(credential, times)| trail.get(*credential).is_none_or(|events| events < times))
        .collect();
    assert!(lost.is_empty(), "{} of {} are not in the trail: {lost:?}", lost.len(), received.len());
}
