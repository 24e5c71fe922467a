//! Where Redis is, and how a connection to it is made.

use std::time::Duration;

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::{
    AsyncConnectionConfig, Client, Cmd, Pipeline, RedisError, RedisFuture, TlsCertificates, Value,
};

use super::link::Trouble;
use crate::cache::url::{Kind, Nodes};
use crate::model::Secret;

/// Where Redis is.
pub(in crate::cache) enum Target {
    Single(Box<Client>),
    Cluster(Box<ClusterClient>),
}

/// A connection that many ask over at once.
#[derive(Clone)]
pub(super) enum Connection {
    Single(MultiplexedConnection),
    Cluster(ClusterConnection),
}

/// How many questions wait for an answer on one connection; more wait to be asked.
const AT_ONCE: usize = 512;

impl Target {
    /// Nothing is connected yet. With `authorities` (PEM), these certificates are trusted and no others.
    ///
    /// # Errors
    /// What is wrong, in words that hold nothing of the URL.
    pub(in crate::cache) fn build(
        nodes: &Nodes,
        authorities: Option<Vec<u8>>,
    ) -> Result<Self, &'static str> {
        let certificates = TlsCertificates { client_tls: None, root_cert: authorities };
        let urls: Vec<&str> = nodes.urls.iter().map(Secret::expose).collect();
        let built = match (nodes.kind, urls.as_slice()) {
            (Kind::Single, [url]) if nodes.tls => {
                Client::build_with_tls(*url, certificates).map(Box::new).map(Self::Single)
            }
            (Kind::Single, [url]) => Client::open(*url).map(Box::new).map(Self::Single),
            (Kind::Single | Kind::Cluster, urls) => {
                let cluster = ClusterClient::builder(urls.iter().copied());
                let cluster = if nodes.tls { cluster.certs(certificates) } else { cluster };
                // retried by the next who asks: here a caller waits
                cluster
                    .retries(1)
                    .connection_concurrency_limit(AT_ONCE)
                    .build()
                    .map(Box::new)
                    .map(Self::Cluster)
            }
        };
        built.map_err(|error| problem(&error))
    }

    /// A new connection.
    pub(super) async fn connect(&self, within: Duration) -> Result<Connection, Trouble> {
        let connecting = async {
            match self {
                Self::Single(client) => {
                    let config = AsyncConnectionConfig::new()
                        .set_connection_timeout(Some(within))
                        .set_response_timeout(Some(within))
                        .set_concurrency_limit(AT_ONCE);
                    let connection = client.get_multiplexed_async_connection_with_config(&config);
                    connection.await.map(Connection::Single)
                }
                Self::Cluster(client) => {
                    client.get_async_connection().await.map(Connection::Cluster)
                }
            }
        };
        // on the heap: it is large, and made once in a while
        match tokio::time::timeout(within, Box::pin(connecting)).await {
            Ok(connected) => connected.map_err(|error| Trouble::of(&error)),
            Err(_) => Err(Trouble::Late),
        }
    }
}

/// The library's own words hold the URL or a part of it.
fn problem(error: &RedisError) -> &'static str {
    match error.kind() {
        redis::ErrorKind::InvalidClientConfig => {
            "a host, port or database in it cannot be understood: write HOST:PORT, and a number for the database"
        }
        _ => {
            "the certificates of cache.ca_file cannot be used: they are PEM, each between BEGIN CERTIFICATE and END CERTIFICATE"
        }
    }
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Single(connection) => connection.req_packed_command(command),
            Self::Cluster(connection) => connection.req_packed_command(command),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        commands: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::Single(connection) => connection.req_packed_commands(commands, offset, count),
            Self::Cluster(connection) => connection.req_packed_commands(commands, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::Single(connection) => connection.get_db(),
            Self::Cluster(connection) => connection.get_db(),
        }
    }
}
