use std::sync::Arc;

use jiff::Timestamp;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use parking_lot::Mutex;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::*;
use crate::model::ManualClock;
use crate::registry::distribution::keys::Signer;
use crate::registry::{Config, Dependencies, KeyReference, KeysConfig};

/// A registry that answers as it is told, and keeps what it was sent. It stops when it is dropped.
struct Registry {
    host: String,
    requests: Arc<Mutex<Vec<String>>>,
    _serving: JoinSet<()>,
}

/// What a registry sends back to a request: status and headers.
type Answers = Box<dyn Fn(&str) -> String + Send + Sync>;

impl Registry {
    async fn start(answers: Answers) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&requests);
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let request = serve(stream, &answers).await;
                kept.lock().push(request);
            }
        });
        Self { host, requests, _serving: serving }
    }
}

async fn serve(mut stream: TcpStream, answers: &Answers) -> String {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => request.push(byte),
            Err(_) => break,
        }
    }
    let request = String::from_utf8(request).unwrap();
    let answer = answers(&request);
    let text = format!("HTTP/1.1 {answer}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    stream.write_all(text.as_bytes()).await.unwrap();
    request
}

fn now() -> Timestamp {
    "2026-08-01T12:00:00Z".parse().unwrap()
}

/// A driver in kid mode with an active key and a next one.
fn driver(host: &str) -> Distribution {
    let folder = tempfile::tempdir().unwrap();
    let signer = Signer::kid(&KeysConfig::for_test(folder.path(), 2)).unwrap();
    let key_reference = KeyReference::Kid;
    let config = Config { host: host.to_owned(), key_reference, ..Config::for_test() };
    let (deps, signing) = (Dependencies::for_test(ManualClock::at(now())), Arc::default());
    Distribution { config, signer, deps, signing }
}

const DATE: &str = "date: Sat, 01 Aug 2026 12:00:10 GMT";

fn unauthorized(realm: &str, service: &str) -> String {
    format!(
        "401 Unauthorized\r\n{DATE}\r\nwww-authenticate: Bearer realm=\"{realm}\",service=\"{service}\""
    )
}

fn challenge() -> String {
    unauthorized("http://localhost:7080/token", "registry.test")
}

fn bearer(request: &str) -> Option<&str> {
    request.lines().find_map(|line| line.strip_prefix("authorization: Bearer "))
}

/// Answers as a registry that trusts these keys.
fn trusting(driver: &Distribution, keys: std::ops::Range<usize>) -> Answers {
    let Signer::Kid(all) = &driver.signer else { panic!("kid mode") };
    let trusted: Vec<DecodingKey> = all[keys]
        .iter()
        .map(|key| serde_json::from_value::<Jwk>(key.jwk.clone()).unwrap())
        .map(|jwk| DecodingKey::from_jwk(&jwk).unwrap())
        .collect();
    Box::new(move |request| {
        let mut validation = Validation::new(Algorithm::ES256);
        validation.validate_exp = false;
        validation.set_audience(&["registry.test"]);
        let valid = |jwt| {
            trusted.iter().any(|key| jsonwebtoken::decode::<Value>(jwt, key, &validation).is_ok())
        };
        if bearer(request).is_some_and(valid) { format!("200 OK\r\n{DATE}") } else { challenge() }
    })
}

fn levels(findings: &[Finding], check: &str) -> Vec<Level> {
    findings.iter().filter(|finding| finding.check == check).map(|finding| finding.level).collect()
}

/// What a check finds of a registry that answers like this.
async fn findings_of(answers: Answers) -> Vec<Finding> {
    let registry = Registry::start(answers).await;
    run(&driver(&registry.host)).await
}

async fn findings_of_challenge(realm: &str, service: &str) -> Vec<Finding> {
    let answer = unauthorized(realm, service);
    findings_of(Box::new(move |_| answer.clone())).await
}

#[tokio::test]
async fn a_registry_that_is_set_up_is_all_well() {
    let mut driver = driver("");
    let registry = Registry::start(trusting(&driver, 0..2)).await;
    driver.config.host.clone_from(&registry.host);
    let findings = run(&driver).await;
    assert!(findings.iter().all(|finding| finding.level == Level::Ok), "{findings:#?}");
    let checks: Vec<_> = findings.iter().map(|finding| finding.check).collect();
    let expected =
        ["reachable", "clock", "anonymous", "realm", "service", "key", "key", "foreign-key"];
    assert_eq!(checks, expected);
}

