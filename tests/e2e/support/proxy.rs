//! The network between a replica and what it depends on: a TCP proxy that a test can cut, slow down, or let reset connections.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What the network does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Network {
    /// It works.
    Works,
    /// Nothing arrives any more, and nobody is told, as when a cable is pulled. What was under way arrives when it is plugged in again.
    IsCut,
    /// Everything arrives so much later.
    IsSlow(Duration),
    /// Connections are reset, and new ones as well.
    Resets,
    /// What comes to connections that sent `LISTEN` is lost: PostgreSQL's notifications.
    LosesNotifications,
}

impl Network {
    /// What it does, said of the network to `what`.
    pub(crate) fn fault(self, what: &str) -> String {
        match self {
            Self::Works => format!("the network to {what} works"),
            Self::IsCut => format!("the network to {what} is cut"),
            Self::IsSlow(delay) => format!("{what} is {} ms away", delay.as_millis()),
            Self::Resets => format!("connections to {what} are reset"),
            Self::LosesNotifications => format!("notifications of {what} are lost"),
        }
    }
}

/// A running proxy. Dropped, it closes its connections.
pub(crate) struct Proxy {
    port: u16,
    network: watch::Sender<Network>,
    lost: Arc<AtomicUsize>,
    _accepting: JoinSet<()>,
}

impl Proxy {
    /// Starts a proxy to a port of this machine.
    pub(crate) async fn to(port: u16) -> Self {
        Self::to_one_of(vec![port]).await
    }

    /// Starts a proxy that leads each connection to the next of these ports that accepts it, as a load balancer does.
    pub(crate) async fn to_one_of(ports: Vec<u16>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (network, lost) = (watch::Sender::new(Network::Works), Arc::default());
        let way = Way { targets: Arc::new(Targets::new(ports)), lost: Arc::clone(&lost) };
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, way, network.clone()));
        Self { port, network, lost, _accepting: accepting }
    }

    /// The port that it listens on.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// How many notifications were lost.
    pub(crate) fn lost(&self) -> usize {
        self.lost.load(Ordering::Relaxed)
    }

    /// Changes the network from now on.
    pub(crate) fn set(&self, network: Network) {
        self.network.send_replace(network);
    }
}

/// What all connections share.
#[derive(Clone)]
struct Way {
    targets: Arc<Targets>,
    lost: Arc<AtomicUsize>,
}

/// Where connections lead, in turn.
struct Targets {
    ports: Vec<u16>,
    next: AtomicUsize,
}

impl Targets {
    const fn new(ports: Vec<u16>) -> Self {
        Self { ports, next: AtomicUsize::new(0) }
    }

    async fn connect(&self) -> io::Result<TcpStream> {
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        let mut refused = io::ErrorKind::NotConnected.into();
        for turn in 0..self.ports.len() {
            let port = self.ports[(first + turn) % self.ports.len()];
            match TcpStream::connect(("127.0.0.1", port)).await {
                Ok(stream) => return Ok(stream),
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }
}

async fn accept(listener: TcpListener, way: Way, network: watch::Sender<Network>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (client, _) = accepted.unwrap();
                connections.spawn(connection(client, way.clone(), network.subscribe()));
            }
            Some(ended) = connections.join_next() => ended.unwrap(),
        }
    }
}

/// One connection, until either side closes it or the network resets it.
async fn connection(mut client: TcpStream, way: Way, mut network: watch::Receiver<Network>) {
    let mut resets = network.clone();
    let passing = async {
        arrival(&mut network).await;
        let mut server = way.targets.connect().await?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        pass((&mut client, &mut server), network, &way.lost).await
    };
    let is_reset = tokio::select! {
        // either side may have gone in any way, and so goes the other
        ended = passing => { drop(ended); false }
        _ = resets.wait_for(|network| *network == Network::Resets) => true,
    };
    if is_reset {
        drop(client.set_zero_linger());
    }
}

/// Waits until what is under way arrives.
async fn arrival(network: &mut watch::Receiver<Network>) {
    let now = *network.borrow_and_update();
    match now {
        Network::IsSlow(delay) => tokio::time::sleep(delay).await,
        // the proxy outlives its connections
        _ => drop(network.wait_for(|network| *network != Network::IsCut).await),
    }
}

async fn pass(
    (client, server): (&mut TcpStream, &mut TcpStream),
    network: watch::Receiver<Network>,
    lost: &AtomicUsize,
) -> io::Result<()> {
    let listens = AtomicBool::new(false);
    let ((from_client, to_client), (from_server, to_server)) = (client.split(), server.split());
    let hears = |piece: &[u8]| {
        if piece.windows(7).any(|word| word == b"LISTEN ") {
            listens.store(true, Ordering::Relaxed);
        }
        true
    };
    let heard = {
        let (listens, network) = (&listens, network.clone());
        move |_: &[u8]| {
            let loses = *network.borrow() == Network::LosesNotifications;
            let is_lost = loses && listens.load(Ordering::Relaxed);
            lost.fetch_add(usize::from(is_lost), Ordering::Relaxed);
            !is_lost
        }
    };
    tokio::try_join!(
        pump(from_client, to_server, network.clone(), hears),
        pump(from_server, to_client, network, heard),
    )?;
    Ok(())
}

/// Moves bytes one way; `passes` is asked whether a piece arrives. An end of the stream ends both ways.
async fn pump(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    mut network: watch::Receiver<Network>,
    passes: impl Fn(&[u8]) -> bool,
) -> io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let length = from.read(&mut buffer).await?;
        arrival(&mut network).await;
        let piece = &buffer[..length];
        if piece.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if passes(piece) {
            to.write_all(piece).await?;
        }
    }
}
