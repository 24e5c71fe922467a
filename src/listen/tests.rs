//! Listeners over real sockets.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Extension;
use axum::routing::get;
use rustls::version::{TLS12, TLS13};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::support::{Pair, connect, secure};
use super::*;

pub(super) mod support;

const SHORT: Duration = Duration::from_millis(50);

/// A served listener; it stops when it is told to, or dropped.
struct Server {
    address: SocketAddr,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

struct Setup {
    certificate: Option<Arc<Certificate>>,
    connections: ConnectionLimits,
    http: HttpLimits,
    router: Router,
    cores: Cores,
}

impl Default for Setup {
    fn default() -> Self {
        let peer = |Extension(peer): Extension<PeerAddress>| async move { peer.ip().to_string() };
        Self {
            certificate: None,
            connections: ConnectionLimits::default(),
            http: HttpLimits::default(),
            router: Router::new().route("/peer", get(peer)),
            cores: Cores::one(),
        }
    }
}

impl Setup {
    async fn listener(&self, protocol: Protocol) -> Listener {
        let config = Config { listen: "127.0.0.1:0".parse().unwrap() };
        let admission = Admission::new(self.connections);
        let cores = self.cores.clone();
        Listener::bind(config, protocol, self.certificate.as_ref(), admission, cores).await.unwrap()
    }

    async fn serve(self) -> Server {
        let listener = self.listener(Protocol::Http1).await;
        let address = listener.local_addr();
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        let task = TaskTracker::new().spawn(serve_http(listener, self.router, self.http, stopped));
        Server { address, stop, task }
    }
}

const REQUEST: &[u8] = b"GET /peer HTTP/1.1\r\nhost: x\r\n\r\n";
const LAST_REQUEST: &[u8] = b"GET /peer HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

async fn ask(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> String {
    stream.write_all(LAST_REQUEST).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

/// Reads one answer of a connection that stays open.
async fn read_answer(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    while !answer.ends_with(b"127.0.0.1") {
        answer.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(answer).unwrap()
}

/// Reads until the other end closes, whether it says goodbye or not.
async fn read_until_closed(stream: &mut TcpStream) -> Vec<u8> {
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.ok();
    rest
}

#[tokio::test]
async fn a_request_carries_the_address_of_the_connection() {
    let server = Setup::default().serve().await;
    let answer = ask(&mut TcpStream::connect(server.address).await.unwrap()).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("127.0.0.1"), "{answer}");
}

#[tokio::test]
async fn tls_is_spoken_in_both_versions_and_follows_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let first = Pair::generate("localhost");
    let certificate = Certificate::load(first.write(folder.path())).await.unwrap();
    let setup = Setup { certificate: Some(Arc::clone(&certificate)), ..Setup::default() };
    let server = setup.serve().await;
    for version in [&TLS12, &TLS13] {
        let mut stream =
            connect(server.address, &first.certificate, b"http/1.1", &[version]).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
        assert!(ask(&mut stream).await.contains("127.0.0.1"));
    }
    let mut before =
        connect(server.address, &first.certificate, b"http/1.1", &[&TLS13]).await.unwrap();

    let second = Pair::generate("localhost");
    second.write(folder.path());
    certificate.reload().await.unwrap();
    assert!(connect(server.address, &first.certificate, b"http/1.1", &[&TLS13]).await.is_err());
    let mut after =
        connect(server.address, &second.certificate, b"http/1.1", &[&TLS13]).await.unwrap();
    assert!(ask(&mut after).await.contains("127.0.0.1"));
    // a connection that stood before goes on
    assert!(ask(&mut before).await.contains("127.0.0.1"));
}

#[tokio::test]
async fn another_protocol_and_plain_text_find_no_answer_on_tls() {
    let folder = tempfile::tempdir().unwrap();
    let pair = Pair::generate("localhost");
    let certificate = Certificate::load(pair.write(folder.path())).await.unwrap();
    let server = Setup { certificate: Some(certificate), ..Setup::default() }.serve().await;
    assert!(connect(server.address, &pair.certificate, b"h2", &[&TLS13]).await.is_err());
    let mut plain = TcpStream::connect(server.address).await.unwrap();
    plain.write_all(LAST_REQUEST).await.unwrap();
    assert!(!read_until_closed(&mut plain).await.starts_with(b"HTTP"));
}

#[tokio::test]
async fn h3_a_handshake_that_never_ends_is_dropped_and_holds_up_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let pair = Pair::generate("localhost");
    let certificate = Certificate::load(pair.write(folder.path())).await.unwrap();
    let connections = ConnectionLimits { handshake: SHORT * 20, ..ConnectionLimits::default() };
    let setup = Setup { certificate: Some(certificate), connections, ..Setup::default() };
    let server = setup.serve().await;
    let mut silent = TcpStream::connect(server.address).await.unwrap();
    let mut good =
        connect(server.address, &pair.certificate, b"http/1.1", &[&TLS13]).await.unwrap();
    assert!(ask(&mut good).await.contains("127.0.0.1"));
    assert!(read_until_closed(&mut silent).await.is_empty());
}

#[tokio::test]
async fn h3_slow_headers_and_idle_connections_are_closed() {
    let http = HttpLimits { head: SHORT * 10, ..HttpLimits::default() };
    let server = Setup { http, ..Setup::default() }.serve().await;
    let mut slow = TcpStream::connect(server.address).await.unwrap();
    slow.write_all(b"GET /peer HTTP/1.1\r\nhost:").await.unwrap();
    let mut silent = TcpStream::connect(server.address).await.unwrap();
    let mut idle = TcpStream::connect(server.address).await.unwrap();
    idle.write_all(REQUEST).await.unwrap();
    assert!(read_answer(&mut idle).await.starts_with("HTTP/1.1 200"));
    for stream in [&mut slow, &mut silent, &mut idle] {
        assert!(!read_until_closed(stream).await.starts_with(b"HTTP/1.1 2"));
    }
}

#[tokio::test]
async fn h3_headers_over_the_limit_are_refused() {
    let server = Setup::default().serve().await;
    for head in [
        format!("GET /peer HTTP/1.1\r\nhost: x\r\na: {}\r\n\r\n", "a".repeat(128 << 10)),
        format!("GET /peer HTTP/1.1\r\nhost: x\r\n{}\r\n", "a: b\r\n".repeat(200)),
    ] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        // the server may close before it has read all
        stream.write_all(head.as_bytes()).await.ok();
        assert!(!read_until_closed(&mut stream).await.starts_with(b"HTTP/1.1 2"));
    }
}

