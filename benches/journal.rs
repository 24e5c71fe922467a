//! What a durable audit event costs: throughput with some callers waiting, the size of the batches, processor time by thread, and a verification.
//!
//! Printed, not asserted: `cargo bench --bench journal [-- EVENTS]`. Beside it the same rows in a bare SQLite loop, in batches as large as there are callers.

#![expect(clippy::print_stdout, reason = "the result of a benchmark")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use dockpass::audit::{Archive, Event, Grant, Journal, Kind, RequestRecord};
use dockpass::model::{
    AccessTokenId, Claims, Clock, CredentialRef, DecisionId, JsonObject, SystemClock, TokenUid,
};
use dockpass::store::{Config, Store};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use serde_json::json;

const WAITERS: [u32; 4] = [1, 64, 256, 1024];
/// How many different jobs call; claims are stored once for each.
const JOBS: u32 = 1000;

/// Microseconds of the processor by the name of a thread.
type Threads = BTreeMap<String, f64>;

struct Run {
    elapsed: Duration,
    threads: Threads,
}

fn main() -> anyhow::Result<()> {
    let events = std::env::args().skip(1).find_map(|argument| argument.parse().ok());
    let events: u32 = events.unwrap_or(200_000);
    let prometheus = PrometheusBuilder::new().install_recorder()?;
    println!(
        "| waiting | events/s | events a commit | bare SQLite/s | ratio | CPU us an event, by thread |"
    );
    println!("|---|---|---|---|---|---|");
    for waiters in WAITERS {
        let count = if waiters == 1 { events.div_ceil(50) } else { events };
        let folder = tempfile::tempdir()?;
        let before = commits(&prometheus);
        let run = journal(folder.path(), waiters, count)?;
        let batch = f64::from(count) / (commits(&prometheus) - before).max(1.0);
        let rate = f64::from(count) / run.elapsed.as_secs_f64();
        let bare = f64::from(count) / bare_loop(folder.path(), waiters)?.as_secs_f64();
        let threads = run.threads.iter().filter(|(_, used)| **used > 0.0);
        let threads: Vec<_> =
            threads.map(|(name, used)| format!("{name} {:.1}", used / f64::from(count))).collect();
        let threads = threads.join(", ");
        println!(
            "| {waiters} | {rate:.0} | {batch:.0} | {bare:.0} | {:.2} | {threads} |",
            rate / bare
        );
        if waiters == 1024 {
            verification(folder.path())?;
        }
    }
    Ok(())
}

/// Records `count` events with `waiters` of them under way.
fn journal(folder: &Path, waiters: u32, count: u32) -> anyhow::Result<Run> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let store = Store::open(&Config::default(), folder).await?;
        let journal = Journal::start(&store, folder, Arc::new(SystemClock)).await?;
        let (started, before) = (Instant::now(), threads()?);
        let mut under_way = FuturesUnordered::new();
        for number in 0..count {
            if under_way.len() >= waiters as usize {
                under_way.next().await.transpose()?;
            }
            under_way.push(journal.append(event(number)));
        }
        while let Some(done) = under_way.next().await {
            done?;
        }
        let elapsed = started.elapsed();
        let mut threads = threads()?;
        for (name, used) in &mut threads {
            *used -= before.get(name).copied().unwrap_or_default();
        }
        journal.close().await;
        Ok(Run { elapsed, threads })
    })
}

/// A job that got what it asked for.
fn event(number: u32) -> Event {
    let now = SystemClock.now();
    let job = number % JOBS;
    let subject = format!("repo:acme/app-{job}:ref:refs/heads/main");
    let permissions =
        json!([{ "repository": format!("team/app-{job}"), "actions": ["pull", "push"] }]);
    let identity = json!({
        "kind": "workload", "issuer": "https://ci.example.com", "subject": subject,
        "expireTime": "2030-01-01T00:00:00Z",
    });
    let claims = json!({
        "iss": "https://ci.example.com", "sub": subject, "aud": "https://dockpass.example.com",
        "repository": format!("acme/app-{job}"), "repository_id": job.to_string(), "ref": "refs/heads/main",
        "repository_owner": "acme", "run_id": job.to_string(), "workflow": "build", "event_name": "push",
        "job_workflow_ref": format!("acme/app-{job}/.github/workflows/build.yml@refs/heads/main"),
    });
    let permissions: dockpass::model::Permissions =
        serde_json::from_value(permissions).unwrap_or_default();
    Event {
        peer: Some("192.0.2.7".to_owned()),
        identity: JsonObject::of(&identity),
        claims: claims.as_object().map(Claims::of),
        request: "local".parse().ok().map(|registry| RequestRecord {
            registry,
            permissions: permissions.clone(),
            lifetime: None,
            token_name: None,
            with_bearer_token: false,
            fresh: false,
        }),
        policy_revision: Some(7),
        grant: grant(permissions),
        ..Event::new(DecisionId::new(now), now, Kind::Issue)
    }
}

