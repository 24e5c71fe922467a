//! A journal with millions of events, made by the library itself, and kept below the build folder for the next time.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use dockpass::audit::{Archive, Event, Filter, Journal};
use dockpass::model::{Clock, DecisionId, SystemClock};
use dockpass::store::{Config, Store};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use serde_json::json;

/// How many events wait for the journal at the same time.
const WAITING: usize = 4_096;
/// How many different jobs called.
const JOBS: usize = 1_000;
/// The longest time to spend on it; the next run goes on from there.
const PATIENCE: Duration = Duration::from_mins(3);
/// A journal that grew by more than its tenth by what was measured is made anew.
const GROWTH: u64 = 10;

/// The data folder of a journal with so many events, all of them indexed.
pub(crate) fn prepare(events: u64) -> anyhow::Result<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("journal-{events}"));
    let present = present(&folder).unwrap_or(u64::MAX);
    if present > events + events / GROWTH {
        drop(std::fs::remove_dir_all(&folder));
        std::fs::create_dir_all(&folder)?;
    }
    let missing = events.saturating_sub(self::present(&folder)?);
    if missing > 0 {
        println!("Recording {missing} audit events, once; they are kept for the next time.");
        let runtime = tokio::runtime::Runtime::new()?;
        runtime.block_on(record(&folder, missing))?;
    }
    Archive::open(&open(&folder)?).catch_up()?;
    let present = self::present(&folder)?;
    if present < events {
        println!("Only {present} audit events were recorded in {} s.", PATIENCE.as_secs());
    }
    Ok(folder)
}

/// How many events there are; an error when they cannot be read by this build.
fn present(folder: &Path) -> anyhow::Result<u64> {
    std::fs::create_dir_all(folder)?;
    let last = Archive::open(&open(folder)?).list(&Filter::default(), None, 10)?;
    Ok(last.events.first().map_or(0, |found| found.sequence))
}

fn open(folder: &Path) -> anyhow::Result<Store> {
    Ok(Store::open_blocking(&Config::default(), folder)?)
}

async fn record(folder: &Path, count: u64) -> anyhow::Result<()> {
    let journal = Journal::start(&open(folder)?, folder, Arc::new(SystemClock)).await?;
    let events = (0..JOBS).map(event).collect::<Result<Vec<_>, _>>()?;
    let begun = Instant::now();
    let mut under_way = FuturesUnordered::new();
    let mut left = count;
    for event in events.iter().cycle() {
        if left == 0 || begun.elapsed() > PATIENCE {
            break;
        }
        left -= 1;
        if under_way.len() >= WAITING {
            under_way.next().await.transpose()?;
        }
        let now = SystemClock.now();
        under_way.push(journal.append(Event {
            id: DecisionId::new(now),
            time: now,
            ..event.clone()
        }));
    }
    while let Some(recorded) = under_way.next().await {
        recorded?;
    }
    journal.close().await;
    Ok(())
}

/// What the journal keeps of a job that got what it asked for.
fn event(job: usize) -> serde_json::Result<Event> {
    let now = SystemClock.now();
    let subject = format!("repo:acme/app-{job}:ref:refs/heads/main");
    let permissions = json!([{"repository": format!("team/app-{job}"), "actions": ["content/read", "content/write"]}]);
    serde_json::from_value(json!({
        "id": DecisionId::new(now), "time": now, "kind": "issue", "peer": "192.0.2.7", "policyRevision": 7,
        "identity": {"kind": "workload", "issuer": "https://ci.example.com", "subject": subject},
        "claims": {
            "iss": "https://ci.example.com", "sub": subject, "aud": "https://dockpass.example.com",
            "repository": format!("acme/app-{job}"), "repository_id": job.to_string(), "ref": "refs/heads/main",
            "repository_owner": "acme", "run_id": job.to_string(), "workflow": "build", "event_name": "push",
        },
        "request": {"registry": "local", "permissions": permissions},
    }))
}