#[tokio::test]
async fn h3_connections_over_the_limit_are_closed_and_places_come_back() {
    let connections = ConnectionLimits { per_address: 1, ..ConnectionLimits::default() };
    let server = Setup { connections, ..Setup::default() }.serve().await;
    let mut first = TcpStream::connect(server.address).await.unwrap();
    first.write_all(REQUEST).await.unwrap();
    read_answer(&mut first).await;
    let mut second = TcpStream::connect(server.address).await.unwrap();
    assert!(read_until_closed(&mut second).await.is_empty());
    first.write_all(LAST_REQUEST).await.unwrap();
    read_until_closed(&mut first).await;
    // the place comes back once the server has noticed the end: ask until then
    loop {
        let mut third = TcpStream::connect(server.address).await.unwrap();
        third.write_all(LAST_REQUEST).await.ok();
        if read_until_closed(&mut third).await.starts_with(b"HTTP/1.1 200") {
            break;
        }
    }
}

#[tokio::test]
async fn a_connection_is_closed_when_it_is_old() {
    let http = HttpLimits { age: SHORT, ..HttpLimits::default() };
    let server = Setup { http, ..Setup::default() }.serve().await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    assert!(read_until_closed(&mut stream).await.is_empty());
}

#[tokio::test]
async fn h3_a_caller_that_does_not_read_its_answer_keeps_no_place() {
    // more than the buffers of both sockets hold
    let answer = || async { "a".repeat(32 << 20) };
    let server = Setup {
        connections: ConnectionLimits { per_address: 1, ..ConnectionLimits::default() },
        http: HttpLimits { age: SHORT, drain: SHORT, ..HttpLimits::default() },
        router: Router::new().route("/peer", get(answer)),
        ..Setup::default()
    };
    let server = server.serve().await;
    let mut deaf = TcpStream::connect(server.address).await.unwrap();
    deaf.write_all(REQUEST).await.unwrap();
    // the only place comes back although the first connection is still open on this side
    loop {
        let mut other = TcpStream::connect(server.address).await.unwrap();
        other.write_all(REQUEST).await.ok();
        let mut start = [0; 12];
        if other.read_exact(&mut start).await.is_ok() {
            assert_eq!(&start, b"HTTP/1.1 200");
            break;
        }
    }
    drop(deaf);
}

