//! All parts together: an issuer, a broker with a policy, a registry that trusts it, clients and an image.

use std::sync::Arc;

use dockpass::model::Clock;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::registry::TokenServer;
use super::{Broker, Clients, Image, Issuer, KeyMode, RealRegistry, free_port, github, http};

/// What identity tokens are made out to.
pub(crate) const AUDIENCE: &str = "https://dockpass.example.com";

/// All parts, running.
pub(crate) struct World {
    pub(crate) broker: Broker,
    pub(crate) clients: Clients,
    pub(crate) image: Image,
    pub(crate) issuer: Issuer,
    pub(crate) registry: RealRegistry,
    /// The registry's files.
    _folder: TempDir,
}

impl World {
    /// The program as it is shipped, in x5c mode.
    pub(crate) async fn start() -> Self {
        Self::assemble(KeyMode::X5c, Notifications::None, None).await
    }

    /// The program as it is shipped, with a registry that reports its uses.
    pub(crate) async fn with_notifications() -> Self {
        Self::assemble(KeyMode::X5c, Notifications::Sent, None).await
    }

    /// Another broker with the keys and the policy of this one, and a trail of its own.
    pub(crate) async fn thief(&self) -> Broker {
        let host = self.registry.host();
        let mut thief = Broker::configure(self.issuer.url(), AUDIENCE, &host, KeyMode::X5c);
        thief.steal_keys_of(&self.broker);
        thief.apply(&self.policy()).await;
        thief.serve().await;
        thief
    }

    /// The program as it is shipped.
    pub(crate) async fn with_keys(keys: KeyMode) -> Self {
        Self::assemble(keys, Notifications::None, None).await
    }

    /// A broker by a clock of the test's own.
    pub(crate) async fn with_clock(clock: Arc<dyn Clock>) -> Self {
        Self::assemble(KeyMode::X5c, Notifications::None, Some(clock)).await
    }

    async fn assemble(keys: KeyMode, sent: Notifications, clock: Option<Arc<dyn Clock>>) -> Self {
        let (issuer, folder, port) =
            (Issuer::start_rs256().await, TempDir::new().unwrap(), free_port());
        let host = format!("localhost:{port}");
        let mut broker = Broker::configure(issuer.url(), AUDIENCE, &host, keys);
        if sent == Notifications::Sent {
            broker.take_notifications();
        }
        broker.apply(&policy(issuer.url(), "enabled")).await;
        match clock {
            Some(clock) => broker.serve_by(clock).await,
            None => broker.serve().await,
        }
        let bundle = match keys {
            KeyMode::X5c => {
                http().get(broker.url("/ca.pem")).send().await.unwrap().text().await.unwrap()
            }
            KeyMode::Kid => {
                broker.offline(&["registry", "show", "local", "--bundle"]).await.succeeded()
            }
        };
        let notifications = match sent {
            Notifications::None => String::new(),
            Notifications::Sent => broker.notifications_block().await,
        };
        let token_server = TokenServer {
            realm: broker.url("/token"),
            service: &host,
            issuer: "dockpass-test",
            bundle: &bundle,
            notifications: &notifications,
        };
        let registry = RealRegistry::start(folder.path(), port, &token_server).await;
        let clients = Clients::new();
        let image = Image::write(&clients.home().join("image"), "hello");
        Self { broker, clients, image, issuer, registry, _folder: folder }
    }

    /// The identity token of the CI job that may push to `servers/nginx`.
    pub(crate) fn job(&self) -> String {
        self.issuer.token(AUDIENCE, &github("123456", "refs/heads/main"))
    }

    /// The identity token of a job that pulls `servers/nginx` and no more.
    pub(crate) fn puller(&self) -> String {
        self.issuer.token(AUDIENCE, &json!({"sub": "puller"}))
    }

    /// A token with other claims.
    pub(crate) fn identity(&self, claims: &Value) -> String {
        self.issuer.token(AUDIENCE, claims)
    }

    /// A repository as clients write it, with the tag `1`.
    pub(crate) fn image_in(&self, repository: &str) -> String {
        format!("{}/{repository}:1", self.registry.host())
    }

    /// A new password of a token, as an operator generates it.
    pub(crate) async fn password_of(&self, token: &str) -> String {
        let arguments = ["token", "credential", "generate", "--registry", "local", "--name", token];
        let options = ["--password1", "--expiration-in-days", "30", "--output", "json"];
        let out = self.broker.offline(&[arguments.as_slice(), &options].concat()).await.succeeded();
        let answer: Value = serde_json::from_str(&out).unwrap();
        answer["passwords"][0]["value"].as_str().unwrap().to_owned()
    }

    /// The policy in force at the start.
    pub(crate) fn policy(&self) -> String {
        policy(self.issuer.url(), "enabled")
    }

    /// Applies the policy with the token `nginx-ci` enabled or disabled.
    pub(crate) async fn set_nginx_ci(&self, status: &str) {
        self.broker.apply(&policy(self.issuer.url(), status)).await;
    }
}

/// Whether the registry reports its uses.
#[derive(Clone, Copy, PartialEq)]
enum Notifications {
    None,
    Sent,
}

/// The policy of the tests; `status` is that of the token `nginx-ci`.
pub(crate) fn policy(issuer: &str, status: &str) -> String {
    include_str!("policy.toml").replace("ISSUER", issuer).replace("STATUS", status)
}
