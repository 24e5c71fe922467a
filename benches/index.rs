//! What the search index of the audit journal costs, and what a search: on a made-up journal, without a server.
//!
//! Printed, not asserted: `cargo bench --bench index [-- EVENTS]`. Once with some jobs that come again and again, once with a new
//! subject, repository and access token in each event.

#![expect(clippy::print_stdout, reason = "the result of a benchmark")]

use std::path::Path;
use std::time::Instant;

use anyhow::Context;
use dockpass::audit::{
    Archive, Event, Filter, Grant, Journal, Kind, Outcome, Places, RequestRecord,
};
use dockpass::model::{
    AccessTokenId, Clock, CredentialRef, DecisionId, JsonObject, Permissions, SystemClock, TokenUid,
};
use dockpass::store::{ChainHead, Config, JournalRow, Store};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

/// How many events the journal gets in one commit.
const BATCH: u32 = 5_000;
/// How often each search is repeated.
const SEARCHES: u32 = 20;

/// Who calls.
#[derive(Clone, Copy)]
enum Callers {
    /// So many jobs.
    Known(u32),
    /// A new one each time.
    Cold,
}

fn main() -> anyhow::Result<()> {
    let events = std::env::args().skip(1).find_map(|argument| argument.parse().ok());
    let events: u32 = events.unwrap_or(200_000);
    for (name, callers) in [
        ("32 jobs", Callers::Known(32)),
        ("1000 jobs", Callers::Known(1000)),
        ("cold", Callers::Cold),
    ] {
        let folder = tempfile::tempdir()?;
        println!("\n{events} events, {name}");
        let middle = fill(folder.path(), events, callers)?;
        index(folder.path(), events)?;
        searches(folder.path(), events, callers, middle)?;
    }
    Ok(())
}

/// Makes a journal, and returns the id and time of its middle event.
fn fill(folder: &Path, events: u32, callers: Callers) -> anyhow::Result<(DecisionId, Timestamp)> {
    let store = Store::open_blocking(&Config::default(), folder)?;
    let mut writer = store.journal()?;
    let start = SystemClock.now();
    let mut middle = None;
    for first in (0..events).step_by(BATCH as usize) {
        let numbers = first..events.min(first.saturating_add(BATCH));
        let made: Vec<_> = numbers.map(|number| event(start, number, callers)).collect();
        middle = made
            .get(usize::try_from(events / 2 - first.min(events / 2))?)
            .map(|event| (event.id, event.time))
            .or(middle);
        writer.append(Box::new(|head| seal(head, made)))?;
    }
    middle.context("no events")
}

fn seal(mut head: ChainHead, events: Vec<Event>) -> Vec<JournalRow> {
    let mut rows = Vec::with_capacity(events.len());
    for event in events {
        rows.extend(Journal::seal(event)(head));
        if let Some(row) = rows.last() {
            head = ChainHead { sequence: row.sequence, hash: row.hash };
        }
    }
    rows
}

/// What one of the callers got, 20 events a millisecond.
fn event(start: Timestamp, number: u32, callers: Callers) -> Event {
    let now = start + SignedDuration::from_micros(i64::from(number) * 50);
    let id = DecisionId::new(now);
    let (job, access_token) = match callers {
        // nine of ten are given an access token again
        Callers::Known(jobs) if !number.is_multiple_of(10) => {
            let mut bytes = [7; 16];
            bytes[..4].copy_from_slice(&(number / 500_000 * jobs + number % jobs).to_be_bytes());
            (number % jobs, AccessTokenId::from_bytes(bytes))
        }
        Callers::Known(jobs) => (number % jobs, id.into()),
        Callers::Cold => (number, AccessTokenId::new(now)),
    };
    let permissions =
        json!([{ "repository": format!("team/app-{job}"), "actions": ["pull", "push"] }]);
    let permissions: Permissions = serde_json::from_value(permissions).unwrap_or_default();
    let mut event = Event::new(id, now, Kind::Issue);
    event.peer = Some("192.0.2.7".to_owned());
    event.identity = JsonObject::of(&json!({
        "kind": "workload", "issuer": "https://ci.example.com",
        "subject": format!("repo:acme/app-{job}:ref:refs/heads/main"),
        "expireTime": "2030-01-01T00:00:00Z",
    }));
    event.policy_revision = Some(7);
    event.request = "local".parse().ok().map(|registry| RequestRecord {
        registry,
        permissions: permissions.clone(),
        lifetime: None,
        token_name: None,
        with_bearer_token: false,
        fresh: false,
    });
    event.grant = grant(access_token, now, permissions);
    event
}

