//! Accepts connections: within their limits, with their handshakes side by side.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::Stream;
use futures_util::stream::unfold;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::admission::Place;
use super::{Admission, Certificate, Config, Connection, Error};

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

/// A bound address and the connections that are on their way.
pub struct Listener {
    tcp: TcpListener,
    address: SocketAddr,
    tls: Option<TlsAcceptor>,
    admission: Admission,
    handshakes: JoinSet<Option<Connection>>,
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener")
            .field("address", &self.address)
            .field("tls", &self.tls.is_some())
            .field("handshakes", &self.handshakes.len())
            .finish_non_exhaustive()
    }
}

/// How long accepting pauses when the system has no more file descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

impl Listener {
    /// Binds the address; connections wait in the system's queue until [`Listener::accept`] is called.
    ///
    /// # Errors
    /// The address cannot be listened on, or the certificate not used.
    pub async fn bind(
        config: Config,
        protocol: Protocol,
        certificate: Option<&Arc<Certificate>>,
        admission: Admission,
    ) -> Result<Self, Error> {
        let failed = |problem| Error::Bind { address: config.listen, problem };
        let tcp = TcpListener::bind(config.listen).await.map_err(failed)?;
        let address = tcp.local_addr().map_err(failed)?;
        let tls = certificate.map(|certificate| certificate.server_config(protocol)).transpose()?;
        Ok(Self {
            tcp,
            address,
            tls: tls.map(TlsAcceptor::from),
            admission,
            handshakes: JoinSet::new(),
        })
    }

    /// The address that is listened on; the port is the real one where port 0 was asked for.
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// The next connection whose handshake is done. Dropping the future loses none.
    pub async fn accept(&mut self) -> Connection {
        loop {
            tokio::select! {
                Some(done) = self.handshakes.join_next() => {
                    if let Ok(Some(connection)) = done {
                        return connection;
                    }
                }
                accepted = self.tcp.accept() => match accepted {
                    Ok((stream, peer)) => {
                        if let Some(connection) = self.admit(stream, peer) {
                            return connection;
                        }
                    }
                    Err(error) => pause_after(&error).await,
                },
            }
        }
    }

    /// The connections as a stream, for `tonic::transport::Server::serve_with_incoming_shutdown`. It never ends and
    /// never fails.
    pub fn incoming(self) -> impl Stream<Item = io::Result<Connection>> + Send {
        unfold(self, |mut listener| async move {
            let connection = listener.accept().await;
            Some((Ok(connection), listener))
        })
    }

    /// Gives a connection its place, or closes it. With TLS, it comes back when its handshake is done.
    fn admit(&mut self, stream: TcpStream, peer: SocketAddr) -> Option<Connection> {
        let place = match self.admission.admit(peer.ip()) {
            Ok(place) => place,
            Err(full) => {
                metrics::counter!("dockpass_connections_refused_total", "limit" => full.as_str())
                    .increment(1);
                tracing::debug!(%peer, limit = full.as_str(), "connection refused: too many");
                return None;
            }
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%peer, %error, "connection lost");
            return None;
        }
        let limit = self.admission.handshake();
        match &self.tls {
            None => Some(Connection::plain(stream, peer, place).expecting_within(limit)),
            Some(acceptor) => {
                self.handshakes.spawn(handshake(acceptor.clone(), stream, peer, place, limit));
                None
            }
        }
    }
}

async fn handshake(
    acceptor: TlsAcceptor,
    stream: TcpStream,
    peer: SocketAddr,
    place: Place,
    limit: Duration,
) -> Option<Connection> {
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

/// An error of one connection, which its caller caused, costs nothing; one of the system would come back at once.
async fn pause_after(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    if matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted) {
        return;
    }
    tracing::error!(%error, "cannot accept connections");
    tokio::time::sleep(ACCEPT_PAUSE).await;
}
