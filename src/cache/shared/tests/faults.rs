//! Redis frozen, cut off, mute or talking nonsense: nobody fails, and soon nobody waits.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use super::support::{Got, PATIENT, Replica, Upstream, Want, eventually, key, ring, url};
use crate::cache::shared::Timing;
use crate::cache::shared::breaker::Breaker;
use crate::cache::{Health, Sharing};

/// As in the program, but for what a busy machine needs beyond it.
const QUICK: Timing = Timing {
    budget: Duration::from_millis(100),
    connect: Duration::from_millis(500),
    probe: Duration::from_mins(1),
    write: Duration::from_millis(200),
    ..PATIENT
};

const SHARED: [Sharing; 2] = [Sharing::Values, Sharing::Mints];

/// What is between the replica and Redis.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Wire {
    Open,
    /// Nothing comes through, and nobody is told.
    Frozen,
    /// All connections end, and none is made.
    Cut,
}

struct Proxy {
    address: String,
    wire: watch::Sender<Wire>,
    _task: AbortOnDropHandle<()>,
}

impl Proxy {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = url();
        let rest = url.strip_prefix("redis://").unwrap();
        let (login, rest) = rest
            .rsplit_once('@')
            .map_or((String::new(), rest), |(login, rest)| (format!("{login}@"), rest));
        let redis = rest.split('/').next().unwrap().to_owned();
        let address = format!("redis://{login}{}", listener.local_addr().unwrap());
        let (wire, connections) = (watch::Sender::new(Wire::Open), TaskTracker::new());
        let own = wire.clone();
        let task = TaskTracker::new().spawn(async move {
            loop {
                let (near, _) = listener.accept().await.unwrap();
                if *own.borrow() != Wire::Cut {
                    let far = TcpStream::connect(&redis).await.unwrap();
                    connections.spawn(carry(near, far, own.subscribe()));
                }
            }
        });
        Self { address, wire, _task: AbortOnDropHandle::new(task) }
    }

    fn set(&self, wire: Wire) {
        self.wire.send_replace(wire);
    }
}

/// Carries bytes both ways while the wire is open, until it is cut.
async fn carry(near: TcpStream, far: TcpStream, mut wire: watch::Receiver<Wire>) {
    let ((mut near_read, mut near_write), (mut far_read, mut far_write)) =
        (near.into_split(), far.into_split());
    let (mut there, mut back) = (vec![0; 16 * 1024], vec![0; 16 * 1024]);
    let mut cut = wire.clone();
    let carrying = async {
        loop {
            wire.wait_for(|wire| *wire == Wire::Open).await.unwrap();
            let mut changed = wire.clone();
            changed.mark_unchanged();
            tokio::select! {
                biased;
                _ = changed.changed() => {}
                read = near_read.read(&mut there) => match read {
                    Ok(length @ 1..) => far_write.write_all(&there[..length]).await.unwrap(),
                    _ => return,
                },
                read = far_read.read(&mut back) => match read {
                    Ok(length @ 1..) => near_write.write_all(&back[..length]).await.unwrap(),
                    _ => return,
                },
            }
        }
    };
    tokio::select! { () = carrying => {}, _ = cut.wait_for(|wire| *wire == Wire::Cut) => {} }
}

async fn replica_behind(proxy: &Proxy, timing: Timing) -> Replica {
    let replica = Replica::at(&proxy.address, &ring(), timing);
    eventually(async || replica.health() == Health::Shared).await;
    replica
}

/// How long a miss takes. What is minted is new, and no error.
async fn miss(replica: &Replica, sharing: Sharing) -> Duration {
    let (upstream, begun) = (Upstream::default(), Instant::now());
    let got = replica.get(&Want::new(key(), &upstream, sharing)).await;
    assert_eq!(got, Ok(Got { number: 1, reused: false }));
    begun.elapsed()
}

#[tokio::test]
async fn promise_5_a_frozen_redis_costs_some_misses_the_budget_and_the_rest_nothing() {
    for sharing in SHARED {
        let proxy = Proxy::start().await;
        let replica = replica_behind(&proxy, QUICK).await;
        proxy.set(Wire::Frozen);
        let mut late = 0;
        while replica.health() == Health::Shared {
            let took = miss(&replica, sharing).await;
            assert!(took < QUICK.budget * 4, "{took:?}");
            late += u32::from(took >= QUICK.budget);
        }
        assert!((1..=Breaker::MISSING).contains(&late), "{late}");
        for _ in 0..20 {
            let took = miss(&replica, sharing).await;
            assert!(took < QUICK.budget, "{took:?}");
        }
        proxy.set(Wire::Open);
        eventually(async || replica.health() == Health::Shared).await;
    }
}