fn grant(permissions: dockpass::model::Permissions) -> Option<Grant> {
    let now = SystemClock.now();
    Some(Grant {
        access_token: AccessTokenId::new(now),
        token: TokenUid::new(now),
        token_name: "app-ci".parse().ok()?,
        scope_map: "apps".parse().ok()?,
        credential: CredentialRef::Federated { name: "main".parse().ok()?, revision: 7 },
        permissions,
        expire_time: now,
        reused: false,
    })
}

/// How long the same rows take in batches of `size`, each durable, with nothing else done.
fn bare_loop(folder: &Path, size: u32) -> anyhow::Result<Duration> {
    let bare = tempfile::tempdir()?;
    let mut source = Connection::open(folder.join("dockpass.db"))?;
    let table = "SELECT sql FROM sqlite_schema WHERE name = 'audit_journal'";
    let table: String = source.query_row(table, [], |row| row.get(0))?;
    let rows: Vec<[Value; 8]> = source
        .transaction()?
        .prepare(
            "SELECT sequence, id, time, salt, open, personal, claims_hash, hash FROM audit_journal",
        )?
        .query_map([], |row| {
            let mut values = [const { Value::Null }; 8];
            for (at, value) in values.iter_mut().enumerate() {
                *value = row.get(at)?;
            }
            Ok(values)
        })?
        .collect::<rusqlite::Result<_>>()?;
    let mut target = Connection::open(bare.path().join("bare.db"))?;
    let page_size: u32 = source.pragma_query_value(None, "page_size", |row| row.get(0))?;
    target.pragma_update(None, "page_size", page_size)?;
    target.pragma_update(None, "journal_mode", "WAL")?;
    target.pragma_update(None, "synchronous", "FULL")?;
    target.execute_batch(&table)?;
    let started = Instant::now();
    for batch in rows.chunks(size as usize) {
        let transaction = target.transaction()?;
        let mut insert = transaction
            .prepare_cached("INSERT INTO audit_journal VALUES (?, ?, ?, ?, ?, ?, ?, ?)")?;
        for row in batch {
            insert.execute(params_from_iter(row))?;
        }
        drop(insert);
        transaction.commit()?;
    }
    Ok(started.elapsed())
}

fn verification(folder: &Path) -> anyhow::Result<()> {
    let store = Store::open_blocking(&Config::default(), folder)?;
    let started = Instant::now();
    let report = Archive::open(&store).verify(None)?;
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "\nverified {} events in {seconds:.1} s, {} KiB resident at most",
        report.events,
        peak()?
    );
    Ok(())
}

/// The most resident memory so far, in KiB.
fn peak() -> anyhow::Result<String> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.context("no `VmHWM`")?.to_owned())
}

/// How much processor time each thread used so far, from `/proc/self/task/ID/schedstat` (nanoseconds).
fn threads() -> anyhow::Result<Threads> {
    let mut threads = Threads::new();
    for task in std::fs::read_dir("/proc/self/task")? {
        let task = task?.path();
        let name = std::fs::read_to_string(task.join("comm"))?.trim().to_owned();
        let used = std::fs::read_to_string(task.join("schedstat"))?;
        let used: f64 = used.split(' ').next().context("an empty `schedstat`")?.parse()?;
        *threads.entry(name).or_default() += used / 1000.0;
    }
    Ok(threads)
}

/// How often the journal committed so far.
fn commits(prometheus: &PrometheusHandle) -> f64 {
    let rendered = prometheus.render();
    let lines = rendered.lines();
    let count = lines.filter_map(|line| line.strip_prefix("dockpass_audit_batch_events_count"));
    count.filter_map(|rest| rest.split(' ').next_back()?.parse::<f64>().ok()).sum()
}
