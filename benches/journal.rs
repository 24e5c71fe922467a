//! What a durable audit event costs: throughput with some callers waiting, the size of the batches, processor time by thread, and a verification.
//!
//! Printed, not asserted: `cargo bench --bench journal [-- EVENTS] [URL]`. Beside it the same rows in a bare SQLite loop, in batches as large as there
//! are callers. With the URL of an empty PostgreSQL database the journal is there.

#![expect(clippy::print_stdout, reason = "the result of a benchmark")]

#[path = "shared/jobs.rs"]
mod jobs;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use dockpass::audit::{Archive, Event, Journal};
use dockpass::model::SystemClock;
use dockpass::store::{Config, Store, Url};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use hdrhistogram::Histogram;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use self::jobs::Jobs;

const WAITERS: [u32; 4] = [1, 64, 256, 1024];

/// Microseconds of the processor by the name of a thread.
type Threads = BTreeMap<String, f64>;

struct Run {
    elapsed: Duration,
    threads: Threads,
    /// How long each event was waited for, in microseconds.
    waits: Histogram<u64>,
}

fn main() -> anyhow::Result<()> {
    let events = std::env::args().skip(1).find_map(|argument| argument.parse().ok());
    let events: u32 = events.unwrap_or(200_000);
    let url = std::env::args().find(|argument| argument.starts_with("postgres"));
    let config =
        url.map_or_else(Config::default, |url| Config { url: Url::new(url), ..Config::default() });
    let jobs = Jobs::new()?;
    let prometheus = PrometheusBuilder::new().install_recorder()?;
    println!(
        "| waiting | events/s | p50 us | p99 us | p999 us | longest us | events a commit | bare SQLite/s | ratio | CPU us an event, by thread |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for waiters in WAITERS {
        let count = if waiters == 1 { events.div_ceil(50) } else { events };
        let folder = tempfile::tempdir()?;
        let before = commits(&prometheus);
        let run = journal(&config, folder.path(), &jobs, waiters, count)?;
        let batch = f64::from(count) / (commits(&prometheus) - before).max(1.0);
        let rate = f64::from(count) / run.elapsed.as_secs_f64();
        let bare = match config.url.sqlite_file() {
            Some(_) => f64::from(count) / bare_loop(folder.path(), waiters)?.as_secs_f64(),
            None => f64::NAN,
        };
        let threads = run.threads.iter().filter(|(_, used)| **used > 0.0);
        let threads: Vec<_> =
            threads.map(|(name, used)| format!("{name} {:.1}", used / f64::from(count))).collect();
        let threads = threads.join(", ");
        let [p50, p99, p999] = [0.5, 0.99, 0.999].map(|share| run.waits.value_at_quantile(share));
        let longest = run.waits.max();
        println!(
            "| {waiters} | {rate:.0} | {p50} | {p99} | {p999} | {longest} | {batch:.0} | {bare:.0} | {:.2} | {threads} |",
            rate / bare
        );
        if waiters == 1024 {
            verification(&config, folder.path())?;
        }
    }
    Ok(())
}

/// Records `count` events with `waiters` of them under way.
fn journal(
    config: &Config,
    folder: &Path,
    jobs: &Jobs,
    waiters: u32,
    count: u32,
) -> anyhow::Result<Run> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let store = Store::open(config, folder).await?;
        let journal =
            Journal::start(&store, &folder.join("audit.key"), Arc::new(SystemClock)).await?;
        let (started, before) = (Instant::now(), threads()?);
        let mut waits = Histogram::<u64>::new(3)?;
        let mut under_way = FuturesUnordered::new();
        for event in jobs.events().take(count as usize) {
            if under_way.len() >= waiters as usize
                && let Some(done) = under_way.next().await
            {
                waits.record(done?)?;
            }
            under_way.push(recorded(&journal, event));
        }
        while let Some(done) = under_way.next().await {
            waits.record(done?)?;
        }
        let elapsed = started.elapsed();
        let mut threads = threads()?;
        for (name, used) in &mut threads {
            *used -= before.get(name).copied().unwrap_or_default();
        }
        journal.close().await;
        Ok(Run { elapsed, threads, waits })
    })
}

/// Records an event; returns how many microseconds that took.
async fn recorded(journal: &Journal, event: Event) -> anyhow::Result<u64> {
    let begun = Instant::now();
    journal.append(event).await?;
    Ok(u64::try_from(begun.elapsed().as_micros())?)
}

/// What a row of the journal has.
const COLUMNS: usize = 9;

/// How long the same rows take in batches of `size`, each durable, with nothing else done.
fn bare_loop(folder: &Path, size: u32) -> anyhow::Result<Duration> {
    let bare = tempfile::tempdir()?;
    let mut source = Connection::open(folder.join("dockpass.db"))?;
    let table = "SELECT sql FROM sqlite_schema WHERE name = 'audit_journal'";
    let table: String = source.query_row(table, [], |row| row.get(0))?;
    let rows: Vec<[Value; COLUMNS]> = source
        .transaction()?
        .prepare("SELECT * FROM audit_journal")?
        .query_map([], |row| {
            let mut values = [const { Value::Null }; COLUMNS];
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
            .prepare_cached("INSERT INTO audit_journal VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")?;
        for row in batch {
            insert.execute(params_from_iter(row))?;
        }
        drop(insert);
        transaction.commit()?;
    }
    Ok(started.elapsed())
}

fn verification(config: &Config, folder: &Path) -> anyhow::Result<()> {
    let store = Store::open_blocking(config, folder)?;
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
