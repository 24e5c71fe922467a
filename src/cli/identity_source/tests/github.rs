//! An emulated token service of a GitHub runner.

use std::collections::HashMap;
use std::net::SocketAddr;

use axum::Router;
use axum::extract::RawQuery;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;

use super::*;

/// Answers as the runner does: 401 without the request token, and a token for the audience that was asked for.
async fn answer(RawQuery(query): RawQuery, headers: HeaderMap) -> Result<String, StatusCode> {
    if headers.get("authorization").is_none_or(|value| value != "Bearer request-token") {
        return Err(StatusCode::UNAUTHORIZED);
    }
    let query = query.unwrap_or_default();
    let query: HashMap<_, _> = form_urlencoded::parse(query.as_bytes()).collect();
    match (query.get("api-version").map(AsRef::as_ref), query.get("audience")) {
        (Some("2.0"), Some(audience)) => {
            Ok(json!({ "count": 1, "value": format!("jwt-for-{audience}") }).to_string())
        }
        _ => Err(StatusCode::BAD_REQUEST),
    }
}

async fn redirect() -> (StatusCode, [(&'static str, &'static str); 1]) {
    (StatusCode::FOUND, [("location", "/token?api-version=2.0")])
}

async fn runner() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new()
        .route("/token", get(answer))
        .route("/moved", get(redirect))
        .route("/odd", get(|| async { "no json" }));
    TaskTracker::new().spawn(async move { axum::serve(listener, router).await });
    address
}

async fn ask(url: &str, request_token: &str) -> Result<Secret, String> {
    let environment = environment(&[
        ("ACTIONS_ID_TOKEN_REQUEST_URL", url),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", request_token),
    ]);
    sources(&environment).detect().await.map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_job_gets_a_token_with_the_brokers_audience() {
    let url = format!("http://{}/token?api-version=2.0", runner().await);
    let token = ask(&url, "request-token").await.unwrap();
    assert_eq!(token.expose(), "jwt-for-https://broker.example.com");
}

#[tokio::test]
async fn a_service_that_refuses_or_answers_something_else_is_an_error_and_no_other_source_is_asked()
{
    let runner = runner().await;
    for (path, request_token, expected) in [
        ("token?api-version=2.0", "wrong", "401"),
        ("token", "request-token", "400"),
        ("odd", "request-token", "no `value`"),
        ("missing", "request-token", "404"),
    ] {
        let error = ask(&format!("http://{runner}/{path}"), request_token).await.unwrap_err();
        assert!(error.contains("GitHub Actions") && error.contains(expected), "{path}: {error}");
        assert!(!error.contains("request-token"), "{error}");
    }
}

#[tokio::test]
async fn d7_the_request_token_follows_no_redirect_and_is_not_sent_over_plain_http() {
    let url = format!("http://{}/moved?x=y", runner().await);
    let error = ask(&url, "request-token").await.unwrap_err();
    assert!(error.contains("302") || error.contains("redirect"), "{error}");
    let error = ask("http://runner.example.com/token?x=y", "request-token").await.unwrap_err();
    assert!(error.contains("may not be asked"), "{error}");
}
