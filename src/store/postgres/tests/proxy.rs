//! A way to the database that can be cut.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::*;
use crate::store::{Config, Url};

/// What becomes of what the database answers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Way {
    Open,
    /// The next answer is thrown away, and its connection with it.
    LoseNext,
    /// Nothing passes, in either direction.
    Frozen,
    /// Nobody listens.
    Closed,
}

/// A proxy in a thread of its own.
#[derive(Debug)]
pub(super) struct Proxy {
    url: String,
    way: Arc<watch::Sender<Way>>,
    lost: Arc<AtomicU32>,
}

impl Proxy {
    pub(super) fn to(world: &World) -> Self {
        let url = world.database().url();
        let (user, rest) = url.split_once('@').unwrap();
        let (host, rest) = rest.split_once('/').unwrap();
        let target: SocketAddr = host.replace("localhost", "127.0.0.1").parse().unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("{user}@{}/{rest}", listener.local_addr().unwrap());
        let (way, lost) = (Arc::new(watch::Sender::new(Way::Open)), Arc::new(AtomicU32::new(0)));
        let proxy = Self { url, way: Arc::clone(&way), lost: Arc::clone(&lost) };
        std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(serve(listener, target, way, lost));
        });
        proxy
    }

    /// A store that goes this way.
    pub(super) async fn store(&self) -> Store {
        let config = Config { url: Url::new(&self.url), ..Config::default() };
        Store::open(&config, std::path::Path::new(".")).await.unwrap()
    }

    pub(super) fn lose_next_answer(&self) {
        self.way.send_replace(Way::LoseNext);
    }

    /// How many answers were lost.
    pub(super) fn lost(&self) -> u32 {
        self.lost.load(Ordering::SeqCst)
    }

    pub(super) fn freeze(&self) {
        self.way.send_replace(Way::Frozen);
    }

    pub(super) fn thaw(&self) {
        self.way.send_replace(Way::Open);
    }

    /// Ends all connections, and listens no more.
    pub(super) fn close(&self) {
        self.way.send_replace(Way::Closed);
        let address = self.url.split_once('@').unwrap().1.split_once('/').unwrap().0.to_owned();
        while std::net::TcpStream::connect(&address).is_ok() {}
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.way.send_replace(Way::Closed);
    }
}

async fn serve(
    listener: std::net::TcpListener,
    target: SocketAddr,
    way: Arc<watch::Sender<Way>>,
    lost: Arc<AtomicU32>,
) {
    let listener = TcpListener::from_std(listener).unwrap();
    let tasks = tokio_util::task::TaskTracker::new();
    let mut closed = way.subscribe();
    loop {
        let (client, _) = tokio::select! {
            accepted = listener.accept() => accepted.unwrap(),
            _ = closed.wait_for(|way| *way == Way::Closed) => return,
        };
        let server = TcpStream::connect(target).await.unwrap();
        let ((from_client, to_client), (from_server, to_server)) =
            (client.into_split(), server.into_split());
        let (way, lost) = (Arc::clone(&way), Arc::clone(&lost));
        tasks.spawn(async move {
            tokio::select! {
                () = ask(from_client, to_server, &way) => {}
                () = answer(from_server, to_client, &way, &lost) => {}
            }
        });
    }
}

async fn ask(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, way: &watch::Sender<Way>) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        way.subscribe().wait_for(|way| *way != Way::Frozen).await.unwrap();
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

async fn answer(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    way: &watch::Sender<Way>,
    lost: &AtomicU32,
) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        way.subscribe().wait_for(|way| *way != Way::Frozen).await.unwrap();
        let loses = |way: &mut Way| {
            let loses = *way == Way::LoseNext;
            if loses {
                *way = Way::Open;
            }
            loses
        };
        if way.send_if_modified(loses) {
            lost.fetch_add(1, Ordering::SeqCst);
            return;
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
