//! Replicas, a fake upstream that counts, and a proxy before Redis that can be stopped.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use redis::Cmd;
use redis::aio::MultiplexedConnection;
use tokio::sync::watch;
use zeroize::Zeroizing;

use crate::cache::shared::{Name, Shared, Target, Timing};
use crate::cache::url::{Place, Url};
use crate::cache::{Cache, Expires, Health, Opened, Order, Shareable, Sharing};
use crate::model::ManualClock;
use crate::seal::KeyRing;

pub(super) type Replica = Cache<Ticket, NoTicket>;

/// As patient as a busy machine needs it; what is about time sets its own.
pub(super) const PATIENT: Timing = Timing {
    budget: Duration::from_secs(10),
    connect: Duration::from_secs(10),
    probe: Duration::from_millis(50),
    pause: (Duration::from_millis(5), Duration::from_millis(20)),
    write: Duration::from_secs(10),
    lease: Duration::from_secs(20),
    renewal: Duration::from_secs(5),
    poll: (Duration::from_millis(1), Duration::from_millis(5)),
    closing: Duration::from_secs(10),
};

/// A value that says which key it is for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Ticket {
    pub(super) key: [u8; 32],
    pub(super) number: u64,
    pub(super) end: Timestamp,
}

impl Expires for Ticket {
    fn issue_time(&self) -> Timestamp {
        now()
    }

    fn expire_time(&self) -> Timestamp {
        self.end
    }
}

impl Shareable for Ticket {
    const FORM: &'static str = "ticket 1";

    fn to_bytes(&self) -> Option<Zeroizing<Vec<u8>>> {
        let wire = (self.key, self.number, self.end.as_second());
        postcard::to_stdvec(&wire).ok().map(Zeroizing::new)
    }

    fn from_bytes(opened: &Opened) -> Option<Self> {
        let (key, number, end) = postcard::from_bytes(opened.as_bytes()).ok()?;
        Some(Self { key, number, end: Timestamp::from_second(end).ok()? })
    }
}

/// The upstream gave none.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct NoTicket;

/// Mints for all replicas, when it is let.
#[derive(Debug)]
pub(super) struct Upstream {
    pub(super) begun: watch::Sender<u64>,
    /// The mints up to this number may end.
    pub(super) ends: watch::Sender<u64>,
    pub(super) withdrawn: Mutex<BTreeSet<u64>>,
    pub(super) fails: AtomicU64,
}

impl Default for Upstream {
    fn default() -> Self {
        Self {
            begun: watch::Sender::new(0),
            ends: watch::Sender::new(u64::MAX),
            withdrawn: Mutex::default(),
            fails: AtomicU64::new(0),
        }
    }
}

impl Upstream {
    /// One whose mints end when they are let.
    pub(super) fn slow() -> Self {
        Self { ends: watch::Sender::new(0), ..Self::default() }
    }

    /// How many mints began.
    pub(super) fn minted(&self) -> u64 {
        *self.begun.borrow()
    }

    /// Waits until so many mints began.
    pub(super) async fn minting(&self, number: u64) {
        self.begun.subscribe().wait_for(|begun| *begun >= number).await.unwrap();
    }
}

/// A ticket for a key, of an upstream.
pub(super) struct Want<'a> {
    pub(super) key: [u8; 32],
    pub(super) upstream: &'a Upstream,
    pub(super) sharing: Sharing,
    /// What it mints lasts so long.
    pub(super) life: SignedDuration,
    /// It takes nothing that ends before.
    pub(super) until: Timestamp,
    /// It takes none of these.
    pub(super) revoked: &'a [u64],
}

impl<'a> Want<'a> {
    pub(super) fn new(key: [u8; 32], upstream: &'a Upstream, sharing: Sharing) -> Self {
        let life = SignedDuration::from_mins(15);
        Self { key, upstream, sharing, life, until: now(), revoked: &[] }
    }
}

