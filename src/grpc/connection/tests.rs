//! A peer that speaks HTTP/2 by hand, so that it can break the rules (RFC 9113).

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tonic_health::pb::health_check_response::ServingStatus;

use super::Limits;
use crate::grpc::tests::Running;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;
const ENHANCE_YOUR_CALM: u32 = 11;
/// `:method: POST`, `:scheme: http`, `:path: /` from the static table of HPACK (RFC 7541).
const REQUEST: &[u8] = &[0x83, 0x86, 0x84];
/// A header of the static table.
const ACCEPT_ENCODING: u8 = 0x90;
/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(20);

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let head = [&length[1..], &[kind, flags], &stream.to_be_bytes()].concat();
    [&head, payload].concat()
}

/// A connection on which the handshake is done from our side.
async fn hello(server: &Running) -> TcpStream {
    let mut peer = server.connect().await;
    peer.write_all(&[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()).await.unwrap();
    peer
}

/// Reads until the server closes; the error code of its last GOAWAY, when there was one.
async fn end(mut peer: impl AsyncRead + Unpin) -> Option<u32> {
    let mut bytes = Vec::new();
    let reading = peer.read_to_end(&mut bytes);
    // an end by a reset is an end as well
    drop(timeout(PATIENCE, reading).await.expect("the server closes the connection"));
    goaway(&bytes)
}

/// Writes as much as the server takes, while its answers are read.
async fn flood(peer: TcpStream, bytes: Vec<u8>) -> Option<u32> {
    let (reading, mut writing) = peer.into_split();
    let write = async {
        drop(writing.write_all(&bytes).await);
        drop(writing.shutdown().await);
    };
    let ((), code) = tokio::join!(write, end(reading));
    code
}

/// The error code of the last GOAWAY in what a server sent.
fn goaway(mut bytes: &[u8]) -> Option<u32> {
    let mut code = None;
    while let Some((head, rest)) = bytes.split_at_checked(9) {
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let (payload, rest) = rest.split_at_checked(usize::try_from(length).unwrap())?;
        if head[3] == GOAWAY {
            code = payload[4..8].try_into().ok().map(u32::from_be_bytes);
        }
        bytes = rest;
    }
    code
}

async fn assert_serves_others(server: &Running) {
    assert_eq!(server.check().await.unwrap(), ServingStatus::NotServing);
}

#[tokio::test]
async fn h3_rapid_reset_ends_the_connection() {
    let server = Running::start(Limits::default()).await;
    let resets = (0..5000).flat_map(|number| {
        let stream = 2 * number + 1;
        let open = frame(HEADERS, END_HEADERS, stream, REQUEST);
        [open, frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes())].concat()
    });
    let code = flood(hello(&server).await, resets.collect()).await;
    assert_eq!(code, Some(ENHANCE_YOUR_CALM));
    assert_serves_others(&server).await;
}

#[tokio::test]
async fn h3_headers_without_an_end_end_the_connection() {
    let server = Running::start(Limits::default()).await;
    let mut bytes = frame(HEADERS, 0, 1, REQUEST);
    for _ in 0..1000 {
        bytes.extend(frame(CONTINUATION, 0, 1, &[ACCEPT_ENCODING; 1024]));
    }
    let code = flood(hello(&server).await, bytes).await;
    assert_eq!(code, Some(ENHANCE_YOUR_CALM));
    assert_serves_others(&server).await;
}

#[tokio::test]
async fn h3_floods_of_pings_and_settings_do_not_stop_the_others() {
    let server = Running::start(Limits::default()).await;
    for flooded in [frame(PING, 0, 0, &[0; 8]), frame(SETTINGS, 0, 0, &[])] {
        let mut peer = hello(&server).await;
        // nothing is read, so that the answers pile up: the server stops to read before its memory is full
        let flooding = async {
            let many = flooded.repeat(10_000);
            while peer.write_all(&many).await.is_ok() {}
        };
        tokio::select! {
            () = flooding => {}
            () = async {
                for _ in 0..10 {
                    assert_serves_others(&server).await;
                }
            } => {}
        }
    }
}

#[tokio::test]
async fn h3_a_peer_that_says_nothing_is_dropped() {
    let limits = Limits { first_request: Duration::from_millis(1), ..Limits::default() };
    let server = Running::start(limits).await;
    let silent = server.connect().await;
    assert_eq!(end(silent).await, None, "it goes without a word, since there was no hello");
}

#[tokio::test]
async fn h3_a_peer_that_asks_nothing_is_sent_away() {
    let limits = Limits { first_request: Duration::from_millis(1), ..Limits::default() };
    let server = Running::start(limits).await;
    let idle = hello(&server).await;
    assert_eq!(end(idle).await, Some(0));
}

#[tokio::test]
async fn h3_a_stream_that_never_ends_does_not_keep_its_connection() {
    use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;

    let server = Running::start(Limits { drain: Duration::ZERO, ..Limits::default() }).await;
    let endless = futures_util::stream::pending();
    let mut client = ServerReflectionClient::new(server.channel().await);
    let answers = client.server_reflection_info(endless).await.unwrap();
    timeout(PATIENCE, server.stop()).await.expect("the server stops");
    drop(answers);
}

#[tokio::test]
async fn shutdown_does_not_wait_for_a_peer_that_says_nothing() {
    let server = Running::start(Limits::default()).await;
    let silent = server.connect().await;
    server.check().await.unwrap();
    timeout(PATIENCE, server.stop()).await.expect("the server stops");
    drop(silent);
}
