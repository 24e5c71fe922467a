//! Several replicas on one PostgreSQL database of their own.

use std::path::PathBuf;
use std::sync::Arc;

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};

use super::super::*;
use crate::model::SystemClock;
use crate::store::Url;

/// A database, and what the replicas on it share.
pub(super) struct Cluster {
    folder: TempDir,
    url: String,
    pub(super) clock: ManualClock,
}

/// One replica: its store, and its journal.
pub(super) struct Replica {
    pub(super) store: Store,
    pub(super) journal: Journal,
}

impl Cluster {
    pub(super) async fn new() -> Self {
        let server = std::env::var("DOCKPASS_TEST_POSTGRES")
            .expect("this test needs a PostgreSQL server: run it by `tests/run`");
        let folder = tempfile::tempdir().unwrap();
        let id = DecisionId::new(SystemClock.now()).to_string();
        let name = format!("audit_{}", id.replace('-', "_"));
        let url = format!("{}/{name}", server.rsplit_once('/').unwrap().0);
        let cluster = Self { folder, url: server, clock: clock() };
        cluster.run(&format!("CREATE DATABASE {name}")).await;
        Self { url, ..cluster }
    }

    /// A store of a replica that is new on the database.
    pub(super) async fn store(&self) -> Store {
        let config = Config { url: Url::new(&self.url), ..Config::default() };
        Store::open(&config, self.folder.path()).await.unwrap()
    }

    pub(super) fn key_file(&self, replica: u32) -> PathBuf {
        self.folder.path().join(format!("{replica}.key"))
    }

    /// A replica with a signing key of its own.
    pub(super) async fn replica(&self, number: u32) -> Replica {
        let store = self.store().await;
        let clock = Arc::new(self.clock.clone());
        let journal = Journal::start(&store, &self.key_file(number), clock).await.unwrap();
        Replica { store, journal }
    }

    /// Some replicas, whose chains are 0 and so on, with `events` events in turns, one minute after another.
    pub(super) async fn with_events(replicas: u32, events: u8) -> (Self, Vec<Replica>) {
        let cluster = Self::new().await;
        let mut all = Vec::new();
        for number in 0..replicas {
            all.push(cluster.replica(number).await);
        }
        for number in 0..events {
            all[usize::from(number) % all.len()].record(&cluster, number).await;
        }
        (cluster, all)
    }

    /// As [`Self::with_events`], with all replicas closed in order.
    pub(super) async fn closed(replicas: u32, events: u8) -> (Self, Archive) {
        let (cluster, replicas) = Self::with_events(replicas, events).await;
        for replica in &replicas {
            replica.journal.close().await;
        }
        let archive = Archive::open(&replicas[0].store);
        (cluster, archive)
    }

    /// What somebody with access to the database could do.
    pub(super) async fn run(&self, sql: &str) {
        let mut connection = self.connect().await;
        connection.execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))).await.unwrap();
        connection.close().await.unwrap();
    }

    async fn connect(&self) -> PgConnection {
        let options: sqlx::postgres::PgConnectOptions = self.url.parse().unwrap();
        options.disable_statement_logging().connect().await.unwrap()
    }

    /// Ends the connection that holds a chain, and returns when it has ended.
    pub(super) async fn cut_off(&self, chain: u32) {
        self.run(&format!(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE locktype = 'advisory' AND classid = 1684763748 AND objid = {chain} \
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        ))
        .await;
    }
}

impl Replica {
    /// Records an event, and lets a minute go by.
    pub(super) async fn record(&self, cluster: &Cluster, number: u8) -> Event {
        let event = event(&cluster.clock, number);
        self.journal.append(event.clone()).await.unwrap();
        cluster.clock.advance(SignedDuration::from_mins(1));
        event
    }
}
