//! Several replicas on one PostgreSQL database of their own.

use std::path::PathBuf;
use std::sync::Arc;

use super::super::*;

/// A database, and what the replicas on it share.
pub(super) struct Cluster {
    folder: TempDir,
    pub(super) world: World,
    pub(super) clock: ManualClock,
}

/// One replica: its store, and its journal.
pub(super) struct Replica {
    pub(super) store: Store,
    pub(super) journal: Journal,
}

impl Cluster {
    pub(super) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder, world: World::postgres().await, clock: clock() }
    }

    pub(super) fn key_file(&self, replica: u32) -> PathBuf {
        self.folder.path().join(format!("{replica}.key"))
    }

    /// A replica with a signing key of its own.
    pub(super) async fn replica(&self, number: u32) -> Replica {
        let store = self.world.again().await;
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

    /// Does what somebody with access to the database could do.
    pub(super) fn run(&self, sql: impl Into<String>) {
        self.world.database().execute(sql);
    }

    /// Ends the connection that holds a chain, and returns when it has ended.
    pub(super) fn cut_off(&self, chain: u32) {
        self.run(format!(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE locktype = 'advisory' AND classid = 1684763748 AND objid = {chain} \
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        ));
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
