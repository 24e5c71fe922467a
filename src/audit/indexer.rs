//! Follows one chain of the journal with its search index, in a thread of its own: nothing waits for it. Each replica does so for its own chain;
//! what a replica left behind that is gone is searched row by row, until another one takes its chain.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use super::Error;
use super::facts::Facts;
use crate::store::{self, Chain, ChainHead, JournalReader, Progress, SearchIndex, Store};
use crate::telemetry::metrics;

/// The shortest time from one round to the next: what comes in meanwhile shares a transaction, and the processor is left to whoever serves.
const GATHER: Duration = Duration::from_millis(100);
/// With so much left it goes on sooner.
const MUCH: u64 = 4096;
/// With so much left it works without a pause: a search reads what is not indexed yet one by one.
const LAG: u64 = 100_000;
/// How often it looks at the journal without being woken: other processes append too.
const TICK: Duration = Duration::from_secs(1);

/// After so many events it lets others have the processor, should they wait for it: a kernel that does not preempt would let them wait for milliseconds.
const AT_ONCE: u64 = 16;
/// How much its thread gives way to those that serve and commit (`nice`): nobody waits for it. It
/// still gets a quarter of a core that is wanted by one more.
const BEHIND: i32 = 5;

/// The thread; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Indexer {
    wake: SyncSender<()>,
}

impl Indexer {
    pub(super) fn start(store: &Store, chain: Chain) -> Result<Self, Error> {
        let (wake, woken) = sync_channel(1);
        let store = store.clone();
        thread::Builder::new()
            .name("audit-index".to_owned())
            .spawn(move || follow(&store, chain, &woken))
            .map_err(Error::unavailable)?;
        Ok(Self { wake })
    }

    /// Tells that there is something new; never waits.
    pub(super) fn wake(&self) {
        // full: it is awake already
        self.wake.try_send(()).ok();
    }
}

fn follow(store: &Store, chain: Chain, woken: &Receiver<()>) {
    let yields = rustix::process::nice(BEHIND);
    yields.inspect_err(|error| tracing::debug!(%error, "the indexer has no lower priority")).ok();
    let mut healthy = true;
    loop {
        let result = open_and_follow(store, chain, woken);
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
fn open_and_follow(store: &Store, chain: Chain, woken: &Receiver<()>) -> Result<(), store::Error> {
    let (reader, mut index) = (store.journal_reader(chain)?, store.search_index(chain)?);
    loop {
        let begun = Instant::now();
        let left = index_piece(&reader, &mut index)?;
        thread::sleep(pause(begun.elapsed(), left));
        let wait = if left < MUCH { TICK } else { Duration::ZERO };
        if woken.recv_timeout(wait) == Err(RecvTimeoutError::Disconnected) {
            return catch_up(&reader, &mut index);
        }
    }
}

/// At most half of one processor, unless it is too far behind.
fn pause(worked: Duration, left: u64) -> Duration {
    match left {
        LAG.. => Duration::ZERO,
        MUCH.. => worked,
        _ => GATHER,
    }
}

/// Indexes what the journal holds beyond the index. An index of another journal, or a damaged one, is made anew.
pub(super) fn catch_up(
    reader: &JournalReader,
    index: &mut SearchIndex,
) -> Result<(), store::Error> {
    let mut left = u64::MAX;
    loop {
        let before = std::mem::replace(&mut left, index_piece(reader, index)?);
        if left == before || left == 0 {
            return Ok(());
        }
    }
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
    if !belongs_to(reader, index.state()?.0)? {
        index.reset()?;
    }
    let (done, hasher) = index.state()?;
    let newest = reader.head()?.sequence;
    let left = newest.saturating_sub(done.place);
    metrics::audit_index_lag(left);
    let Some(next) = reader.first_from(done.place.saturating_add(1))? else { return Ok(left) };
    let Some(mut segment) = SearchIndex::next_segment(done, next, newest) else { return Ok(left) };
    let (mut terms, mut last) = (Vec::new(), 0);
    reader.each(&segment.places(), |event| {
        match Facts::of(event) {
            Ok(facts) => facts.terms(&hasher, &mut terms),
            Err(error) => {
                tracing::warn!(%error, sequence = event.sequence, "an audit event cannot be read back");
                Facts::damaged(event).terms(&hasher, &mut terms);
            }
        }
        segment.add(event.sequence, event.id, event.time, terms.drain(..));
        last = event.sequence;
        if last.is_multiple_of(AT_ONCE) {
            thread::yield_now();
        }
    })?;
    let Some(witness) = reader.hash_of(last)? else { return Ok(left) };
    let place = segment.places().end.saturating_sub(1);
    index.add(done, segment, ChainHead { sequence: last, hash: witness })?;
    Ok(newest.saturating_sub(place))
}

/// True when the index was made of this journal.
fn belongs_to(reader: &JournalReader, progress: Progress) -> Result<bool, store::Error> {
    let witness = progress.witness;
    if witness.sequence == 0 {
        return Ok(true);
    }
    match reader.hash_of(witness.sequence)? {
        Some(hash) => Ok(hash == witness.hash),
        None => Ok(reader.pruned()?.is_some_and(|(start, _)| witness.sequence <= start.sequence)),
    }
}
