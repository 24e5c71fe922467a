//! A fault under load: it begins, lasts, ends, and then all has to be as before.

use std::time::Duration;

use tokio::time::Instant;

use crate::support::{Load, Replicas, Row};

/// How many requests have to succeed in a row before and after a fault.
const HEALTHY: usize = 100;

/// Lets a fault last for a time under load, and notes what it did. `begin` and `end` do what their names say.
pub(super) async fn fault(
    what: &str,
    lasts: Duration,
    (replicas, load): (&mut Replicas, &Load),
    begin: impl AsyncFnOnce(&mut Replicas),
    end: impl AsyncFnOnce(&mut Replicas),
) -> Row {
    load.healthy(HEALTHY).await;
    let began = Instant::now();
    begin(replicas).await;
    load.run(lasts).await;
    let over = Instant::now();
    end(replicas).await;
    load.healthy(HEALTHY).await;
    replicas.ready().await;
    let samples = load.record().ended_since(began);
    let failed = samples.iter().filter(|sample| sample.failure.is_some());
    let last = failed.map(|sample| sample.ended).max();
    let row = Row {
        fault: what.to_owned(),
        lasted: over - began,
        recovered_after: Row::recovery(over, last),
        samples,
    };
    row.note();
    row
}