fn grant(access_token: AccessTokenId, now: Timestamp, permissions: Permissions) -> Option<Grant> {
    Some(Grant {
        access_token,
        token: TokenUid::from_bytes([1; 16]),
        token_name: "app-ci".parse().ok()?,
        scope_map: "apps".parse().ok()?,
        credential: CredentialRef::Federated { name: "main".parse().ok()?, revision: 7 },
        permissions,
        expire_time: now,
        reused: true,
    })
}

fn index(folder: &Path, events: u32) -> anyhow::Result<()> {
    let archive = Archive::open(&Store::open_blocking(&Config::default(), folder)?);
    let (started, used) = (Instant::now(), processor_time()?);
    archive.catch_up()?;
    let used = (processor_time()? - used) / f64::from(events);
    let elapsed = started.elapsed().as_secs_f64();
    let size = |name: &str| std::fs::metadata(folder.join(name)).map_or(0, |file| file.len());
    println!(
        "indexed in {elapsed:.2} s, {used:.2} us of CPU an event; index {} MiB, journal {} MiB",
        size("dockpass-index.db") >> 20,
        size("dockpass.db") >> 20
    );
    Ok(())
}

fn searches(
    folder: &Path,
    events: u32,
    callers: Callers,
    (id, time): (DecisionId, Timestamp),
) -> anyhow::Result<()> {
    let archive = Archive::open(&Store::open_blocking(&Config::default(), folder)?);
    let rare = match callers {
        Callers::Known(_) => "repo:acme/nobody:ref:refs/heads/main".to_owned(),
        Callers::Cold => format!("repo:acme/app-{}:ref:refs/heads/main", events / 3),
    };
    let middle: Places = (events / 2).to_string().parse()?;
    let middle = Some(&middle);
    let subject = Filter { subject: Some(rare), ..Filter::default() };
    let repository = Filter { repository: "team/app-7".parse().ok(), ..Filter::default() };
    let refused = Filter { outcome: Some(Outcome::Refused), ..repository.clone() };
    let later = time + SignedDuration::from_millis(1);
    let moment = Filter { since: Some(time), until: Some(later), ..Filter::default() };
    let everything = Filter::default();
    let first_page = archive.list(&everything, None, 1)?.events.len();
    anyhow::ensure!(first_page == 1, "the journal is empty");
    timed("one decision", || archive.find(id).map(|found| usize::from(found.is_some())))?;
    for (name, filter, before) in [
        ("last page", &everything, None),
        ("page in the middle", &everything, middle),
        ("one rare subject", &subject, None),
        ("repository, last page", &repository, None),
        ("repository, page in the middle", &repository, middle),
        ("repository and refused: none", &refused, None),
        ("one millisecond in the middle", &moment, None),
    ] {
        timed(name, || archive.list(filter, before, 100).map(|page| page.events.len()))?;
    }
    Ok(())
}

fn timed<E: std::error::Error + Send + Sync + 'static>(
    name: &str,
    search: impl Fn() -> Result<usize, E>,
) -> anyhow::Result<()> {
    let found = search()?;
    let started = Instant::now();
    for _ in 0..SEARCHES {
        search()?;
    }
    let each = started.elapsed() / SEARCHES;
    println!("{name}: {found} found in {:.2} ms", each.as_secs_f64() * 1e3);
    Ok(())
}

/// How much processor time this thread used so far, in microseconds.
fn processor_time() -> anyhow::Result<f64> {
    let used = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(used.split(' ').next().context("an empty `schedstat`")?.parse::<f64>()? / 1000.0)
}
