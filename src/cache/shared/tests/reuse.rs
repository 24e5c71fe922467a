//! What other replicas find, and what they never find.

use std::sync::Arc;

use futures_util::FutureExt;
use jiff::SignedDuration;

use super::support::{Got, PATIENT, Raw, Replica, Upstream, Want, key, now, ring};
use crate::cache::shared::Name;
use crate::cache::{Cache, Health, Sharing};

const SHARED: [Sharing; 2] = [Sharing::Values, Sharing::Mints];

#[tokio::test]
async fn what_one_replica_recorded_another_finds_and_so_does_the_next_after_a_restart() {
    let ring = ring();
    for sharing in SHARED {
        let (one, two) = (Replica::up(&ring, PATIENT).await, Replica::up(&ring, PATIENT).await);
        let (key, upstream) = (key(), Upstream::default());
        let want = Want::new(key, &upstream, sharing);
        assert_eq!(one.settle(&want).await, Got { number: 1, reused: false });
        assert_eq!(two.get(&want).await, Ok(Got { number: 1, reused: true }));
        one.close().await;
        two.close().await;
        let restarted = Replica::up(&ring, PATIENT).await;
        assert_eq!(restarted.get(&want).await, Ok(Got { number: 1, reused: true }));
        assert_eq!(upstream.minted(), 1);
    }
}

#[tokio::test]
async fn what_was_minted_just_before_the_end_is_written_before_the_end() {
    let (ring, upstream) = (ring(), Upstream::default());
    let one = Replica::up(&ring, PATIENT).await;
    let want = Want::new(key(), &upstream, Sharing::Values);
    one.get(&want).await.unwrap();
    one.close().await;
    let two = Replica::up(&ring, PATIENT).await;
    assert_eq!(two.get(&want).await, Ok(Got { number: 1, reused: true }));
}

#[tokio::test]
async fn g5_what_is_not_recorded_no_replica_finds_and_nobody_waits_for_it() {
    for sharing in SHARED {
        let (ring, upstream) = (ring(), Upstream::default());
        let (one, two) = (Replica::up(&ring, PATIENT).await, Replica::up(&ring, PATIENT).await);
        let want = Want::new(key(), &upstream, sharing);
        let found = one.get_or_mint(want.key, &want).await.unwrap();
        assert_eq!(found.value.number, 1);
        drop(found.unrecorded.expect("it was minted"));
        one.shared().outbox.drained().await;
        assert_eq!(Raw::to_redis().await.value(&want.key).await, None);
        assert_eq!(two.settle(&want).await, Got { number: 2, reused: false });
        assert_eq!(one.get(&want).await, Ok(Got { number: 2, reused: true }));
    }
}

#[tokio::test]
async fn what_is_local_only_never_reaches_redis() {
    let (ring, upstream) = (ring(), Upstream::default());
    let (one, two) = (Replica::up(&ring, PATIENT).await, Replica::up(&ring, PATIENT).await);
    let want = Want::new(key(), &upstream, Sharing::Nothing);
    assert_eq!(one.settle(&want).await, Got { number: 1, reused: false });
    assert_eq!(one.get(&want).await, Ok(Got { number: 1, reused: true }));
    assert_eq!(two.settle(&want).await, Got { number: 2, reused: false });
    let mut raw = Raw::to_redis().await;
    let name = Name::new(&want.key);
    let keys: Vec<String> = raw
        .run(&[b"KEYS", format!("*{}*", name.value().replace(['[', ']'], "?")).as_bytes()])
        .await;
    assert_eq!(keys, Vec::<String>::new());
}

#[tokio::test]
async fn redis_forgets_a_value_when_it_ends() {
    let (ring, upstream, mut raw) = (ring(), Upstream::default(), Raw::to_redis().await);
    let one = Replica::up(&ring, PATIENT).await;
    for sharing in SHARED {
        let mut want = Want::new(key(), &upstream, sharing);
        want.life = SignedDuration::from_secs(500);
        one.settle(&want).await;
        let left: i64 = raw.run(&[b"PTTL", Name::new(&want.key).value().as_bytes()]).await;
        assert!((400_000..=500_000).contains(&left), "{left}");
        let mut ended = Want::new(key(), &upstream, sharing);
        ended.life = SignedDuration::from_secs(-1);
        one.settle(&ended).await;
        assert_eq!(raw.value(&ended.key).await, None);
    }
}

#[tokio::test]
async fn what_ends_too_soon_or_was_taken_back_is_minted_again_in_its_place() {
    let ring = ring();
    for sharing in SHARED {
        let (one, two) = (Replica::up(&ring, PATIENT).await, Replica::up(&ring, PATIENT).await);
        let upstream = Upstream::default();
        let mut want = Want::new(key(), &upstream, sharing);
        assert_eq!(one.settle(&want).await.number, 1);
        want.until = now() + SignedDuration::from_mins(20);
        want.life = SignedDuration::from_mins(30);
        assert_eq!(two.settle(&want).await, Got { number: 2, reused: false });
        assert_eq!(one.get(&want).await, Ok(Got { number: 2, reused: true }));
        want.revoked = &[2];
        assert_eq!(one.settle(&want).await, Got { number: 3, reused: false });
        assert_eq!(two.get(&want).await, Ok(Got { number: 3, reused: true }));
    }
}

#[tokio::test]
async fn a_hit_in_memory_asks_nobody() {
    let (ring, upstream) = (ring(), Upstream::default());
    let one = Replica::up(&ring, PATIENT).await;
    for sharing in [Sharing::Nothing, Sharing::Values, Sharing::Mints] {
        let want = Want::new(key(), &upstream, sharing);
        let minted = one.settle(&want).await;
        let hit = one.get(&want).now_or_never().expect("a hit waits for nothing").unwrap();
        assert_eq!(hit, Got { reused: true, ..minted });
    }
}

#[tokio::test]
async fn a_cache_in_memory_has_no_redis_whatever_is_shared() {
    let (cache, upstream) = (Cache::in_memory(10), Upstream::default());
    for sharing in SHARED {
        let want = Want::new(key(), &upstream, sharing);
        let first = cache.get(&want).await.unwrap();
        assert!(!first.reused && cache.get(&want).await.unwrap().reused);
    }
    assert_eq!(cache.health(), Health::MemoryOnly);
    assert_eq!(Arc::strong_count(&cache.inner), 1, "what is recorded is let go");
}
