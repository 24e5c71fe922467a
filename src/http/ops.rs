//! The ops listener: `/livez`, `/readyz` and `/metrics`.

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;

use super::error;
use super::json::json;
use crate::broker::Broker;

/// What the ops listener shows.
#[derive(Clone)]
struct Probes {
    is_ready: Arc<dyn Fn() -> bool + Send + Sync>,
    metrics: Arc<dyn Fn() -> String + Send + Sync>,
}

impl fmt::Debug for Probes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probes").finish_non_exhaustive()
    }
}

/// The router of the ops listener. `metrics` renders them in the text format of Prometheus.
pub fn ops_router(
    broker: Arc<Broker>,
    metrics: impl Fn() -> String + Send + Sync + 'static,
) -> Router {
    router(Probes { is_ready: Arc::new(move || broker.is_ready()), metrics: Arc::new(metrics) })
}

fn router(probes: Probes) -> Router {
    let refused = || async { error::method_not_allowed("GET, HEAD") };
    Router::new()
        .route("/livez", get(async || "ok\n").fallback(refused))
        .route("/readyz", get(readiness).fallback(refused))
        .route("/metrics", get(metrics).fallback(refused))
        .fallback(async || error::not_found())
        .with_state(probes)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Readiness {
    ready: bool,
    /// What is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting_for: Option<&'static str>,
}

async fn readiness(State(probes): State<Probes>) -> Response {
    if (probes.is_ready)() {
        json(StatusCode::OK, &Readiness { ready: true, waiting_for: None })
    } else {
        let waiting_for = Some("the audit journal, which cannot be written");
        json(StatusCode::SERVICE_UNAVAILABLE, &Readiness { ready: false, waiting_for })
    }
}

async fn metrics(State(probes): State<Probes>) -> Response {
    // beside what serves: there are thousands of lines
    match tokio::task::spawn_blocking(move || (probes.metrics)()).await {
        // the content type of the text format, version 0.0.4
        Ok(text) => {
            ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use axum::body::Body;
    use axum::http::Request;
    use tower::ServiceExt;

    use super::*;

    async fn ask(router: &Router, method: &str, path: &str) -> (StatusCode, String) {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, String::from_utf8(bytes.to_vec()).unwrap())
    }

    fn probes(is_ready: &Arc<AtomicBool>) -> Probes {
        let is_ready = Arc::clone(is_ready);
        Probes {
            is_ready: Arc::new(move || is_ready.load(Ordering::SeqCst)),
            metrics: Arc::new(|| "dockpass_up 1\n".to_owned()),
        }
    }

    #[tokio::test]
    async fn readiness_follows_the_journal_and_liveness_does_not() {
        let is_ready = Arc::new(AtomicBool::new(true));
        let router = router(probes(&is_ready));
        assert_eq!(
            ask(&router, "GET", "/readyz").await,
            (StatusCode::OK, r#"{"ready":true}"#.into())
        );
        is_ready.store(false, Ordering::SeqCst);
        let (status, body) = ask(&router, "GET", "/readyz").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(body.contains("audit journal"), "{body}");
        assert_eq!(ask(&router, "GET", "/livez").await.0, StatusCode::OK);
        is_ready.store(true, Ordering::SeqCst);
        assert_eq!(ask(&router, "GET", "/readyz").await.0, StatusCode::OK);
    }

    #[tokio::test]
    async fn metrics_are_rendered_and_nothing_else_is_served() {
        let router = router(probes(&Arc::new(AtomicBool::new(true))));
        assert_eq!(
            ask(&router, "GET", "/metrics").await,
            (StatusCode::OK, "dockpass_up 1\n".into())
        );
        assert_eq!(ask(&router, "HEAD", "/livez").await.0, StatusCode::OK);
        assert_eq!(ask(&router, "POST", "/metrics").await.0, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(ask(&router, "GET", "/token").await.0, StatusCode::NOT_FOUND);
    }
}
