//! The ops listener: `/livez`, `/readyz` and `/metrics`.

use std::fmt;
use std::sync::Arc;

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Router, extract};
use serde::Serialize;

use super::error;
use super::json::json;
use crate::broker::{Broker, Dependency, State};

/// What the ops listener shows.
#[derive(Clone)]
struct Probes {
    dependencies: Arc<dyn Fn() -> Vec<Dependency> + Send + Sync>,
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
    router(Probes {
        dependencies: Arc::new(move || broker.dependencies()),
        metrics: Arc::new(metrics),
    })
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
struct Readiness {
    /// False while no request can be answered.
    ready: bool,
    dependencies: Vec<Standing>,
}

#[derive(Serialize)]
struct Standing {
    name: &'static str,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

impl From<Dependency> for Standing {
    fn from(Dependency { name, state }: Dependency) -> Self {
        let (state, detail) = match state {
            State::Up => ("up", None),
            State::Degraded(why) => ("degraded", Some(why)),
            State::Down(why) => ("down", Some(why)),
        };
        Self { name, state, detail }
    }
}

async fn readiness(extract::State(probes): extract::State<Probes>) -> Response {
    let dependencies = (probes.dependencies)();
    let ready = !dependencies.iter().any(|one| matches!(one.state, State::Down(_)));
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let dependencies = dependencies.into_iter().map(Standing::from).collect();
    json(status, &Readiness { ready, dependencies })
}

async fn metrics(extract::State(probes): extract::State<Probes>) -> Response {
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
    use axum::body::Body;
    use axum::http::Request;
    use parking_lot::Mutex;
    use tower::ServiceExt;

    use super::*;

    async fn ask(router: &Router, method: &str, path: &str) -> (StatusCode, String) {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, String::from_utf8(bytes.to_vec()).unwrap())
    }

    /// Probes that show what the mutex holds.
    fn probes(state: &Arc<Mutex<State>>) -> Probes {
        let state = Arc::clone(state);
        Probes {
            dependencies: Arc::new(move || {
                vec![Dependency { name: "audit", state: state.lock().clone() }]
            }),
            metrics: Arc::new(|| "dockpass_up 1\n".to_owned()),
        }
    }

    #[tokio::test]
    async fn readiness_follows_what_is_depended_on_and_liveness_does_not() {
        let state = Arc::new(Mutex::new(State::Up));
        let router = router(probes(&state));
        for (next, status, shown) in [
            (
                State::Up,
                StatusCode::OK,
                r#""ready":true,"dependencies":[{"name":"audit","state":"up"}]"#,
            ),
            (
                State::Down("full".to_owned()),
                StatusCode::SERVICE_UNAVAILABLE,
                r#""state":"down","detail":"full""#,
            ),
            (
                State::Degraded("slow".to_owned()),
                StatusCode::OK,
                r#""state":"degraded","detail":"slow""#,
            ),
        ] {
            *state.lock() = next;
            let (answered, body) = ask(&router, "GET", "/readyz").await;
            assert_eq!(answered, status);
            assert!(body.contains(shown), "{body}");
            assert_eq!(ask(&router, "GET", "/livez").await.0, StatusCode::OK);
        }
    }

    #[tokio::test]
    async fn metrics_are_rendered_and_nothing_else_is_served() {
        let router = router(probes(&Arc::new(Mutex::new(State::Up))));
        assert_eq!(
            ask(&router, "GET", "/metrics").await,
            (StatusCode::OK, "dockpass_up 1\n".into())
        );
        assert_eq!(ask(&router, "HEAD", "/livez").await.0, StatusCode::OK);
        assert_eq!(ask(&router, "POST", "/metrics").await.0, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(ask(&router, "GET", "/token").await.0, StatusCode::NOT_FOUND);
    }
}
