//! Promises 3 and 6: without PostgreSQL nothing is handed out, with a hint when to come back; all recovers by itself, and no accepted change is lost.

use std::collections::BTreeSet;
use std::time::Duration;

use super::fault::Fault;
use super::trail::assert_complete;
use crate::support::{Changes, Load, Network, Postgres, Replicas, Row, eventually};

/// All has to go on so soon after the end of a fault: a few pauses between attempts.
const RECOVERY: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_without_postgresql_nothing_is_handed_out_and_nothing_accepted_is_lost() {
    let faults = [
        Happens::IsKilled,
        Happens::StandsStill,
        Happens::StartsAgain,
        Happens::Network(Network::IsCut),
        Happens::Network(Network::Resets),
        Happens::Network(Network::IsSlow(Duration::from_millis(50))),
    ];
    let mut replicas = Replicas::start().await;
    let rows = all_happen(&faults, &mut replicas).await;
    for felt in &rows[..2] {
        assert!(!felt.failures().is_empty(), "{}: nobody noticed", felt.fault);
    }
    let slow = rows.last().unwrap();
    assert!(slow.failures().is_empty(), "{}: {:?}", slow.fault, slow.failures());
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_6_on_a_small_disk_that_is_full_nothing_is_handed_out_and_nothing_accepted_is_lost()
{
    let mut replicas = Replicas::on(Postgres::on_a_small_disk().await).await;
    let rows = all_happen(&[Happens::DiskIsFull], &mut replicas).await;
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
    const fn ends_readiness(self) -> bool {
        !matches!(self, Self::StartsAgain | Self::Network(Network::IsSlow(_)))
    }
}

impl Fault for Happens {
    fn name(&self) -> String {
        match self {
            Self::IsKilled => "PostgreSQL is killed".to_owned(),
            Self::StandsStill => "PostgreSQL stands still".to_owned(),
            Self::StartsAgain => "PostgreSQL starts again".to_owned(),
            Self::DiskIsFull => "PostgreSQL's disk is full".to_owned(),
            Self::Network(network) => network.fault("PostgreSQL"),
        }
    }

    /// Long enough for every request to meet it; what stands still, until those who wait for it have given up.
    fn lasts(&self) -> Duration {
        Duration::from_millis(if *self == Self::StandsStill { 7000 } else { 2000 })
    }

    async fn begin(&self, replicas: &mut Replicas) {
        match self {
            Self::IsKilled => replicas.postgres.kill(),
            Self::StandsStill => replicas.postgres.freeze(),
            Self::StartsAgain => replicas.postgres.restart().await,
            Self::DiskIsFull => replicas.postgres.disk().fill(),
            Self::Network(network) => replicas.to_postgres(*network),
        }
    }

    async fn shows(&self, replicas: &Replicas) {
        if !self.ends_readiness() {
            return;
        }
        for replica in &replicas.all {
            let unready = async || (!replica.is_ready().await).then_some(());
            eventually("the end of readiness", unready).await;
        }
    }

    async fn end(&self, replicas: &mut Replicas) {
        match self {
            Self::IsKilled => replicas.postgres.run().await,
            Self::StandsStill => replicas.postgres.thaw(),
            Self::StartsAgain => {}
            Self::DiskIsFull => {
                replicas.postgres.disk().make_room();
                // without room for its own journal it gives up
                replicas.postgres.run_if_it_ended().await;
            }
            Self::Network(_) => replicas.to_postgres(Network::Works),
        }
    }
}

/// Lets one after the other happen, under load and while the policy is changed, and holds each to the promises.
async fn all_happen(faults: &[Happens], replicas: &mut Replicas) -> Vec<Row> {
    let (load, changes) = (Load::on(replicas), Changes::on(replicas));
    let mut rows = Vec::new();
    for fault in faults {
        rows.push(fault.happen(replicas, &load).await);
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
