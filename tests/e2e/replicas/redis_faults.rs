//! Promise 5: whatever happens to Redis, no request fails for that reason.

use std::time::Duration;

use super::fault::fault;
use super::trail::assert_complete;
use crate::support::{Load, Network, Replicas, Row};

/// Long enough for every request to meet it often, and for what waits for Redis to give up.
const LASTS: Duration = Duration::from_millis(2500);

#[tokio::test(flavor = "multi_thread")]
async fn promise_5_no_request_fails_whatever_happens_to_redis() {
    let mut replicas = Replicas::start().await;
    let load = Load::on(&replicas);
    let mut rows = Vec::new();
    for (what, happens) in FAULTS {
        rows.push(happen(what, *happens, &mut replicas, &load).await);
    }
    // it was in use
    let hits = replicas.metric(r#"dockpass_cache_lookups_total{where="redis"}"#).await;
    assert!(hits > 0.0, "nothing was found in Redis");
    let record = load.stop().await;
    let failures = |row: &Row| format!("{}: {:?}", row.fault, row.failures());
    let failed: Vec<String> =
        rows.iter().filter(|row| !row.failures().is_empty()).map(failures).collect();
    assert!(failed.is_empty(), "requests failed: {failed:#?}");
    assert_complete(&replicas, &record).await;
}

/// What happens to Redis.
#[derive(Clone, Copy)]
enum Happens {
    IsKilled,
    StandsStill,
    StartsAgainEmpty,
    HoldsWrongBytes,
    Network(Network),
}

const FAULTS: &[(&str, Happens)] = &[
    ("Redis is killed", Happens::IsKilled),
    ("Redis stands still", Happens::StandsStill),
    ("Redis starts again, empty", Happens::StartsAgainEmpty),
    ("Redis holds wrong bytes", Happens::HoldsWrongBytes),
    ("the network to Redis is cut", Happens::Network(Network::IsCut)),
    ("Redis is 200 ms away", Happens::Network(Network::IsSlow(Duration::from_millis(200)))),
    ("connections to Redis are reset", Happens::Network(Network::Resets)),
];

async fn happen(what: &str, happens: Happens, replicas: &mut Replicas, load: &Load) -> Row {
    let begin = async |replicas: &mut Replicas| match happens {
        Happens::IsKilled => replicas.redis.kill(),
        Happens::StandsStill => replicas.redis.freeze(),
        Happens::StartsAgainEmpty => {
            replicas.redis.kill();
            replicas.redis.run().await;
        }
        Happens::HoldsWrongBytes => {
            replicas.redis.fill_with_wrong_bytes(LASTS).await;
            let alarms = replicas.metric("dockpass_cache_seals_failed_total").await;
            assert!(alarms > 0.0, "no wrong bytes were looked at");
        }
        Happens::Network(network) => replicas.to_redis(network),
    };
    let end = async |replicas: &mut Replicas| {
        // without Redis a replica is as good as with it
        for replica in &replicas.all {
            assert!(replica.is_ready().await, "{what}: a replica is not ready");
        }
        match happens {
            Happens::IsKilled => replicas.redis.run().await,
            Happens::StandsStill => replicas.redis.thaw(),
            Happens::StartsAgainEmpty | Happens::HoldsWrongBytes => {}
            Happens::Network(_) => replicas.to_redis(Network::Works),
        }
    };
    fault(what, LASTS, (replicas, load), begin, end).await
}
