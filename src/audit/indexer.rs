//! Follows the journal with the search index, in a thread of its own: nothing waits for it.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use super::fields::event_without_claims;
use super::{Error, filter};
use crate::store::{self, ChainHead, IndexEntry, JournalReader, JournalRow, SearchIndex, Store};
use crate::telemetry::metrics;

/// How many events are indexed in one transaction: a page of an index is written once for all that fall on it.
const PIECE: u32 = 4000;
/// The shortest time from one round to the next: what comes in meanwhile shares a transaction, and the processor is left to whoever serves.
const GATHER: Duration = Duration::from_millis(100);
/// How far it may lag behind before it works without a pause: a search reads what is not indexed yet one by one.
const LAG: u64 = 100_000;
/// How often it looks at the journal without being woken: other processes append too.
const TICK: Duration = Duration::from_secs(1);

/// The thread; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Indexer {
    wake: SyncSender<()>,
}

impl Indexer {
    pub(super) fn start(store: &Store) -> Result<Self, Error> {
        let (wake, woken) = sync_channel(1);
        let store = store.clone();
        thread::Builder::new()
            .name("audit-index".to_owned())
            .spawn(move || follow(&store, &woken))
            .map_err(Error::unavailable)?;
        Ok(Self { wake })
    }

    /// Tells that there is something new; never waits.
    pub(super) fn wake(&self) {
        // full: it is awake already
        self.wake.try_send(()).ok();
    }
}

fn follow(store: &Store, woken: &Receiver<()>) {
    let mut healthy = true;
    loop {
        let result = open_and_follow(store, woken);
        let Err(error) = result else { return };
        if healthy {
            tracing::warn!(%error, "the audit journal is not indexed for now: searches get slower");
        }
        healthy = false;
        if woken.recv_timeout(TICK) == Err(RecvTimeoutError::Disconnected) {
            return;
        }
    }
}

/// Returns when the journal is closed.
fn open_and_follow(store: &Store, woken: &Receiver<()>) -> Result<(), store::Error> {
    let (reader, mut index) = (store.journal_reader()?, store.search_index()?);
    loop {
        let begun = Instant::now();
        let left = index_piece(&reader, &mut index)?;
        thread::sleep(pause(begun.elapsed(), left));
        let wait = if left == 0 { TICK } else { Duration::ZERO };
        if woken.recv_timeout(wait) == Err(RecvTimeoutError::Disconnected) {
            return catch_up(&reader, &mut index);
        }
    }
}

/// At most a third of one processor, unless it is too far behind.
fn pause(worked: Duration, left: u64) -> Duration {
    if left > LAG { Duration::ZERO } else { GATHER.max(worked.saturating_mul(2)) }
}

/// Indexes what the journal holds beyond the index. An index of another journal, or a damaged one, is made anew.
pub(super) fn catch_up(
    reader: &JournalReader,
    index: &mut SearchIndex,
) -> Result<(), store::Error> {
    while index_piece(reader, index)? > 0 {}
    Ok(())
}

/// Indexes one piece, and returns how many events are left.
fn index_piece(reader: &JournalReader, index: &mut SearchIndex) -> Result<u64, store::Error> {
    match try_piece(reader, index) {
        Err(store::Error::Damaged(problem)) => {
            tracing::warn!(
                problem,
                "the search index of the audit journal is damaged and made anew"
            );
            index.reset()?;
            try_piece(reader, index)
        }
        result => result,
    }
}

fn try_piece(reader: &JournalReader, index: &mut SearchIndex) -> Result<u64, store::Error> {
    if !belongs_to(reader, index.progress()?)? {
        index.reset()?;
    }
    let done = index.progress()?;
    let rows = reader.after(done.sequence, PIECE)?;
    let newest = reader.head()?.sequence;
    let lag = newest.saturating_sub(done.sequence);
    metrics::audit_index_lag(lag);
    let Some(last) = rows.last() else { return Ok(0) };
    let head = ChainHead { sequence: last.sequence, hash: last.hash };
    let entries: Vec<_> = rows.iter().map(entry).collect();
    index.add(done, &entries, head)?;
    Ok(newest.saturating_sub(head.sequence))
}

/// True when the index was made of this journal.
fn belongs_to(reader: &JournalReader, progress: ChainHead) -> Result<bool, store::Error> {
    if progress.sequence == 0 {
        return Ok(true);
    }
    match reader.row(progress.sequence)? {
        Some(row) => Ok(row.hash == progress.hash),
        None => Ok(reader.pruned()?.is_some_and(|(start, _)| progress.sequence <= start.sequence)),
    }
}

/// A damaged event is found by its id and time at least; `verify` names it.
pub(super) fn entry(row: &JournalRow) -> IndexEntry {
    match event_without_claims(row) {
        Ok(event) => filter::entry(row.sequence, &event),
        Err(error) => {
            tracing::warn!(%error, sequence = row.sequence, "an audit event cannot be read back");
            IndexEntry {
                sequence: row.sequence,
                id: Some(row.id),
                time: row.time,
                ..IndexEntry::default()
            }
        }
    }
}