#[tokio::test]
async fn promise_5_a_redis_that_is_gone_is_not_waited_for_and_is_found_again() {
    let proxy = Proxy::start().await;
    let replica = replica_behind(&proxy, QUICK).await;
    let (upstream, key) = (Upstream::default(), key());
    let want = Want::new(key, &upstream, Sharing::Mints);
    replica.settle(&want).await;
    proxy.set(Wire::Cut);
    while replica.health() == Health::Shared {
        miss(&replica, Sharing::Mints).await;
    }
    assert!(miss(&replica, Sharing::Values).await < QUICK.budget);
    proxy.set(Wire::Open);
    eventually(async || replica.health() == Health::Shared).await;
    replica.forget(|_| true);
    assert_eq!(replica.get(&want).await, Ok(Got { number: 1, reused: true }));
}

#[tokio::test]
async fn promise_5_redis_is_cut_off_while_another_replica_is_waited_for() {
    let (proxy, ring, upstream) = (Proxy::start().await, ring(), Upstream::slow());
    let holder = Replica::up(&ring, PATIENT).await;
    let waiting = Replica::at(&proxy.address, &ring, QUICK);
    eventually(async || waiting.health() == Health::Shared).await;
    let want = Want::new(key(), &upstream, Sharing::Mints);
    let cut = async {
        upstream.minting(1).await;
        let alone = async { waiting.get(&want).await };
        let cutting = async {
            // it is sure to wait: the holder has the lock
            proxy.set(Wire::Cut);
            upstream.minting(2).await;
            upstream.ends.send_replace(2);
        };
        tokio::join!(alone, cutting).0
    };
    let (held, alone) = tokio::join!(holder.get(&want), cut);
    assert_eq!(held, Ok(Got { number: 1, reused: false }));
    assert_eq!(alone, Ok(Got { number: 2, reused: false }));
}

/// Something that listens where Redis should be.
async fn stub(says: &'static [u8]) -> (String, watch::Receiver<usize>, AbortOnDropHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("redis://:canary@{}", listener.local_addr().unwrap());
    let (sender, asked) = watch::channel(0);
    let task = TaskTracker::new().spawn(async move {
        let mut kept = Vec::new();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            if stream.write_all(says).await.is_ok() {
                kept.push(stream);
            }
            sender.send_modify(|asked| *asked += 1);
        }
    });
    (address, asked, AbortOnDropHandle::new(task))
}

#[tokio::test]
async fn promise_5_what_is_no_redis_is_never_waited_for() {
    let stubs: [&[u8]; 4] = [
        b"",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"-ERR unknown command 'AUTH', with args beginning with: 'canary'\r\n",
        &[0xff; 4096],
    ];
    for says in stubs {
        let (address, mut asked, _task) = stub(says).await;
        let timing = Timing { connect: Duration::from_millis(50), ..QUICK };
        let replica = Replica::at(&address, &ring(), timing);
        for sharing in SHARED {
            assert!(miss(&replica, sharing).await < QUICK.budget);
        }
        // it is tried again, and never taken for a Redis that answers
        asked.wait_for(|asked| *asked >= 3).await.unwrap();
        assert!(miss(&replica, Sharing::Mints).await < QUICK.budget);
        assert_eq!(replica.health(), Health::Cut);
    }
}

#[tokio::test]
async fn promise_5_what_cannot_be_written_is_dropped_and_nobody_waits() {
    let proxy = Proxy::start().await;
    let timing = Timing { write: Duration::from_mins(1), ..QUICK };
    let replica = replica_behind(&proxy, timing).await;
    proxy.set(Wire::Frozen);
    let ticket = replica.shared();
    let upstream = Upstream::default();
    let value = Arc::new(super::support::Ticket {
        key: key(),
        number: 1,
        end: Want::new(key(), &upstream, Sharing::Values).until,
    });
    for _ in 0..10_000 {
        let name = crate::cache::shared::Name::new(&key());
        super::super::Share::plain(&ticket.outbox, name).write(Arc::clone(&value));
    }
    let kept = Arc::strong_count(&value);
    assert!((1000..5000).contains(&kept), "{kept} of them wait; the rest was dropped");
}
