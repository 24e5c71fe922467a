//! Tests of the audit trail as a whole, on a real store in a temporary folder.

mod archive;
mod chains;
mod checkpoint;
mod damage;
mod faults;
mod index;
mod replicas;

use std::path::PathBuf;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::model::{Claims, Clock, DecisionId, JsonObject, Lifetime, ManualClock, Reason};
use crate::store::for_test::World;
use crate::store::{Chain, JournalRow, Store};

/// Makes a test of each function over each engine.
macro_rules! on_both_engines {
    ($($test:ident)*) => {
        mod on_sqlite {
            $(#[tokio::test] async fn $test() { super::$test(super::Fixture::new().await).await; })*
        }
        mod on_postgres {
            $(#[tokio::test] async fn $test() { super::$test(super::Fixture::postgres().await).await; })*
        }
    };
}
use on_both_engines;

/// A store, a folder for the key, and a clock that stands still.
struct Fixture {
    folder: TempDir,
    store: Store,
    clock: ManualClock,
    world: World,
}

impl Fixture {
    /// With an embedded store.
    async fn new() -> Self {
        Self::on(World::sqlite().await)
    }

    /// With a store in PostgreSQL.
    async fn postgres() -> Self {
        Self::on(World::postgres().await)
    }

    fn on(world: World) -> Self {
        let store = world.store.clone();
        Self { folder: tempfile::tempdir().unwrap(), store, clock: clock(), world }
    }

    async fn journal(&self) -> Journal {
        Journal::start(&self.store, &self.key_file(), Arc::new(self.clock.clone())).await.unwrap()
    }

    /// A closed journal of `count` events in an embedded store, one minute after another.
    async fn with_events(count: u8) -> Self {
        Self::new().await.filled(count).await
    }

    /// With a closed journal of `count` events, one minute after another.
    async fn filled(self, count: u8) -> Self {
        let journal = self.journal().await;
        for number in 0..count {
            journal.append(self.event(number)).await.unwrap();
            self.clock.advance(SignedDuration::from_mins(1));
        }
        journal.close().await;
        self
    }

    fn event(&self, number: u8) -> Event {
        event(&self.clock, number)
    }

    fn key_file(&self) -> PathBuf {
        self.folder.path().join("audit.key")
    }

    fn archive(&self) -> Archive {
        Archive::open(&self.store)
    }

    fn rows(&self) -> Vec<JournalRow> {
        self.store.journal_reader(Chain::default()).unwrap().after(0, 10_000).unwrap()
    }

    /// Does to the file what somebody with access to it could do.
    fn tamper(&self, sql: &str) {
        let connection = rusqlite::Connection::open(self.store.database_file()).unwrap();
        connection.execute_batch(sql).unwrap();
    }
}

/// An issue for one of three jobs; every third is refused.
fn event(clock: &ManualClock, number: u8) -> Event {
    let now = clock.now();
    let mut event = Event::new(DecisionId::new(now), now, Kind::Issue);
    event.reason = (number % 3 == 2).then_some(Reason::AccessDenied);
    event.peer = Some("192.0.2.7".to_owned());
    event.identity = JsonObject::of(&json!({
        "kind": "workload",
        "issuer": "https://ci.example",
        "subject": format!("repo:acme/app-{}", number % 3),
    }));
    event.claims = json!({"sub": format!("repo:acme/app-{}", number % 3), "n": 1.50})
        .as_object()
        .map(Claims::of);
    event.policy_revision = Some(7);
    event.request = Some(RequestRecord {
        registry: "prod".parse().unwrap(),
        permissions: serde_json::from_value(json!([
            {"repository": format!("servers/app-{}", number % 3), "actions": ["pull"]}
        ]))
        .unwrap(),
        lifetime: None::<Lifetime>,
        token_name: Some(format!("writer-{}", number % 3).parse().unwrap()),
        with_bearer_token: false,
        fresh: false,
    });
    event
}

fn clock() -> ManualClock {
    ManualClock::at("2026-03-01T12:00:00.123456789Z".parse().unwrap())
}

fn export(archive: &Archive, disclosure: Disclosure) -> Vec<String> {
    let mut bytes = Vec::new();
    archive.export(&mut bytes, disclosure).unwrap();
    String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
}

fn verify_lines(lines: &[String], outside: Option<&Checkpoint>) -> Result<Report, Finding> {
    verify(read_export(lines.join("\n").as_bytes()), outside)
}

/// What was found: the place and the kind of damage.
fn damage<T: std::fmt::Debug>(result: Result<T, Finding>) -> (u64, Damage) {
    match result.unwrap_err() {
        Finding::Damaged { place, damage, .. } => (place.event, damage),
        other @ Finding::Unreadable(_) => panic!("{other}"),
    }
}

/// What a report says of the only chain.
fn only(report: &Report) -> ChainReport {
    *report.only().unwrap()
}

/// A far future, so that a prune takes all that it may.
fn far() -> Timestamp {
    "2100-01-01T00:00:00Z".parse().unwrap()
}
