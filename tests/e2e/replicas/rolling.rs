//! Promise 7: a rolling restart fails no request.

use tokio::time::Instant;

use crate::support::{Load, Replicas, Row};

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
    let over = Instant::now();
    let record = load.stop().await;
    let row = Row::of("all restart, one by one".to_owned(), (began, over), record.since(began));
    row.note();
    assert!(row.failures().is_empty(), "{:?}", row.failures());
    replicas.verify().await;
}
