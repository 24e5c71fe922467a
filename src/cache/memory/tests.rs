use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use jiff::Timestamp;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinSet;

use super::*;

#[derive(Debug)]
struct Ticket {
    number: usize,
    seconds: i64,
}

#[derive(Debug)]
struct Found {
    value: Arc<Ticket>,
    reused: bool,
}

impl Memory<Ticket, &'static str> {
    async fn get_or_mint(
        &self,
        key: [u8; 32],
        until: Timestamp,
        mint: impl Future<Output = Result<Ticket, &'static str>> + Send,
    ) -> Result<Found, &'static str> {
        let make = async { Ok((Arc::new(mint.await?), ())) };
        let usable = |ticket: &Ticket| at(ticket.seconds) >= until;
        let (value, made) = self.get_or_make(key, usable, make).await?;
        Ok(Found { value, reused: made.is_none() })
    }
}

/// A thing that mints tickets, counts them, and fails when it is told to.
#[derive(Default)]
struct Mint(AtomicUsize);

impl Mint {
    async fn ticket(&self, seconds: i64) -> Result<Ticket, &'static str> {
        let number = self.0.fetch_add(1, Ordering::SeqCst) + 1;
        // let the others come to wait
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        Ok(Ticket { number, seconds })
    }

    async fn failure(&self) -> Result<Ticket, &'static str> {
        self.ticket(0).await?;
        Err("no ticket")
    }

    fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

const KEY: [u8; 32] = [1; 32];
const OTHER: [u8; 32] = [2; 32];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_identical_requests_are_one_mint() {
    let (cache, mint) = (Arc::new(Memory::new(10)), Arc::new(Mint::default()));
    let mut callers = JoinSet::new();
    for _ in 0..200 {
        let (cache, mint) = (Arc::clone(&cache), Arc::clone(&mint));
        callers
            .spawn(async move { cache.get_or_mint(KEY, at(60), mint.ticket(900)).await.unwrap() });
    }
    let found = callers.join_all().await;
    assert_eq!(mint.count(), 1);
    let minted_by_caller = found.iter().filter(|found| !found.reused).count();
    assert_eq!(minted_by_caller, 1);
}

#[tokio::test]
async fn g2_another_key_is_another_mint() {
    let (cache, mint) = (Memory::new(10), Mint::default());
    let one = cache.get_or_mint(KEY, at(60), mint.ticket(900)).await.unwrap();
    let two = cache.get_or_mint(OTHER, at(60), mint.ticket(900)).await.unwrap();
    assert!((one.value.number, two.value.number) == (1, 2) && !two.reused);
}

