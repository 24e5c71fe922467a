//! A journal with millions of events, made by the library itself, and kept below the build folder for the next time.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use dockpass::audit::{Archive, Filter, Journal};
use dockpass::model::SystemClock;
use dockpass::store::{Config, Store};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use crate::jobs::Jobs;

/// How many events wait for the journal at the same time.
const WAITING: usize = 4_096;
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
    let journal =
        Journal::start(&open(folder)?, &folder.join("audit.key"), Arc::new(SystemClock)).await?;
    let jobs = Jobs::new()?;
    let begun = Instant::now();
    let mut under_way = FuturesUnordered::new();
    for event in jobs.events().take(usize::try_from(count)?) {
        if begun.elapsed() > PATIENCE {
            break;
        }
        if under_way.len() >= WAITING {
            under_way.next().await.transpose()?;
        }
        under_way.push(journal.append(event));
    }
    while let Some(recorded) = under_way.next().await {
        recorded?;
    }
    journal.close().await;
    Ok(())
}
