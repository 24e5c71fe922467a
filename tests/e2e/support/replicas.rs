//! Replicas of the program on one PostgreSQL and one Redis, each with a network of its own to both, behind one load balancer.

use std::path::Path;
use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tonic::transport::Endpoint;

use super::broker::Shared;
use super::load::Credentials;
use super::registry::TokenServer;
use super::{
    AUDIENCE, Broker, Issuer, KeyMode, Network, Operator, Postgres, Proxy, RealRegistry, Redis,
    eventually, free_port, github, http, policy,
};

/// How many there are.
const REPLICAS: usize = 3;

/// One replica, and the network between it and what it depends on.
pub(crate) struct Replica {
    pub(crate) broker: Broker,
    pub(crate) to_postgres: Proxy,
    pub(crate) to_redis: Proxy,
}

/// All replicas, running, with what they share.
pub(crate) struct Replicas {
    pub(crate) all: Vec<Replica>,
    pub(crate) issuer: Arc<Issuer>,
    pub(crate) postgres: Postgres,
    pub(crate) redis: Redis,
    balancer: Proxy,
    service: String,
    /// Made the keys that all of them use; it never runs.
    _keys: Broker,
}

impl Replicas {
    /// The subject of who may change the policy.
    pub(crate) const OPERATOR: &str = "operator";

    /// Three of them, with the policy of the tests.
    pub(crate) async fn start() -> Self {
        Self::on(Postgres::start().await).await
    }

    /// The same on this PostgreSQL.
    pub(crate) async fn on(postgres: Postgres) -> Self {
        let (issuer, redis) = (Arc::new(Issuer::start().await), Redis::start().await);
        let service = format!("localhost:{}", free_port());
        let configure = || Broker::configure(issuer.url(), AUDIENCE, &service, KeyMode::X5c);
        let keys = configure();
        keys.offline(&["registry", "show", "local", "--bundle"]).await.succeeded();
        let brokers: Vec<Broker> = (0..REPLICAS).map(|_| configure()).collect();
        let balancer = Proxy::to_one_of(brokers.iter().map(Broker::http_port).collect()).await;
        let external_url = format!("http://localhost:{}", balancer.port());
        let mut all = Vec::new();
        for broker in brokers {
            let (to_postgres, to_redis) =
                (Proxy::to(postgres.port()).await, Proxy::to(redis.port()).await);
            broker.share(&Shared {
                store: Postgres::url_by(to_postgres.port()),
                cache: Redis::url_by(to_redis.port()),
                keys: keys.folder(),
                external_url: &external_url,
                operator: Self::OPERATOR,
            });
            all.push(Replica { broker, to_postgres, to_redis });
        }
        all[0].broker.apply(&policy(issuer.url(), "enabled")).await;
        // all at once: each makes what is missing in the store, or finds it made
        join_all(all.iter_mut().map(|replica| replica.broker.serve())).await;
        let this = Self { all, issuer, postgres, redis, balancer, service, _keys: keys };
        this.ready().await;
        this
    }

    /// Waits until all of them say that they are ready.
    pub(crate) async fn ready(&self) {
        for replica in &self.all {
            eventually("readiness", async || replica.is_ready().await.then_some(())).await;
        }
    }

    /// The URLs of their gRPC listeners.
    pub(crate) fn grpc_urls(&self) -> Vec<String> {
        self.all.iter().map(|replica| replica.broker.grpc_url()).collect()
    }

    /// The token endpoint of all of them.
    pub(crate) fn token_url(&self) -> String {
        format!("http://localhost:{}/token", self.balancer.port())
    }

    /// The name of the registry as a service.
    pub(crate) fn service(&self) -> String {
        self.service.clone()
    }

    /// Who may change the policy, at one of them.
    pub(crate) async fn operator(&self, replica: usize) -> Operator {
        let identity = self.issuer.token(AUDIENCE, &json!({"sub": Self::OPERATOR}));
        let endpoint = Endpoint::from_shared(self.all[replica].broker.grpc_url()).unwrap();
        Operator::new(endpoint.connect().await.unwrap(), identity)
    }

    /// The policy in force at the start.
    pub(crate) fn policy(&self) -> String {
        policy(self.issuer.url(), "enabled")
    }

    /// The identity token of the CI job that may push to `servers/nginx`.
    pub(crate) fn job(&self) -> String {
        self.issuer.token(AUDIENCE, &github("123456", "refs/heads/main"))
    }

    /// A registry that sends its clients to all of them for a token, with its files in `folder`.
    pub(crate) async fn registry(&self, folder: &Path) -> RealRegistry {
        let bundle = http().get(self.all[0].broker.url("/ca.pem")).send().await.unwrap();
        let token_server = TokenServer {
            realm: self.token_url(),
            service: &self.service,
            issuer: "dockpass-test",
            bundle: &bundle.text().await.unwrap(),
            notifications: "",
        };
        let port = self.service.rsplit(':').next().unwrap().parse().unwrap();
        RealRegistry::start(folder, port, &token_server).await
    }

    /// Changes the network between all of them and PostgreSQL.
    pub(crate) fn to_postgres(&self, network: Network) {
        self.all.iter().for_each(|replica| replica.to_postgres.set(network));
    }

    /// Changes the network between all of them and Redis.
    pub(crate) fn to_redis(&self, network: Network) {
        self.all.iter().for_each(|replica| replica.to_redis.set(network));
    }

    /// The sum of a metric over all of them; `name` with the labels that it has to have, as in `name{label="value"}`.
    pub(crate) async fn metric(&self, name: &str) -> f64 {
        let mut sum = 0.0;
        for replica in &self.all {
            let metrics = http().get(replica.broker.ops_url("/metrics")).send().await.unwrap();
            let metrics = metrics.text().await.unwrap();
            let values = metrics.lines().filter_map(|line| line.strip_prefix(name));
            sum += values.map(|value| value.trim().parse::<f64>().unwrap()).sum::<f64>();
        }
        sum
    }

    /// Verifies all chains of the trail.
    pub(crate) async fn verify(&self) {
        self.all[0].broker.offline(&["audit", "verify"]).await.succeeded();
    }

    /// What was given by the trail of all of them, which has to verify.
    pub(crate) async fn trail(&self) -> Credentials {
        self.verify().await;
        let broker = &self.all[0].broker;
        let mut given = Credentials::new();
        for line in broker.offline(&["audit", "export"]).await.succeeded().lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let open = &line["event"]["open"];
            if let Some(id) = open["grant"]["accessToken"].as_str() {
                let kind = open["kind"].as_str().unwrap();
                *given.entry((kind.to_owned(), id.to_owned())).or_default() += 1;
            }
        }
        given
    }
}

impl Drop for Replicas {
    /// When the test failed, what the replicas complained of last; the files go with the test.
    #[expect(clippy::print_stderr, reason = "it is for whoever looks for why a test failed")]
    fn drop(&mut self) {
        const LINES: usize = 30;
        if !std::thread::panicking() {
            return;
        }
        for (number, replica) in self.all.iter().enumerate() {
            let output = replica.broker.output();
            let is_bad = |line: &&str| line.contains("\"WARN\"") || line.contains("\"ERROR\"");
            let bad: Vec<&str> = output.lines().filter(is_bad).collect();
            let last = bad.len().saturating_sub(LINES);
            eprintln!("replica {number}, of {} complaints:\n{}", bad.len(), bad[last..].join("\n"));
        }
    }
}

impl Replica {
    /// Whether it says that it is ready.
    pub(crate) async fn is_ready(&self) -> bool {
        let answer = http().get(self.broker.ops_url("/readyz")).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }
}
