//! Messages as they may come over HTTP/2: in one frame or many, ended with them or after them, compressed, or cut.

use axum::http::{HeaderMap, Request};
use bytes::Bytes;
use dockpass::pb::{IssueAccessTokenRequest, IssueAccessTokenResponse};
use h2::client::SendRequest;
use prost::Message;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tonic::{Code, Status};

use crate::support::{Running, Site, pull};

const ISSUE: &str = "/dockpass.v1.AccessService/IssueAccessToken";

/// An answer: its one message, or why there is none; and the headers.
type Answer = (Result<IssueAccessTokenResponse, Status>, HeaderMap);

/// The message behind its header.
fn framed(flag: u8, message: &IssueAccessTokenRequest) -> Vec<u8> {
    let message = message.encode_to_vec();
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[flag][..], &length, &message].concat()
}

/// Sends frames on a connection of their own, the end of the stream after them, and reads the answer.
async fn send(broker: &Running<'_>, more: &[(&str, &str)], frames: &[&[u8]]) -> Answer {
    let stream = TcpStream::connect(broker.grpc).await.unwrap();
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    let mut connections = JoinSet::new();
    connections.spawn(connection);
    let mut client: SendRequest<Bytes> = client.ready().await.unwrap();
    let identity = format!("Bearer {}", broker.site.identity("job"));
    let mut request = Request::post(format!("http://{}{ISSUE}", broker.grpc))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("authorization", identity);
    for (name, value) in more {
        request = request.header(*name, *value);
    }
    let (response, mut body) = client.send_request(request.body(()).unwrap(), false).unwrap();
    for frame in frames {
        body.send_data(Bytes::copy_from_slice(frame), false).unwrap();
    }
    body.send_data(Bytes::new(), true).unwrap();
    let (head, mut body) = response.await.unwrap().into_parts();
    let mut bytes = Vec::new();
    while let Some(data) = body.data().await {
        bytes.extend_from_slice(&data.unwrap());
    }
    let trailers = body.trailers().await.unwrap();
    let status = Status::from_header_map(trailers.as_ref().unwrap_or(&head.headers)).unwrap();
    let outcome = match status.code() {
        Code::Ok => {
            let (header, message) = bytes.split_at(5);
            assert_eq!(header[0], 0);
            assert_eq!(u32::from_be_bytes(header[1..].try_into().unwrap()) as usize, message.len());
            Ok(IssueAccessTokenResponse::decode(message).unwrap())
        }
        _ => Err(status),
    };
    (outcome, head.headers)
}

#[tokio::test]
async fn a_message_may_come_in_any_number_of_frames() {
    let site = Site::new().await;
    let broker = site.start().await;
    let whole = framed(0, &pull("servers/nginx"));
    let (header, message) = whole.split_at(5);
    let single: Vec<&[u8]> = whole.chunks(1).collect();
    for frames in [&[whole.as_slice()][..], &[header, message], &[header, &[], message], &single] {
        let (outcome, headers) = send(&broker, &[], frames).await;
        assert_eq!(outcome.unwrap().access_token.unwrap().token_name, "nginx-ci");
        assert_eq!(headers["content-type"], "application/grpc");
    }
}

#[tokio::test]
async fn an_encoding_that_is_none_is_one_that_is_understood() {
    let site = Site::new().await;
    let broker = site.start().await;
    let whole = framed(0, &pull("servers/nginx"));
    let (outcome, _) = send(&broker, &[("grpc-encoding", "identity")], &[&whole]).await;
    assert_eq!(outcome.unwrap().access_token.unwrap().token_name, "nginx-ci");
    let (outcome, headers) = send(&broker, &[("grpc-encoding", "gzip")], &[&whole]).await;
    assert_eq!(outcome.unwrap_err().code(), Code::Unimplemented);
    assert_eq!(headers["grpc-accept-encoding"], "identity");
}

#[tokio::test]
async fn h2_what_is_no_message_is_refused_and_recorded() {
    let site = Site::new().await;
    let whole = framed(0, &pull("servers/nginx"));
    let compressed = framed(1, &pull("servers/nginx"));
    let unknown_flag = framed(2, &pull("servers/nginx"));
    let too_long = [&[0, 0, 1, 0, 1][..], &whole[5..]].concat();
    let cases: [&[u8]; 7] =
        [&[], &whole[..4], &whole[..9], &compressed, &unknown_flag, &too_long, b"\0\0\0\0\x01\xff"];
    for bytes in cases {
        // each in a broker of its own: the second refusal of one source would only be counted
        let broker = site.start().await;
        let (outcome, _) = send(&broker, &[], &[bytes]).await;
        site.refused(&outcome.unwrap_err(), Code::InvalidArgument, "INVALID_REQUEST");
        broker.stop().await;
    }
}

#[tokio::test]
async fn a_timeout_that_cannot_be_read_is_refused_and_recorded() {
    let site = Site::new().await;
    let broker = site.start().await;
    let whole = framed(0, &pull("servers/nginx"));
    let (outcome, _) = send(&broker, &[("grpc-timeout", "soon")], &[&whole]).await;
    let refusal = outcome.unwrap_err();
    site.refused(&refusal, Code::InvalidArgument, "INVALID_REQUEST");
}
