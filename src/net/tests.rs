//! The limits of the client, against real servers.

use std::io::Write as _;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls_pki_types::PrivateKeyDer;
use tempfile::NamedTempFile;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::task::TaskTracker;

use super::testing::{Answer, Server};
use super::*;

fn client() -> HttpClient {
    HttpClient::build(&Config { ca_file: None, loopback_http: true }).unwrap()
}

async fn ask(server: &Server, path: &str) -> Result<Response, Error> {
    client().send(Request::get(format!("{}{path}", server.url()))).await
}

#[tokio::test]
async fn a_whole_answer_is_read_whatever_its_status() {
    let server = Server::start().await;
    server.answer("/x", Answer { status: 418, ..Answer::ok("tea") }.header("x-y", "z"));
    let answer = ask(&server, "/x").await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.body.as_ref()), (418, &b"tea"[..]));
    assert_eq!(answer.headers["x-y"], "z");
    assert!(!server.last_headers().contains_key("accept-encoding"));
}

#[tokio::test]
async fn d3_a_redirect_is_returned_and_not_followed() {
    let (server, other) = (Server::start().await, Server::start().await);
    for status in [301, 302, 303, 307, 308] {
        server.answer("/x", Answer::status(status).header("location", other.url()));
        assert_eq!(ask(&server, "/x").await.unwrap().status.as_u16(), status);
    }
    assert_eq!(other.asked_at_all(), 0);
}

#[tokio::test]
async fn d5_a_body_over_1_mib_is_refused() {
    let server = Server::start().await;
    server.answer("/most", Answer::ok(vec![b'x'; HttpClient::MAX_BODY]));
    server.answer("/over", Answer::ok(vec![b'x'; HttpClient::MAX_BODY + 1]));
    assert_eq!(ask(&server, "/most").await.unwrap().body.len(), HttpClient::MAX_BODY);
    assert!(matches!(ask(&server, "/over").await, Err(Error::TooLarge { .. })));
}

#[tokio::test]
async fn d5_a_slow_answer_ends_in_time() {
    let server = Server::start().await;
    server.answer("/x", Answer::ok("late").gated(&Arc::new(Semaphore::new(0))));
    let config = Config { ca_file: None, loopback_http: true };
    let client = HttpClient::build_within(&config, Duration::from_millis(50)).unwrap();
    let error = client.send(Request::get(format!("{}/x?canary", server.url()))).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("timed out") && !text.contains("canary"), "{text}");
}

#[tokio::test]
async fn d5_a_compressed_body_is_not_inflated() {
    let server = Server::start().await;
    let bomb = b"\x1f\x8b\x08\x00not really gzip";
    server.answer("/x", Answer::ok(*bomb).header("content-encoding", "gzip"));
    assert_eq!(ask(&server, "/x").await.unwrap().body.as_ref(), bomb);
}

#[tokio::test]
async fn nobody_listening_is_an_error_without_the_query() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/path?canary", listener.local_addr().unwrap());
    drop(listener);
    let text = client().send(Request::get(url)).await.unwrap_err().to_string();
    assert!(text.contains("/path` does not answer") && !text.contains("canary"), "{text}");
}

#[test]
fn a_ca_file_without_certificate_is_refused_by_name() {
    let mut empty = NamedTempFile::new().unwrap();
    for content in ["", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "rubbish"]
    {
        write!(empty, "{content}").unwrap();
        let config = Config { ca_file: Some(empty.path().into()), loopback_http: false };
        let text = HttpClient::build(&config).unwrap_err().to_string();
        assert!(text.contains(&empty.path().display().to_string()), "{text}");
    }
    let config = Config { ca_file: Some("/nowhere/ca.pem".into()), loopback_http: false };
    assert!(HttpClient::build(&config).unwrap_err().to_string().contains("/nowhere/ca.pem"));
}

/// A CA, and an https server with a certificate of it for `name`, valid until the year `until`.
async fn https(name: &str, until: i32) -> (NamedTempFile, String) {
    let ca_key = KeyPair::generate().unwrap();
    let mut ca = CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(ca.self_signed(&ca_key).unwrap().pem().as_bytes()).unwrap();
    let key = KeyPair::generate().unwrap();
    let mut leaf = CertificateParams::new([name.to_owned()]).unwrap();
    leaf.not_before = rcgen::date_time_ymd(2020, 1, 1);
    leaf.not_after = rcgen::date_time_ymd(until, 1, 1);
    let leaf = leaf.signed_by(&key, &Issuer::new(ca, ca_key)).unwrap();
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(
            vec![leaf.der().clone()],
            PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}/", listener.local_addr().unwrap().port());
    TaskTracker::new().spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(mut stream) = acceptor.accept(stream).await {
                stream.read_buf(&mut Vec::with_capacity(1024)).await.unwrap();
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
            }
        }
    });
    (file, url)
}

async fn ask_https(ca: Option<&NamedTempFile>, url: &str) -> Result<Response, Error> {
    let ca_file = ca.map(|file| file.path().to_owned());
    HttpClient::build(&Config { ca_file, loopback_http: true })?.send(Request::get(url)).await
}

#[tokio::test]
async fn d9_certificates_are_verified_always() {
    let (ca, url) = https("localhost", 2100).await;
    assert_eq!(ask_https(Some(&ca), &url).await.unwrap().body.as_ref(), b"ok");
    let (other_ca, _) = https("localhost", 2100).await;
    assert!(ask_https(Some(&other_ca), &url).await.is_err());
    let (ca, url) = https("other.example", 2100).await;
    assert!(ask_https(Some(&ca), &url).await.is_err());
    let (ca, url) = https("localhost", 2021).await;
    assert!(ask_https(Some(&ca), &url).await.is_err());
}

#[tokio::test]
async fn d9_the_system_does_not_trust_a_ca_of_ours() {
    let (_ca, url) = https("localhost", 2100).await;
    assert!(ask_https(None, &url).await.is_err());
}
