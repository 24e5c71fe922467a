//! One mint for all replicas, also when they die, freeze or lose their lock.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::support::{Got, NoTicket, PATIENT, Raw, Replica, Upstream, Want, eventually, key, ring};
use crate::cache::Sharing;
use crate::cache::shared::envelope::Stamp;
use crate::cache::shared::script::{self, Claim};
use crate::cache::shared::{Name, Timing};

async fn lock_of(raw: &mut Raw, key: &[u8; 32]) -> Option<String> {
    raw.run(&[b"GET", Name::new(key).lock().as_bytes()]).await
}

async fn end_lease(raw: &mut Raw, key: &[u8; 32]) {
    raw.run::<()>(&[b"DEL", Name::new(key).lock().as_bytes()]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn six_hundred_identical_requests_to_three_replicas_are_one_mint() {
    let (ring, key, upstream) = (ring(), key(), Arc::new(Upstream::slow()));
    let replicas = join_all((0..3).map(|_| Replica::up(&ring, PATIENT))).await;
    let asked = Arc::new(tokio::sync::Barrier::new(601));
    let mut callers = JoinSet::new();
    for replica in replicas.into_iter().map(Arc::new) {
        for _ in 0..200 {
            let (replica, upstream, asked) =
                (Arc::clone(&replica), Arc::clone(&upstream), Arc::clone(&asked));
            callers.spawn(async move {
                asked.wait().await;
                replica.get(&Want::new(key, &upstream, Sharing::Mints)).await.unwrap()
            });
        }
    }
    asked.wait().await;
    upstream.minting(1).await;
    upstream.ends.send_replace(u64::MAX);
    let got = callers.join_all().await;
    assert_eq!(upstream.minted(), 1);
    assert!(got.iter().all(|got| got.number == 1));
    assert_eq!(got.iter().filter(|got| !got.reused).count(), 1);
}

#[tokio::test]
async fn a_replica_that_dies_holding_the_lock_delays_the_others_by_the_lease_at_most() {
    let timing = Timing { lease: Duration::from_millis(500), ..PATIENT };
    let (ring, upstream) = (ring(), Upstream::default());
    let (dead, other) = (Replica::up(&ring, timing).await, Replica::up(&ring, timing).await);
    let want = Want::new(key(), &upstream, Sharing::Mints);
    let (name, by) = (Name::new(&want.key), Instant::now() + PATIENT.budget);
    let link = &dead.shared().link;
    let claim = script::claim(link, &name, &Stamp::default(), None, timing.lease, by).await;
    assert!(matches!(claim, Ok(Claim::Taken(_))), "{claim:?}");
    let died = Instant::now();
    assert_eq!(other.get(&want).await, Ok(Got { number: 1, reused: false }));
    // the pauses between two looks are at most 5 ms; the rest is what a busy machine takes
    assert!(died.elapsed() < timing.lease + Duration::from_millis(400), "{:?}", died.elapsed());
}

#[tokio::test]
async fn a_replica_that_fails_to_mint_or_gives_up_leaves_it_to_the_next_at_once() {
    let (ring, upstream, key) = (ring(), Upstream::slow(), key());
    let (one, two) = (Replica::up(&ring, PATIENT).await, Replica::up(&ring, PATIENT).await);
    let want = Want::new(key, &upstream, Sharing::Mints);
    upstream.fails.store(1, Ordering::SeqCst);
    let begun = Instant::now();
    let second = async {
        upstream.minting(1).await;
        upstream.ends.send_replace(1);
        two.get(&want).await
    };
    let third = async {
        // the second mint hangs, and who waits for it goes away
        upstream.minting(2).await;
    };
    let (failed, ()) = tokio::join!(one.get(&want), async {
        tokio::select! { _ = second => panic!("it hangs"), () = third => {} }
    });
    assert_eq!(failed, Err(NoTicket));
    upstream.ends.send_replace(u64::MAX);
    assert_eq!(one.get(&want).await, Ok(Got { number: 3, reused: false }));
    assert!(begun.elapsed() < PATIENT.lease, "nobody waited for a lease to end");
}

#[tokio::test]
async fn a_holder_that_lost_its_lock_gives_out_the_winners_and_takes_its_own_back() {
    let (ring, upstream, mut raw) = (ring(), Upstream::slow(), Raw::to_redis().await);
    let (loser, winner) = (Replica::up(&ring, PATIENT).await, Replica::up(&ring, PATIENT).await);
    let want = Want::new(key(), &upstream, Sharing::Mints);
    let losing = async { loser.get(&want).await };
    let winning = async {
        upstream.minting(1).await;
        end_lease(&mut raw, &want.key).await;
        winner.get(&want).await
    };
    let order = async {
        // the loser's mint ends first, and it waits for the winner's
        upstream.minting(2).await;
        upstream.ends.send_replace(1);
        eventually(async || upstream.ends.receiver_count() == 1).await;
        upstream.ends.send_replace(2);
    };
    let (lost, won, ()) = tokio::join!(losing, winning, order);
    assert_eq!(won, Ok(Got { number: 2, reused: false }));
    assert_eq!(lost, Ok(Got { number: 2, reused: true }));
    assert_eq!(*upstream.withdrawn.lock(), [1].into());
    assert_eq!(loser.get(&want).await, Ok(Got { number: 2, reused: true }));
}

#[tokio::test]
async fn a_holder_whose_winner_dies_gives_out_its_own() {
    let (ring, upstream, mut raw) = (ring(), Upstream::slow(), Raw::to_redis().await);
    let (one, dead) = (Replica::up(&ring, PATIENT).await, Replica::up(&ring, PATIENT).await);
    let want = Want::new(key(), &upstream, Sharing::Mints);
    let name = Name::new(&want.key);
    let dying = async {
        upstream.minting(1).await;
        end_lease(&mut raw, &want.key).await;
        let (link, by) = (&dead.shared().link, Instant::now() + PATIENT.budget);
        let claim = script::claim(link, &name, &Stamp::default(), None, PATIENT.lease, by).await;
        assert!(matches!(claim, Ok(Claim::Taken(_))), "{claim:?}");
        upstream.ends.send_replace(1);
        eventually(async || upstream.ends.receiver_count() == 0).await;
        end_lease(&mut raw, &want.key).await;
    };
    let (got, ()) = tokio::join!(one.settle(&want), dying);
    assert_eq!(got, Got { number: 1, reused: false });
    assert!(upstream.withdrawn.lock().is_empty() && upstream.minted() == 1);
    assert_eq!(dead.get(&want).await, Ok(Got { number: 1, reused: true }));
}

#[tokio::test]
async fn a_loser_that_goes_away_takes_its_own_back() {
    let (ring, upstream, mut raw) = (ring(), Upstream::slow(), Raw::to_redis().await);
    let (loser, winner) = (Replica::up(&ring, PATIENT).await, Replica::up(&ring, PATIENT).await);
    let want = Want::new(key(), &upstream, Sharing::Mints);
    let watching = async {
        upstream.minting(1).await;
        end_lease(&mut raw, &want.key).await;
        let lost = async {
            upstream.minting(2).await;
            upstream.ends.send_replace(1);
            eventually(async || upstream.ends.receiver_count() == 1).await;
        };
        tokio::select! { _ = winner.get(&want) => panic!("it may not end"), () = lost => {} }
    };
    tokio::select! { _ = loser.get(&want) => panic!("it waits for the winner"), () = watching => {} }
    assert_eq!(*upstream.withdrawn.lock(), [1].into());
}

#[tokio::test]
async fn a_mint_that_takes_longer_than_the_lease_keeps_the_lock() {
    let timing =
        Timing { lease: Duration::from_millis(400), renewal: Duration::from_millis(50), ..PATIENT };
    let (ring, upstream, mut raw) = (ring(), Upstream::slow(), Raw::to_redis().await);
    let (one, two) = (Replica::up(&ring, timing).await, Replica::up(&ring, timing).await);
    let want = Want::new(key(), &upstream, Sharing::Mints);
    let slow = async {
        upstream.minting(1).await;
        let (begun, holder) = (Instant::now(), lock_of(&mut raw, &want.key).await);
        assert!(holder.is_some());
        eventually(async || begun.elapsed() > timing.lease * 3).await;
        assert_eq!(lock_of(&mut raw, &want.key).await, holder);
        upstream.ends.send_replace(1);
    };
    let second = async {
        upstream.minting(1).await;
        two.get(&want).await
    };
    let (first, second, ()) = tokio::join!(one.get(&want), second, slow);
    assert_eq!(first, Ok(Got { number: 1, reused: false }));
    assert_eq!(second, Ok(Got { number: 1, reused: true }));
    one.shared().outbox.drained().await;
    assert_eq!(lock_of(&mut raw, &want.key).await, None, "it was given back");
}
