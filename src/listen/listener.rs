//! Accepts connections: within their limits, with their handshakes side by side.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::unfold;
use futures_util::{FutureExt, Stream};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::admission::Place;
use super::cores::Core;
use super::{Admission, Certificate, Config, Connection, Cores, Error};
use crate::telemetry::metrics;

/// What is spoken on a listener; it is the only protocol that TLS offers there (ALPN).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Protocol {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2, for gRPC.
    Http2,
}

impl Protocol {
    pub(super) const fn alpn(self) -> &'static [u8] {
        match self {
            Self::Http1 => b"http/1.1",
            Self::Http2 => b"h2",
        }
    }
}

/// A bound address.
#[derive(Debug)]
pub struct Listener {
    tcp: TcpListener,
    address: SocketAddr,
    arrivals: Arrivals,
}

/// How long accepting pauses when the system has no more file descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The most connections that are taken from the system's queue once the shutdown began: callers could fill it as fast
/// as it is emptied.
const LAST_ACCEPTED: usize = 1024;

impl Listener {
    /// Binds the address; connections wait in the system's queue until [`Listener::incoming`] is polled, which gives
    /// each of them a core.
    ///
    /// # Errors
    /// The address cannot be listened on, or the certificate not used.
    pub async fn bind(
        config: Config,
        protocol: Protocol,
        certificate: Option<&Arc<Certificate>>,
        admission: Admission,
        cores: Cores,
    ) -> Result<Self, Error> {
        let failed = |problem| Error::Bind { address: config.listen, problem };
        let tcp = TcpListener::bind(config.listen).await.map_err(failed)?;
        let address = tcp.local_addr().map_err(failed)?;
        let tls = certificate.map(|certificate| certificate.server_config(protocol)).transpose()?;
        let arrivals = Arrivals {
            tls: tls.map(TlsAcceptor::from),
            admission,
            cores,
            handshakes: JoinSet::new(),
            ready: Vec::new(),
        };
        Ok(Self { tcp, address, arrivals })
    }

    /// The address that is listened on; the port is the real one where port 0 was asked for.
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// The connections whose handshake is done. When `shutdown` ends, the address is given up, and the stream ends
    /// after those that were on their way. It never fails.
    ///
    /// For tonic: `serve_with_incoming_shutdown(listener.incoming(shutdown), std::future::pending())`, which loses
    /// none of them, as its own signal would.
    pub fn incoming(
        self,
        shutdown: impl Future<Output = ()> + Send,
    ) -> impl Stream<Item = io::Result<Connection>> + Send {
        let accepting = Accepting {
            tcp: Some(self.tcp),
            arrivals: self.arrivals,
            shutdown: Box::pin(shutdown),
        };
        unfold(accepting, |mut accepting| async move {
            let connection = accepting.next().await?;
            Some((Ok(connection), accepting))
        })
    }
}

/// The state of [`Listener::incoming`].
struct Accepting<F> {
    /// None after the shutdown began.
    tcp: Option<TcpListener>,
    arrivals: Arrivals,
    shutdown: Pin<Box<F>>,
}

impl<F: Future<Output = ()>> Accepting<F> {
    async fn next(&mut self) -> Option<Connection> {
        loop {
            if let Some(connection) = self.arrivals.ready.pop() {
                return Some(connection);
            }
            let Some(tcp) = &self.tcp else { return self.arrivals.last().await };
            tokio::select! {
                () = &mut self.shutdown => {
                    self.arrivals.admit_queued(tcp);
                    self.tcp = None;
                }
                Some(done) = self.arrivals.handshakes.join_next() => {
                    self.arrivals.ready.extend(done.ok().flatten());
                }
                accepted = tcp.accept() => match accepted {
                    Ok((stream, peer)) => self.arrivals.admit(stream, peer),
                    Err(error) => pause_after(&error).await,
                },
            }
        }
    }
}

/// The connections that are on their way.
struct Arrivals {
    tls: Option<TlsAcceptor>,
    admission: Admission,
    cores: Cores,
    handshakes: JoinSet<Option<Connection>>,
    ready: Vec<Connection>,
}

impl fmt::Debug for Arrivals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arrivals")
            .field("tls", &self.tls.is_some())
            .field("handshakes", &self.handshakes.len())
            .finish_non_exhaustive()
    }
}

impl Arrivals {
    /// Gives a connection its place, or closes it. With TLS, its handshake begins.
    fn admit(&mut self, stream: TcpStream, peer: SocketAddr) {
        let place = match self.admission.admit(peer.ip()) {
            Ok(place) => place,
            Err(full) => {
                let limit = full.as_str();
                metrics::connection_refused(limit);
                tracing::debug!(%peer, limit, "connection refused: too many");
                return;
            }
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%peer, %error, "connection lost");
            return;
        }
        let arrival = Arrival { stream, peer, place, limit: self.admission.handshake() };
        let tls = self.tls.clone();
        match self.cores.next() {
            Core::Here if tls.is_none() => self.ready.push(arrival.plain()),
            Core::Here => {
                self.handshakes.spawn(arrival.shake_hands(tls));
            }
            Core::Other(core) => {
                let moved = async { arrival.moved_here()?.shake_hands(tls).await };
                self.handshakes.spawn_on(moved, &core);
            }
        }
    }

    /// Admits what waits in the system's queue, for it would be reset when the address is given up.
    fn admit_queued(&mut self, tcp: &TcpListener) {
        for _ in 0..LAST_ACCEPTED {
            let Some(Ok((stream, peer))) = tcp.accept().now_or_never() else { return };
            self.admit(stream, peer);
        }
    }

    /// The next of those whose handshake was not done when the shutdown began.
    async fn last(&mut self) -> Option<Connection> {
        loop {
            if let Ok(Some(connection)) = self.handshakes.join_next().await? {
                return Some(connection);
            }
        }
    }
}

/// A connection before its handshake.
struct Arrival {
    stream: TcpStream,
    peer: SocketAddr,
    place: Place,
    limit: Duration,
}

impl Arrival {
    /// Without TLS there is no handshake.
    fn plain(self) -> Connection {
        Connection::plain(self.stream, self.peer, self.place).expecting_within(self.limit)
    }

    async fn shake_hands(self, tls: Option<TlsAcceptor>) -> Option<Connection> {
        let Some(acceptor) = tls else { return Some(self.plain()) };
        let Self { stream, peer, place, limit } = self;
        match tokio::time::timeout(limit, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => Some(Connection::tls(stream, peer, place).expecting_within(limit)),
            Ok(Err(error)) => {
                tracing::debug!(%peer, %error, "TLS handshake failed");
                None
            }
            Err(_) => {
                tracing::debug!(%peer, "TLS handshake took too long");
                None
            }
        }
    }

    /// The connection on the runtime that this is called on, whichever it was accepted on.
    fn moved_here(self) -> Option<Self> {
        match self.stream.into_std().and_then(TcpStream::from_std) {
            Ok(stream) => Some(Self { stream, ..self }),
            Err(error) => {
                tracing::debug!(peer = %self.peer, %error, "connection lost");
                None
            }
        }
    }
}

/// An error of one connection, which its caller caused, costs nothing; one of the system would come back at once.
async fn pause_after(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    if matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted) {
        return;
    }
    tracing::error!(%error, "cannot accept connections");
    tokio::time::sleep(ACCEPT_PAUSE).await;
}