impl Order<Ticket, NoTicket> for Want<'_> {
    fn sharing(&self) -> Sharing {
        self.sharing
    }

    fn accepts(&self, ticket: &Ticket) -> bool {
        ticket.end >= self.until && !self.revoked.contains(&ticket.number)
    }

    async fn mint(&self) -> Result<Ticket, NoTicket> {
        let mut number = 0;
        self.upstream.begun.send_modify(|begun| {
            *begun += 1;
            number = *begun;
        });
        let mut ends = self.upstream.ends.subscribe();
        ends.wait_for(|last| *last >= number).await.unwrap();
        if number <= self.upstream.fails.load(Ordering::SeqCst) {
            return Err(NoTicket);
        }
        Ok(Ticket { key: self.key, number, end: now() + self.life })
    }

    fn withdraw(&self, ticket: Ticket) {
        self.upstream.withdrawn.lock().insert(ticket.number);
    }
}

/// What a caller got, recorded at once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Got {
    pub(super) number: u64,
    pub(super) reused: bool,
}

impl Replica {
    /// One that keeps very little in memory.
    pub(super) fn at(url: &str, ring: &Arc<KeyRing>, timing: Timing) -> Self {
        Self::of(target(url, None), ring, timing)
    }

    pub(super) fn of(target: Target, ring: &Arc<KeyRing>, timing: Timing) -> Self {
        let clock = Arc::new(ManualClock::at(now()));
        Self::new(1000, Some(Shared::start(target, Arc::clone(ring), clock, timing)))
    }

    /// One that Redis answers.
    pub(super) async fn up(ring: &Arc<KeyRing>, timing: Timing) -> Self {
        let replica = Self::at(&url(), ring, timing);
        eventually(async || replica.health() == Health::Shared).await;
        replica
    }

    pub(super) fn shared(&self) -> &Shared<Ticket> {
        self.inner.shared.as_ref().unwrap()
    }

    pub(super) async fn get(&self, want: &Want<'_>) -> Result<Got, NoTicket> {
        let found = self.get_or_mint(want.key, want).await?;
        assert_eq!(found.value.key, want.key, "a value of another key");
        let got = Got { number: found.value.number, reused: found.unrecorded.is_none() };
        if let Some(unrecorded) = found.unrecorded {
            unrecorded.recorded();
        }
        Ok(got)
    }

    /// The same, and waits until it is written.
    pub(super) async fn settle(&self, want: &Want<'_>) -> Got {
        let got = self.get(want).await.unwrap();
        self.shared().outbox.drained().await;
        got
    }
}

/// A connection of the test's own.
pub(super) struct Raw(MultiplexedConnection);

impl Raw {
    pub(super) async fn to_redis() -> Self {
        let client = redis::Client::open(url()).unwrap();
        Self(client.get_multiplexed_async_connection().await.unwrap())
    }

    pub(super) async fn run<T: redis::FromRedisValue>(&mut self, command: &[&[u8]]) -> T {
        let mut sent = Cmd::new();
        for word in command {
            sent.arg(*word);
        }
        sent.query_async(&mut self.0).await.unwrap()
    }

    pub(super) async fn value(&mut self, key: &[u8; 32]) -> Option<Vec<u8>> {
        self.run(&[b"GET", Name::new(key).value().as_bytes()]).await
    }

    pub(super) async fn put(&mut self, key: &[u8; 32], bytes: &[u8]) {
        self.run::<()>(&[b"SET", Name::new(key).value().as_bytes(), bytes]).await;
    }
}

/// The Redis of all tests of one run; each uses keys of its own.
#[expect(clippy::disallowed_methods, reason = "only the run of the tests knows where Redis is")]
pub(super) fn url() -> String {
    std::env::var("DOCKPASS_TEST_REDIS")
        .expect("DOCKPASS_TEST_REDIS names no Redis: start the tests with tests/run")
}

pub(super) fn target(url: &str, authorities: Option<Vec<u8>>) -> Target {
    let Place::Redis(nodes) = Url::new(url).place().unwrap() else { panic!("it is a Redis") };
    Target::build(&nodes, authorities).unwrap()
}

pub(super) fn ring() -> Arc<KeyRing> {
    Arc::new(KeyRing::ephemeral().unwrap())
}

/// A key that nobody else uses.
pub(super) fn key() -> [u8; 32] {
    let mut key = [0; 32];
    aws_lc_rs::rand::fill(&mut key).unwrap();
    key
}

pub(super) fn now() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

/// Waits until something is so.
#[expect(clippy::future_not_send, reason = "it stays in its test")]
pub(super) async fn eventually(so: impl AsyncFn() -> bool) {
    let waiting = async {
        while !so().await {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waiting).await.expect("it never became so");
}
