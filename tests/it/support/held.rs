//! An issuer that keeps its callers waiting until the test lets them go.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{AUDIENCE, Issuer, Site, http};

/// An issuer whose discovery document comes only after [`Held::release`].
pub(crate) struct Held {
    issuer: Issuer,
    gate: Arc<Gate>,
    url: String,
    _server: JoinSet<()>,
}

struct Gate {
    arrived: watch::Sender<bool>,
    open: watch::Sender<bool>,
    discovery: Value,
    keys: String,
}

impl Held {
    /// Starts it, held.
    pub(crate) async fn start() -> Self {
        let issuer = Issuer::start().await;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let keys = http().get(format!("{}/keys", issuer.url())).send().await.unwrap();
        let gate = Arc::new(Gate {
            arrived: watch::Sender::new(false),
            open: watch::Sender::new(false),
            discovery: json!({"issuer": url, "jwks_uri": format!("{url}/keys")}),
            keys: keys.text().await.unwrap(),
        });
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/keys", get(async |State(gate): State<Arc<Gate>>| gate.keys.clone()))
            .with_state(Arc::clone(&gate));
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { issuer, gate, url, _server: server }
    }

    /// A broker that trusts it beside the site's own issuer, and has a token for its subject `held`.
    pub(crate) async fn site(&self, more: &str) -> Site {
        let url = &self.url;
        let site = Site::with(&format!(
            "[[issuers]]\nissuer = \"{url}\"\naudience = \"{AUDIENCE}\"\nloopback_http = true\n{more}"
        ))
        .await;
        let token = include_str!("held.toml").replace("ISSUER", url);
        site.apply(&(site.policy() + &token)).await;
        site
    }

    /// A token of a subject.
    pub(crate) fn token(&self, subject: &str) -> String {
        self.issuer.token(AUDIENCE, &json!({"iss": self.url, "sub": subject}))
    }

    /// Returns when somebody waits for its answer.
    pub(crate) async fn arrived(&self) {
        self.gate.arrived.subscribe().wait_for(|arrived| *arrived).await.unwrap();
    }

    /// Answers from now on.
    pub(crate) fn release(&self) {
        self.gate.open.send_replace(true);
    }
}

async fn discovery(State(gate): State<Arc<Gate>>) -> String {
    gate.arrived.send_replace(true);
    gate.open.subscribe().wait_for(|open| *open).await.unwrap();
    gate.discovery.to_string()
}
