//! Promise 1 with replicas: they are killed, one after the other, and what any client received is in the trail.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior};

use super::trail::assert_complete;
use crate::support::{Load, Replicas, Row};

/// A replica is killed this often.
const EVERY: Duration = Duration::from_secs(1);
const KILLS: usize = 30;

#[tokio::test(flavor = "multi_thread")]
async fn promise_1_a_replica_killed_every_second_loses_no_event() {
    let mut replicas = Replicas::start().await;
    let load = Load::on(&replicas);
    load.healthy(100).await;
    let began = Instant::now();
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for _ in 0..KILLS {
        ticks.tick().await;
        let mut random = [0];
        aws_lc_rs::rand::fill(&mut random).unwrap();
        let number = usize::from(random[0]) % replicas.all.len();
        let broker = &mut replicas.all[number].broker;
        broker.kill();
        // it starts beside the load, and may be killed before it is up
        broker.start();
    }
    let over = Instant::now();
    load.healthy(100).await;
    replicas.ready().await;
    let fault = format!("a replica is killed, {KILLS} times");
    let row = Row::of(fault, (began, over), load.record().ended_since(began));
    row.note();
    // who is answered at all is answered rightly: what failed was cut off twice
    assert!(
        row.failures().keys().all(|reason| *reason == "CONNECTION_LOST"),
        "{:?}",
        row.failures()
    );
    let record = load.stop().await;
    assert_complete(&replicas, &record).await;
}
