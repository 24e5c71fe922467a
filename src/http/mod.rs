//! The HTTP edge: the docker token endpoint, the documents that registries are configured with, their notifications, and the ops listener.
//!
//! HTTP types stop here: a request becomes a `DockerTokenRequest`, a `Refusal` an answer that every docker client shows.

mod authorization;
mod body;
mod call;
mod docker_token;
mod error;
mod json;
mod keys;
mod notifications;
mod ops;
mod parameters;
mod request;
mod response;
mod scope;

use std::sync::Arc;

use axum::Router;
use axum::routing::{MethodRouter, get, post};

use crate::broker::Broker;

pub use self::ops::ops_router;

/// The router of the HTTP listener.
pub fn router(broker: Arc<Broker>) -> Router {
    Router::new()
        .route("/token", token_methods(get(docker_token::get).post(docker_token::post)))
        .route("/.well-known/jwks.json", document_methods(get(keys::jwks)))
        .route("/ca.pem", document_methods(get(keys::root_certificate)))
        .route("/notifications/{registry}", event_methods(post(notifications::post)))
        .fallback(async || error::not_found())
        .with_state(broker)
}

/// GET and POST alone: a HEAD, which a GET answers by itself, would mint a token that nobody reads.
fn token_methods<S: Clone + Send + Sync + 'static>(methods: MethodRouter<S>) -> MethodRouter<S> {
    let refused = async || error::method_not_allowed("GET, POST");
    methods.head(refused).fallback(refused)
}

/// POST alone.
fn event_methods<S: Clone + Send + Sync + 'static>(methods: MethodRouter<S>) -> MethodRouter<S> {
    methods.fallback(async || error::method_not_allowed("POST"))
}

/// GET and HEAD.
fn document_methods<S: Clone + Send + Sync + 'static>(methods: MethodRouter<S>) -> MethodRouter<S> {
    methods.fallback(async || error::method_not_allowed("GET, HEAD"))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::header::ALLOW;
    use axum::http::{Request, StatusCode};
    use tower::ServiceExt;

    use super::*;

    async fn ask(method: &str, path: &str) -> (StatusCode, Option<String>) {
        let router = Router::new()
            .route("/token", token_methods(get(async || "minted").post(async || "minted")))
            .route("/ca.pem", document_methods(get(async || "pem")))
            .fallback(async || error::not_found());
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        let response = router.oneshot(request).await.unwrap();
        let allow = response.headers().get(ALLOW);
        (response.status(), allow.map(|allow| allow.to_str().unwrap().to_owned()))
    }

    #[tokio::test]
    async fn only_get_and_post_mint_and_only_get_and_head_read() {
        for (method, path) in
            [("GET", "/token"), ("POST", "/token"), ("GET", "/ca.pem"), ("HEAD", "/ca.pem")]
        {
            assert_eq!(ask(method, path).await.0, StatusCode::OK, "{method} {path}");
        }
        for method in ["HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "NONSENSE"] {
            let answer = (StatusCode::METHOD_NOT_ALLOWED, Some("GET, POST".to_owned()));
            assert_eq!(ask(method, "/token").await, answer, "{method}");
        }
        let answer = (StatusCode::METHOD_NOT_ALLOWED, Some("GET, HEAD".to_owned()));
        assert_eq!(ask("POST", "/ca.pem").await, answer);
    }

    #[tokio::test]
    async fn other_paths_are_not_found() {
        for path in ["/", "/token/", "/v2/", "/metrics", "/readyz", "/Token"] {
            assert_eq!(ask("GET", path).await.0, StatusCode::NOT_FOUND, "{path}");
        }
    }
}