#[tokio::test]
async fn a_key_that_the_registry_does_not_know_yet_is_a_warning_and_an_active_one_an_error() {
    for (known, expected) in [
        (0..1, [Level::Ok, Level::Warning]),
        (1..2, [Level::Error, Level::Ok]),
        (0..0, [Level::Error, Level::Warning]),
    ] {
        let mut driver = driver("");
        let registry = Registry::start(trusting(&driver, known)).await;
        driver.config.host.clone_from(&registry.host);
        assert_eq!(levels(&run(&driver).await, "key"), expected);
    }
}

#[tokio::test]
async fn a_registry_that_accepts_a_foreign_key_is_an_error() {
    let accepts_all = |request: &str| {
        if bearer(request).is_some() { format!("200 OK\r\n{DATE}") } else { challenge() }
    };
    let findings = findings_of(Box::new(accepts_all)).await;
    assert_eq!(levels(&findings, "foreign-key"), [Level::Error]);
}

#[tokio::test]
async fn a_registry_that_lets_everybody_in_is_an_error_and_is_sent_no_token() {
    let registry = Registry::start(Box::new(|_| format!("200 OK\r\n{DATE}"))).await;
    let findings = run(&driver(&registry.host)).await;
    assert_eq!(levels(&findings, "anonymous"), [Level::Error]);
    assert!(registry.requests.lock().iter().all(|request| bearer(request).is_none()));
}

#[tokio::test]
async fn d8_a_realm_on_a_foreign_host_gets_nothing() {
    let evil = Registry::start(Box::new(|_| "200 OK".to_owned())).await;
    let realm = format!("http://{}/token", evil.host);
    let findings = findings_of_challenge(&realm, "registry.test").await;
    assert_eq!(levels(&findings, "realm"), [Level::Error]);
    assert!(evil.requests.lock().is_empty());
}

#[tokio::test]
async fn d8_a_realm_that_only_looks_like_ours_is_an_error() {
    for realm in [
        "http://localhost:7080.evil.test/token",
        "http://localhost:7080@evil.test/token",
        "http://localhost:70800/token",
        "http://LOCALHOST:7080/token",
        "https://localhost:7080/token",
        "http://localhost:7080/token/",
        "http://localhost:7080/token?x",
        "localhost:7080/token",
        "",
    ] {
        let findings = findings_of_challenge(realm, "registry.test").await;
        assert_eq!(levels(&findings, "realm"), [Level::Error], "{realm}");
    }
}

#[tokio::test]
async fn another_service_or_no_challenge_is_an_error() {
    let findings = findings_of_challenge("http://localhost:7080/token", "registry.test/").await;
    assert_eq!(levels(&findings, "service"), [Level::Error]);
    let basic = || format!("401 Unauthorized\r\n{DATE}\r\nwww-authenticate: Basic realm=\"x\"");
    assert_eq!(levels(&findings_of(Box::new(move |_| basic())).await, "challenge"), [Level::Error]);
}

#[tokio::test]
async fn clocks_that_are_apart_are_told() {
    for (date, level) in [
        ("Sat, 01 Aug 2026 12:00:30 GMT", Level::Ok),
        ("Sat, 01 Aug 2026 11:59:20 GMT", Level::Warning),
        ("Sat, 01 Aug 2026 12:01:00 GMT", Level::Error),
        ("Sat, 01 Aug 2026 11:58:00 GMT", Level::Error),
        ("yesterday", Level::Warning),
    ] {
        let answer = format!("401 Unauthorized\r\ndate: {date}");
        let findings = findings_of(Box::new(move |_| answer.clone())).await;
        assert_eq!(levels(&findings, "clock"), [level], "{date}");
    }
}

#[tokio::test]
async fn a_registry_that_does_not_answer_is_one_error() {
    let host = Registry::start(Box::new(|_| String::new())).await.host;
    let findings = run(&driver(&host)).await;
    assert_eq!((findings.len(), findings[0].level), (1, Level::Error));
    assert!(findings[0].message.contains(&host), "{findings:?}");
}

#[tokio::test]
async fn what_a_registry_sends_is_shown_short_and_printable() {
    let long = format!("http://evil.test/{}", "x".repeat(1000));
    let findings = findings_of_challenge(&long, "s\u{9b}31m").await;
    assert!(findings.iter().all(|f| f.message.len() < 500), "{findings:?}");
    assert!(findings.iter().all(|f| !f.message.contains('\u{9b}')), "{findings:?}");
}

#[tokio::test]
async fn anonymous_access_through_dockpass_is_a_warning() {
    let registry = Registry::start(Box::new(|_| challenge())).await;
    let mut driver = driver(&registry.host);
    driver.config.anonymous = true;
    assert_eq!(levels(&run(&driver).await, "anonymous"), [Level::Warning]);
}