#[tokio::test]
async fn a_failed_mint_reaches_all_who_wait_and_is_not_kept() {
    let (cache, mint) = (Memory::new(10), Mint::default());
    let failed = join_all((0..50).map(|_| cache.get_or_mint(KEY, at(60), mint.failure()))).await;
    assert_eq!(mint.count(), 1);
    assert!(failed.into_iter().all(|failed| failed.unwrap_err() == "no ticket"));
    assert!(!cache.get_or_mint(KEY, at(60), mint.ticket(900)).await.unwrap().reused);
    assert!(cache.get_or_mint(KEY, at(60), mint.failure()).await.unwrap().reused);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_that_ends_too_soon_is_replaced_by_one_mint_for_many() {
    for _ in 0..50 {
        let (cache, mint) = (Arc::new(Memory::new(10)), Arc::new(Mint::default()));
        cache.get_or_mint(KEY, at(60), mint.ticket(100)).await.unwrap();
        let mut callers = JoinSet::new();
        for _ in 0..40 {
            let (cache, mint) = (Arc::clone(&cache), Arc::clone(&mint));
            callers.spawn(async move {
                cache.get_or_mint(KEY, at(101), mint.ticket(900)).await.unwrap().value.number
            });
        }
        let numbers = callers.join_all().await;
        assert!(numbers.into_iter().all(|number| number == 2), "{}", mint.count());
        assert_eq!(mint.count(), 2);
    }
}

#[tokio::test]
async fn an_entry_that_lasts_exactly_long_enough_is_reused() {
    let (cache, mint) = (Memory::new(10), Mint::default());
    cache.get_or_mint(KEY, at(60), mint.ticket(100)).await.unwrap();
    assert!(cache.get_or_mint(KEY, at(100), mint.ticket(100)).await.unwrap().reused);
    let new = cache.get_or_mint(KEY, at(101), mint.ticket(100)).await.unwrap();
    assert!(!new.reused, "what was just minted is given as it is, however short");
}

#[tokio::test]
async fn a_caller_that_goes_away_while_it_mints_leaves_the_mint_to_the_next() {
    let cache = Arc::new(Memory::new(10));
    let started = Arc::new(Notify::new());
    let (_never, held) = oneshot::channel::<Ticket>();
    let mut first = JoinSet::new();
    first.spawn({
        let (cache, started) = (Arc::clone(&cache), Arc::clone(&started));
        async move {
            let stuck = async {
                started.notify_one();
                held.await.map_err(|_| "nobody sends")
            };
            cache.get_or_mint(KEY, at(60), stuck).await.map(|found| found.reused)
        }
    });
    started.notified().await;
    let (cache, mint) = (&cache, &Mint::default());
    let waiters = join_all((0..20).map(|_| cache.get_or_mint(KEY, at(60), mint.ticket(900))));
    let (found, ()) = futures_util::future::join(waiters, async { first.abort_all() }).await;
    assert!(found.into_iter().all(|found| found.unwrap().value.number == 1));
    assert!(first.join_next().await.unwrap().unwrap_err().is_cancelled());
}

#[tokio::test]
async fn what_is_forgotten_is_minted_again_and_the_rest_stays() {
    let (cache, mint) = (Memory::new(10), Mint::default());
    cache.get_or_mint(KEY, at(60), mint.ticket(900)).await.unwrap();
    cache.get_or_mint(OTHER, at(60), mint.ticket(900)).await.unwrap();
    cache.forget(|ticket: &Ticket| ticket.number == 1);
    assert!(!cache.get_or_mint(KEY, at(60), mint.ticket(900)).await.unwrap().reused);
    assert!(cache.get_or_mint(OTHER, at(60), mint.ticket(900)).await.unwrap().reused);
}

#[tokio::test]
async fn the_cache_is_bounded() {
    let (cache, mint) = (Memory::new(10), Mint::default());
    for number in 0..100 {
        cache.get_or_mint([number; 32], at(60), mint.ticket(900)).await.unwrap();
    }
    assert!(cache.entries.len() <= 10);
}

#[tokio::test]
async fn one_entry_is_forgotten_only_when_it_is_the_one_that_is_meant() {
    let (cache, mint) = (Memory::new(10), Mint::default());
    cache.get_or_mint(KEY, at(60), mint.ticket(900)).await.unwrap();
    cache.forget_one(&KEY, |ticket: &Ticket| ticket.number == 2);
    assert!(cache.get_or_mint(KEY, at(60), mint.ticket(900)).await.unwrap().reused);
    cache.forget_one(&KEY, |ticket: &Ticket| ticket.number == 1);
    assert!(!cache.get_or_mint(KEY, at(60), mint.ticket(900)).await.unwrap().reused);
}

#[tokio::test]
async fn a_mint_whose_entry_is_forgotten_meanwhile_is_still_for_all_who_wait() {
    let (cache, mint) = (Memory::new(10), Mint::default());
    let forgetful = async {
        cache.forget(|_: &Ticket| true);
        mint.ticket(900).await
    };
    let first = cache.get_or_mint(KEY, at(60), forgetful);
    let second = cache.get_or_mint(KEY, at(60), mint.ticket(900));
    let (first, second) = futures_util::future::join(first, second).await;
    assert_eq!((first.unwrap().value.number, second.unwrap().value.number), (1, 1));
}