/// A router whose one path says that it was reached, then waits to be let go.
fn gated() -> (Router, CancellationToken, CancellationToken) {
    let (reached, release) = (CancellationToken::new(), CancellationToken::new());
    let (at, until) = (reached.clone(), release.clone());
    let handler = move || async move {
        at.cancel();
        until.cancelled().await;
        "127.0.0.1"
    };
    (Router::new().route("/peer", get(handler)), reached, release)
}

#[tokio::test]
async fn a_shutdown_finishes_what_was_begun_and_accepts_no_more() {
    let (router, reached, release) = gated();
    let server = Setup { router, ..Setup::default() }.serve().await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let mut idle = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(REQUEST).await.unwrap();
    reached.cancelled().await;
    server.stop.cancel();
    // the idle connection is closed at once: from then on, nothing is accepted
    assert!(read_until_closed(&mut idle).await.is_empty());
    assert!(TcpStream::connect(server.address).await.is_err());
    assert!(!server.task.is_finished());
    release.cancel();
    assert!(read_until_closed(&mut stream).await.starts_with(b"HTTP/1.1 200"));
    server.task.await.unwrap();
}

#[tokio::test]
async fn a_shutdown_answers_who_has_just_connected() {
    let folder = tempfile::tempdir().unwrap();
    let pair = Pair::generate("localhost");
    let certificate = Certificate::load(pair.write(folder.path())).await.unwrap();
    for certificate in [None, Some(certificate)] {
        let setup = Setup { certificate, ..Setup::default() };
        let (router, http) = (setup.router.clone(), setup.http);
        let listener = setup.listener(Protocol::Http1).await;
        let address = listener.local_addr();
        // the connection waits in the system's queue when the shutdown begins
        let waiting = TcpStream::connect(address).await.unwrap();
        let served = serve_http(listener, router, http, std::future::ready(()));
        let asked = async {
            if setup.certificate.is_some() {
                let versions = &[&TLS13];
                ask(&mut secure(waiting, &pair.certificate, b"http/1.1", versions).await.unwrap())
                    .await
            } else {
                let mut waiting = waiting;
                ask(&mut waiting).await
            }
        };
        let ((), answer) = tokio::join!(served, asked);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(TcpStream::connect(address).await.is_err());
    }
}

#[tokio::test]
async fn a_shutdown_does_not_wait_for_ever() {
    let (router, reached, _release) = gated();
    let http = HttpLimits { drain: SHORT, ..HttpLimits::default() };
    let server = Setup { http, router, ..Setup::default() }.serve().await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(REQUEST).await.unwrap();
    reached.cancelled().await;
    server.stop.cancel();
    server.task.await.unwrap();
    assert!(read_until_closed(&mut stream).await.is_empty());
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let taken = Setup::default().listener(Protocol::Http2).await;
    let config = Config { listen: taken.local_addr() };
    let admission = Admission::new(ConnectionLimits::default());
    let cores = Cores::one();
    let error = Listener::bind(config, Protocol::Http2, None, admission, cores).await.unwrap_err();
    assert!(error.to_string().contains(&taken.local_addr().to_string()), "{error}");
}

mod cores;
mod grpc;
