//! Follows the journal with the search index, in a thread of its own: nothing waits for it.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use super::fields::event_of;
use super::{Error, filter};
use crate::store::{self, ChainHead, IndexEntry, JournalReader, JournalRow, SearchIndex, Store};

/// How many events are indexed in one transaction.
const PIECE: u32 = 1000;
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
        catch_up(&reader, &mut index)?;
        if woken.recv_timeout(TICK) == Err(RecvTimeoutError::Disconnected) {
            return catch_up(&reader, &mut index);
        }
    }
}

/// Indexes what the journal holds beyond the index. An index of another journal, or a damaged one, is made anew.
pub(super) fn catch_up(
    reader: &JournalReader,
    index: &mut SearchIndex,
) -> Result<(), store::Error> {
    match try_catch_up(reader, index) {
        Err(store::Error::Damaged(problem)) => {
            tracing::warn!(
                problem,
                "the search index of the audit journal is damaged and made anew"
            );
            index.reset()?;
            try_catch_up(reader, index)
        }
        result => result,
    }
}

fn try_catch_up(reader: &JournalReader, index: &mut SearchIndex) -> Result<(), store::Error> {
    if !belongs_to(reader, index.progress()?)? {
        index.reset()?;
    }
    loop {
        let done = index.progress()?;
        let rows = reader.after(done.sequence, PIECE)?;
        let lag = reader.head()?.sequence.saturating_sub(done.sequence);
        metrics::gauge!("dockpass_audit_index_lag_events")
            .set(u32::try_from(lag).map_or(f64::MAX, f64::from));
        let Some(last) = rows.last() else { return Ok(()) };
        let head = ChainHead { sequence: last.sequence, hash: last.hash };
        let entries: Vec<_> = rows.iter().map(entry).collect();
        index.add(done, &entries, head)?;
    }
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
    match event_of(row) {
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
