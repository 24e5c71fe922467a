//! The lock and its fence, whatever stands under their keys.

use std::time::Duration;

use tokio::time::Instant;

use super::support::{Got, PATIENT, Raw, Replica, Upstream, Want, key, ring};
use crate::cache::Sharing;
use crate::cache::shared::Name;
use crate::cache::shared::envelope::{Fence, Stamp};
use crate::cache::shared::link::Link;
use crate::cache::shared::script::{self, Claim};

const LEASE: Duration = Duration::from_secs(20);

async fn claim(link: &Link, name: &Name, own: Option<&Fence>) -> Claim {
    let by = Instant::now() + PATIENT.budget;
    script::claim(link, name, &Stamp::default(), own, LEASE, by).await.unwrap()
}

async fn fence(link: &Link, name: &Name, own: Option<&Fence>) -> Fence {
    match claim(link, name, own).await {
        Claim::Taken(fence) => fence,
        other => panic!("{other:?}"),
    }
}

async fn commit(link: &Link, name: &Name, fence: &Fence, bytes: &[u8]) {
    let (life, by) = (Duration::from_mins(1), Instant::now() + PATIENT.budget);
    script::commit(link, name, fence, bytes, life, by).await.unwrap();
}

fn stamped(fence: &Fence, rest: &str) -> Vec<u8> {
    [fence.as_str(), rest].concat().into_bytes()
}

#[tokio::test]
async fn one_at_a_time_has_the_lock_and_the_next_has_a_greater_fence() {
    let replica = Replica::up(&ring(), PATIENT).await;
    let (link, name, mut raw) = (&replica.shared().link, Name::new(&key()), Raw::to_redis().await);
    let first = fence(link, &name, None).await;
    assert!(matches!(claim(link, &name, None).await, Claim::Held(left) if left <= LEASE));
    assert_eq!(fence(link, &name, Some(&first)).await, first, "the holder keeps it");
    raw.run::<()>(&[b"DEL", name.lock().as_bytes()]).await;
    let second = fence(link, &name, Some(&first)).await;
    assert!(second.as_str() > first.as_str());
    // Redis lost everything
    raw.run::<()>(&[b"DEL", name.lock().as_bytes(), name.fence().as_bytes()]).await;
    let third = fence(link, &name, None).await;
    assert!(third.as_str() > second.as_str());
    let by = Instant::now() + PATIENT.budget;
    script::release(link, &name, &second, by).await.unwrap();
    assert!(matches!(claim(link, &name, None).await, Claim::Held(_)), "it is not the second's");
    script::release(link, &name, &third, by).await.unwrap();
    assert!(fence(link, &name, None).await.as_str() > third.as_str());
}

#[tokio::test]
async fn what_a_later_holder_wrote_an_earlier_one_does_not_replace() {
    let replica = Replica::up(&ring(), PATIENT).await;
    let (link, key, mut raw) = (&replica.shared().link, key(), Raw::to_redis().await);
    let name = Name::new(&key);
    let first = fence(link, &name, None).await;
    raw.run::<()>(&[b"DEL", name.lock().as_bytes()]).await;
    let second = fence(link, &name, None).await;
    // the earlier one is first: its value is found by the later one, which will not need its own
    commit(link, &name, &first, &stamped(&first, "one")).await;
    assert!(matches!(claim(link, &name, Some(&second)).await, Claim::Value(_)));
    commit(link, &name, &second, &stamped(&second, "two")).await;
    commit(link, &name, &first, &stamped(&first, "late")).await;
    assert_eq!(raw.value(&key).await, Some(stamped(&second, "two")));
    let lock: Option<String> = raw.run(&[b"GET", name.lock().as_bytes()]).await;
    assert_eq!(lock, None, "a commit gives the lock back");
}

#[tokio::test]
async fn a_value_that_was_seen_does_not_keep_from_the_lock_and_a_new_one_does() {
    let replica = Replica::up(&ring(), PATIENT).await;
    let (link, key, mut raw) = (&replica.shared().link, key(), Raw::to_redis().await);
    let (name, by) = (Name::new(&key), Instant::now() + PATIENT.budget);
    let (old, new) = (vec![b'a'; 100], vec![b'b'; 100]);
    raw.put(&key, &old).await;
    assert!(matches!(claim(link, &name, None).await, Claim::Value(bytes) if bytes == old));
    let seen = Stamp::of(&old);
    raw.put(&key, &new).await;
    let claimed = script::claim(link, &name, &seen, None, LEASE, by).await;
    assert!(matches!(claimed, Ok(Claim::Value(bytes)) if bytes == new));
    raw.put(&key, &old).await;
    let claimed = script::claim(link, &name, &seen, None, LEASE, by).await;
    assert!(matches!(claimed, Ok(Claim::Taken(_))));
}

#[tokio::test]
async fn promise_5_rubbish_in_place_of_a_lock_or_a_fence_delays_nobody() {
    let (ring, upstream, mut raw) = (ring(), Upstream::default(), Raw::to_redis().await);
    let (one, two) = (Replica::up(&ring, PATIENT).await, Replica::up(&ring, PATIENT).await);
    let begun = Instant::now();
    let rubbish: [&[&[u8]]; 8] = [
        &[b"SET", b"KEY", b""],
        &[b"SET", b"KEY", b"rubbish"],
        &[b"SET", b"KEY", b"1763800000000000"],
        &[b"SET", b"KEY", b"9223372036854775807"],
        &[b"SET", b"KEY", b"9999999999999999"],
        &[b"SET", b"KEY", b"rubbish", b"EX", b"3600"],
        &[b"RPUSH", b"KEY", b"rubbish"],
        &[b"HSET", b"KEY", b"rubbish", b"rubbish"],
    ];
    for command in rubbish {
        let want = Want::new(key(), &upstream, Sharing::Mints);
        let name = Name::new(&want.key);
        for key in [name.lock(), name.fence()] {
            let mut command = command.to_vec();
            command[1] = key.as_bytes();
            raw.run::<redis::Value>(&command).await;
        }
        let got = one.settle(&want).await;
        assert!(!got.reused);
        assert_eq!(two.settle(&want).await, Got { reused: true, ..got }, "{command:?}");
    }
    assert!(begun.elapsed() < LEASE, "nobody waited for what was no lock");
}
