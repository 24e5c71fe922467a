use reqwest::header::HeaderValue;
use serde_json::json;

use super::super::Oidc;
use super::super::testing::{Bench, DISCOVERY, P256, config, noon};
use super::*;
use crate::identity::Error;
use crate::net::testing::{Answer, Server};

/// Why the keys cannot be had.
async fn problem(bench: &Bench) -> String {
    match bench.oidc.verify(&bench.token("k1", &bench.claims())).await {
        Err(Error::IssuerUnavailable { problem, .. }) => problem,
        other => panic!("{other:?}"),
    }
}

fn discover(bench: &Bench, document: &Value) {
    bench.server.answer(DISCOVERY, Answer::ok(document.to_string()));
}

#[tokio::test]
async fn d4_a_document_of_another_issuer_is_refused() {
    for change in ["/", "x", "?"] {
        let bench = Bench::new().await;
        let url = bench.server.url();
        discover(
            &bench,
            &json!({"issuer": format!("{url}{change}"), "jwks_uri": format!("{url}/keys")}),
        );
        assert!(problem(&bench).await.contains("another issuer"));
    }
    let bench = Bench::new().await;
    discover(&bench, &json!({"jwks_uri": format!("{}/keys", bench.server.url())}));
    assert!(problem(&bench).await.contains("another issuer"));
}

#[tokio::test]
async fn d4_keys_on_another_host_are_refused_unless_configured() {
    let other = Server::start().await;
    other.answer("/keys", Answer::ok(json!({"keys": [P256.jwk("k1")]}).to_string()));
    let document = |bench: &Bench| json!({"issuer": bench.server.url(), "jwks_uri": format!("{}/keys", other.url())});
    let bench = Bench::new().await;
    discover(&bench, &document(&bench));
    assert!(problem(&bench).await.contains("another host"));
    assert_eq!(other.asked_at_all(), 0);
    let host = other.url().strip_prefix("http://").unwrap().to_owned();
    let bench = Bench::with(|config| config.jwks_hosts = vec![host]).await;
    discover(&bench, &document(&bench));
    assert!(bench.oidc.verify(&bench.token("k1", &bench.claims())).await.is_ok());
}

#[tokio::test]
async fn d4_addresses_of_keys_that_only_look_alike_are_refused() {
    let bench = Bench::new().await;
    let host = bench.server.url().strip_prefix("http://").unwrap().to_owned();
    for address in [
        format!("http://{host}.evil.example/keys"),
        format!("http://{host}@evil.example/keys"),
        format!("http://evil.example/{host}/keys"),
        format!("http://evil.example#{host}"),
        "http://127.0.0.1/keys".to_owned(),
        "file:///etc/passwd".to_owned(),
        "/keys".to_owned(),
        String::new(),
    ] {
        discover(&bench, &json!({"issuer": bench.server.url(), "jwks_uri": address}));
        let problem = problem(&bench).await;
        assert!(problem.contains("`jwks_uri` is"), "{address}: {problem}");
        bench.clock.advance(jiff::SignedDuration::from_mins(2));
    }
}

#[tokio::test]
async fn d2_keys_over_plain_http_beyond_loopback_are_refused() {
    let bench = Bench::with(|config| config.jwks_hosts = vec!["keys.example.com".to_owned()]).await;
    discover(
        &bench,
        &json!({"issuer": bench.server.url(), "jwks_uri": "http://keys.example.com/keys"}),
    );
    assert!(problem(&bench).await.contains("only https is allowed"));
}

#[tokio::test]
async fn d3_redirects_of_documents_and_keys_are_not_followed() {
    let other = Server::start().await;
    for path in [DISCOVERY, "/keys"] {
        let bench = Bench::new().await;
        bench.server.answer(path, Answer::status(302).header("location", other.url()));
        assert!(problem(&bench).await.contains("redirects"));
    }
    assert_eq!(other.asked_at_all(), 0);
}

#[tokio::test]
async fn d5_answers_that_are_no_keys_are_refused() {
    for (path, answer) in [
        (DISCOVERY, Answer::status(500)),
        (DISCOVERY, Answer::ok("<html>")),
        (DISCOVERY, Answer::ok("[".repeat(100_000))),
        ("/keys", Answer::status(404)),
        ("/keys", Answer::status(204)),
        ("/keys", Answer::ok(vec![b' '; HttpClient::MAX_BODY + 1])),
        ("/keys", Answer::ok("{\"keys\":[]}")),
        ("/keys", Answer::ok("\x1f\u{8b}").header("content-encoding", "gzip")),
    ] {
        let bench = Bench::new().await;
        bench.server.answer(path, answer.clone());
        assert!(!problem(&bench).await.is_empty(), "{path} {answer:?}");
    }
}

#[test]
fn keys_are_fresh_for_as_long_as_the_issuer_says_within_bounds() {
    let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
    for (value, fresh) in [
        (None, minutes(60)),
        (Some("max-age=600"), minutes(10)),
        (Some("public, max-age=22138, must-revalidate"), Duration::from_secs(22138)),
        (Some("Max-Age=\"600\""), minutes(10)),
        (Some("max-age=1"), minutes(5)),
        (Some("max-age=0"), minutes(5)),
        (Some("no-store"), minutes(5)),
        (Some("no-cache, max-age=600"), minutes(5)),
        (Some("max-age=99999999"), minutes(24 * 60)),
        (Some("max-age=18446744073709551616"), minutes(60)),
        (Some("max-age=-1"), minutes(60)),
        (Some("max-age"), minutes(60)),
    ] {
        let mut headers = HeaderMap::new();
        if let Some(value) = value {
            headers.insert(CACHE_CONTROL, HeaderValue::from_static(value));
        }
        assert_eq!(freshness(&headers), fresh, "{value:?}");
    }
}

#[tokio::test]
async fn the_path_of_an_issuer_is_kept_and_its_trailing_slash_is_not_doubled() {
    let bench = Bench::new().await;
    let issuer = format!("{}/tenant/", bench.server.url());
    let document = json!({"issuer": issuer, "jwks_uri": format!("{}/keys", bench.server.url())});
    let path = format!("/tenant{DISCOVERY}");
    bench.server.answer(&path, Answer::ok(document.to_string()));
    let discovery = Discovery::build(&config(&issuer)).unwrap();
    assert!(discovery.fetch().await.unwrap().0.find(Some("k1")).is_ok());
    assert_eq!(bench.server.asked(&path), 1);
}

#[tokio::test]
async fn d7_nothing_of_ours_is_sent_along() {
    let bench = Bench::new().await;
    assert!(bench.oidc.verify(&bench.token("k1", &bench.claims())).await.is_ok());
    let headers = bench.server.last_headers();
    let mut names: Vec<&str> = headers.keys().map(|name| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["accept", "host", "user-agent"]);
}

#[test]
fn a_ca_file_that_cannot_be_used_is_refused_with_the_issuer_named() {
    let mut config = config("https://issuer.example.com");
    config.ca_file = Some("/nowhere/ca.pem".into());
    let clock = std::sync::Arc::new(crate::model::ManualClock::at(noon()));
    let error = Oidc::build(vec![config], clock).unwrap_err().to_string();
    assert!(error.contains("issuer.example.com") && error.contains("/nowhere/ca.pem"), "{error}");
}
