//! Promises 3 and 6: without PostgreSQL nothing is handed out, with a hint when to come back; all recovers by itself, and no accepted change is lost.

use std::collections::BTreeSet;
use std::time::Duration;

use super::fault::fault;
use super::trail::assert_complete;
use crate::support::{Changes, Load, Network, Postgres, Replicas, Row, eventually};

/// Long enough for every request to meet it.
const LASTS: Duration = Duration::from_millis(2500);
/// All has to go on so soon after the end of a fault: a few pauses between attempts.
const RECOVERY: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_without_postgresql_nothing_is_handed_out_and_nothing_accepted_is_lost() {
    let faults = [
        ("PostgreSQL is killed", Happens::IsKilled),
        ("PostgreSQL stands still", Happens::StandsStill),
        ("PostgreSQL starts again", Happens::StartsAgain),
        ("the network to PostgreSQL is cut", Happens::Network(Network::IsCut)),
        ("connections to PostgreSQL are reset", Happens::Network(Network::Resets)),
        ("PostgreSQL is 50 ms away", Happens::Network(Network::IsSlow(Duration::from_millis(50)))),
    ];
    let mut replicas = Replicas::start().await;
    let rows = all_happen(&faults, &mut replicas).await;
    let slow = rows.last().unwrap();
    assert!(slow.failures().is_empty(), "{:?}", slow.failures());
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_on_a_small_disk_that_is_full_nothing_is_handed_out_and_nothing_accepted_is_lost()
{
    let mut replicas = Replicas::on(Postgres::on_a_small_disk().await).await;
    let rows =
        all_happen(&[("PostgreSQL's disk is full", Happens::DiskIsFull)], &mut replicas).await;
    assert!(!rows[0].failures().is_empty(), "the disk was not full");
}

/// What happens to PostgreSQL.
#[derive(Clone, Copy, PartialEq)]
enum Happens {
    IsKilled,
    StandsStill,
    StartsAgain,
    DiskIsFull,
    Network(Network),
}

impl Happens {
    /// Whether a replica can tell that nothing can be recorded.
    fn ends_readiness(self) -> bool {
        !matches!(self, Self::StartsAgain | Self::Network(Network::IsSlow(_)))
    }
}

/// Lets one after the other happen, under load and while the policy is changed, and holds each to the promises.
async fn all_happen(faults: &[(&str, Happens)], replicas: &mut Replicas) -> Vec<Row> {
    let (load, changes) = (Load::on(replicas), Changes::on(replicas));
    let mut rows = Vec::new();
    for (what, happens) in faults {
        rows.push(happen(what, *happens, replicas, &load).await);
    }
    let (record, accepted) = (load.stop().await, changes.stop().await);
    for row in &rows {
        assert_failed_closed(row);
        assert!(row.recovered_after < RECOVERY, "{}: {:?}", row.fault, row.recovered_after);
    }
    assert_complete(replicas, &record).await;
    assert_kept(replicas, &accepted).await;
    rows
}

async fn happen(what: &str, happens: Happens, replicas: &mut Replicas, load: &Load) -> Row {
    let begin = async |replicas: &mut Replicas| match happens {
        Happens::IsKilled => replicas.postgres.kill(),
        Happens::StandsStill => replicas.postgres.freeze(),
        Happens::StartsAgain => replicas.postgres.restart().await,
        Happens::DiskIsFull => replicas.postgres.disk().fill(),
        Happens::Network(network) => replicas.to_postgres(network),
    };
    let end = async |replicas: &mut Replicas| {
        if happens.ends_readiness() {
            for replica in &replicas.all {
                let unready = async || (!replica.is_ready().await).then_some(());
                eventually("the end of readiness", unready).await;
            }
        }
        match happens {
            Happens::IsKilled => replicas.postgres.run().await,
            Happens::StandsStill => replicas.postgres.thaw(),
            Happens::StartsAgain => {}
            Happens::DiskIsFull => {
                replicas.postgres.disk().make_room();
                // without room for its own journal it gives up
                replicas.postgres.run_if_it_ended().await;
            }
            Happens::Network(_) => replicas.to_postgres(Network::Works),
        }
    };
    fault(what, LASTS, (replicas, load), begin, end).await
}

/// Whatever failed was told so in the words for it, and when to come back.
fn assert_failed_closed(row: &Row) {
    for failure in row.samples.iter().filter_map(|sample| sample.failure.as_ref()) {
        let reasons = ["AUDIT_UNAVAILABLE", "STORE_UNAVAILABLE"];
        assert!(reasons.contains(&failure.reason.as_str()), "{}: {failure:?}", row.fault);
        assert!(failure.retry_after.is_some(), "{}: {failure:?}", row.fault);
    }
}

/// Every replica has every change that was accepted.
async fn assert_kept(replicas: &Replicas, accepted: &BTreeSet<String>) {
    assert!(accepted.len() > 3, "only {} changes were accepted", accepted.len());
    for number in 0..replicas.all.len() {
        let mut operator = replicas.operator(number).await;
        eventually("every accepted change at every replica", async || {
            accepted.is_subset(&operator.names().await).then_some(())
        })
        .await;
    }
}
