//! One accepted connection, with or without TLS.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::time::Sleep;
use tokio_rustls::server::TlsStream;
use tonic::transport::server::{Connected, TcpConnectInfo};

use super::admission::Place;

/// The address at the other end of a connection: an extension of every HTTP request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PeerAddress(SocketAddr);

impl PeerAddress {
    /// The IP address; an IPv4 address that is written as IPv6 is IPv4.
    pub fn ip(self) -> IpAddr {
        self.0.ip().to_canonical()
    }
}

impl From<SocketAddr> for PeerAddress {
    fn from(address: SocketAddr) -> Self {
        Self(address)
    }
}

/// A connection that may have a core of its own to be served on.
pub trait Placed {
    /// The runtime that it belongs to: that of the caller, unless it was handed to another.
    fn runtime(&self) -> Handle {
        Handle::current()
    }
}

impl Placed for TcpStream {}

/// One accepted connection, after its handshake. Its place is given back when it is dropped.
#[derive(Debug)]
pub struct Connection {
    stream: Stream,
    runtime: Handle,
    peer: SocketAddr,
    local: Option<SocketAddr>,
    /// Runs until the first byte arrives: a caller that says nothing keeps no place.
    silence: Option<Pin<Box<Sleep>>>,
    _place: Place,
}

#[derive(Debug)]
enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Connection {
    /// A connection without TLS, on the runtime that this is called on.
    pub(super) fn plain(stream: TcpStream, peer: SocketAddr, place: Place) -> Self {
        let local = stream.local_addr().ok();
        Self::new(Stream::Plain(stream), peer, local, place)
    }

    /// A connection with TLS, on the runtime that this is called on.
    pub(super) fn tls(stream: TlsStream<TcpStream>, peer: SocketAddr, place: Place) -> Self {
        let local = stream.get_ref().0.local_addr().ok();
        Self::new(Stream::Tls(Box::new(stream)), peer, local, place)
    }

    fn new(stream: Stream, peer: SocketAddr, local: Option<SocketAddr>, place: Place) -> Self {
        let runtime = Handle::current();
        Self { stream, runtime, peer, local, silence: None, _place: place }
    }

    /// Ends the connection when its first byte takes longer than `limit`: HTTP/2 has no limit of its own for that.
    pub(super) fn expecting_within(self, limit: Duration) -> Self {
        Self { silence: Some(Box::pin(tokio::time::sleep(limit))), ..self }
    }

    /// The other end.
    pub const fn peer(&self) -> PeerAddress {
        PeerAddress(self.peer)
    }
}

impl Placed for Connection {
    fn runtime(&self) -> Handle {
        self.runtime.clone()
    }
}

/// `tonic::Request::remote_addr` reads it.
impl Connected for Connection {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        TcpConnectInfo { local_addr: self.local, remote_addr: Some(self.peer) }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Stream::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        };
        if read.is_ready() {
            self.silence = None;
            return read;
        }
        let Some(silence) = &mut self.silence else { return Poll::Pending };
        ready!(silence.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

/// It does not say that it is vectored: h2 then copies bodies of up to 1,024 bytes behind their headers, and sends many
/// replies with one system call; if it did, those over 256 bytes would cost a `writev` each. Under TLS, one record each.
impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Stream::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(context),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
