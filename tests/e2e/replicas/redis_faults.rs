//! Promise 5: whatever happens to Redis, no request fails for that reason.

use std::time::Duration;

use super::fault::Fault;
use super::trail::assert_complete;
use crate::support::{Load, Network, Replicas};

/// Long enough for every request to meet it often, and for what waits for Redis to give up.
const LASTS: Duration = Duration::from_millis(1500);

#[tokio::test(flavor = "multi_thread")]
async fn promise_5_no_request_fails_whatever_happens_to_redis() {
    let mut replicas = Replicas::start().await;
    let load = Load::on(&replicas);
    let mut failed = Vec::new();
    for fault in [
        Happens::IsKilled,
        Happens::StandsStill,
        Happens::StartsAgainEmpty,
        Happens::HoldsWrongBytes,
        Happens::Network(Network::IsCut),
        Happens::Network(Network::IsSlow(Duration::from_millis(200))),
        Happens::Network(Network::Resets),
    ] {
        let row = fault.happen(&mut replicas, &load).await;
        if !row.failures().is_empty() {
            failed.push(format!("{}: {:?}", row.fault, row.failures()));
        }
    }
    assert!(failed.is_empty(), "requests failed: {failed:#?}");
    // it was in use
    let hits = replicas.metric(r#"dockpass_cache_lookups_total{where="redis"}"#).await;
    assert!(hits > 0.0, "nothing was found in Redis");
    let record = load.stop().await;
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

impl Fault for Happens {
    fn name(&self) -> String {
        match self {
            Self::IsKilled => "Redis is killed".to_owned(),
            Self::StandsStill => "Redis stands still".to_owned(),
            Self::StartsAgainEmpty => "Redis starts again, empty".to_owned(),
            Self::HoldsWrongBytes => "Redis holds wrong bytes".to_owned(),
            Self::Network(network) => network.fault("Redis"),
        }
    }

    fn lasts(&self) -> Duration {
        LASTS
    }

    async fn begin(&self, replicas: &mut Replicas) {
        match self {
            Self::IsKilled => replicas.redis.kill(),
            Self::StandsStill => replicas.redis.freeze(),
            Self::StartsAgainEmpty => {
                replicas.redis.kill();
                replicas.redis.run().await;
            }
            Self::HoldsWrongBytes => replicas.redis.fill_with_wrong_bytes(LASTS).await,
            Self::Network(network) => replicas.to_redis(*network),
        }
    }

    async fn shows(&self, replicas: &Replicas) {
        // without Redis a replica is as good as with it
        for replica in &replicas.all {
            assert!(replica.is_ready().await, "{}: a replica is not ready", self.name());
        }
        if let Self::HoldsWrongBytes = self {
            let alarms = replicas.metric("dockpass_cache_seals_failed_total").await;
            assert!(alarms > 0.0, "no wrong bytes were looked at");
        }
    }

    async fn end(&self, replicas: &mut Replicas) {
        match self {
            Self::IsKilled => replicas.redis.run().await,
            Self::StandsStill => replicas.redis.thaw(),
            Self::StartsAgainEmpty | Self::HoldsWrongBytes => {}
            Self::Network(_) => replicas.to_redis(Network::Works),
        }
    }
}
