//! Promise 7: a rolling restart fails no request.

use tokio::time::Instant;

use crate::support::{Load, Replicas};

#[tokio::test(flavor = "multi_thread")]
async fn promise_7_a_rolling_restart_fails_no_request() {
    let mut replicas = Replicas::start().await;
    let (load, began) = (Load::on(&replicas), Instant::now());
    load.more(100).await;
    for number in 0..replicas.all.len() {
        replicas.all[number].broker.stop().await;
        load.more(100).await;
        replicas.all[number].broker.serve().await;
        replicas.ready().await;
        load.more(100).await;
    }
    let record = load.stop().await;
    let samples = record.since(began);
    let failed: Vec<_> = samples.iter().filter_map(|sample| sample.failure.as_ref()).collect();
    assert!(failed.is_empty(), "{} of {} failed: {failed:#?}", failed.len(), samples.len());
    replicas.trail().await;
}
