//! The threads that serve connections: one a core, each with a runtime of its own. A connection stays on its core.
//!
//! A runtime that spreads its tasks over all cores polls a connection after every single request of it, and wakes other
//! threads to do so; that costs twice the CPU time of the transport.

use std::fmt;
use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio_util::sync::{CancellationToken, DropGuard};

/// A runtime for one core.
///
/// # Errors
/// The operating system refuses what it needs.
pub fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

/// The cores that connections are handed to in turn. Clones share the turns; with the last clone the threads end.
#[derive(Clone)]
pub struct Cores {
    all: Arc<[Handle]>,
    turn: Arc<AtomicUsize>,
    _threads: Arc<DropGuard>,
}

impl fmt::Debug for Cores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cores").field("count", &self.all.len()).finish_non_exhaustive()
    }
}

impl Cores {
    /// The runtime that this is called on, and threads beside it: `count` together.
    ///
    /// # Errors
    /// A thread cannot be started.
    pub fn start(count: NonZeroUsize) -> io::Result<Self> {
        let stop = CancellationToken::new();
        let others = (1..count.get()).map(|number| start(number, stop.clone()));
        let all =
            std::iter::once(Ok(Handle::current())).chain(others).collect::<io::Result<_>>()?;
        Ok(Self::of(all, stop))
    }

    /// As many as this machine lets us use, but for the one that the audit journal needs.
    ///
    /// # Errors
    /// A thread cannot be started.
    pub fn of_this_machine() -> io::Result<Self> {
        let usable = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self::start(NonZeroUsize::new(usable.saturating_sub(1)).unwrap_or(NonZeroUsize::MIN))
    }

    /// The runtime that this is called on alone.
    pub fn one() -> Self {
        Self::of([Handle::current()].into(), CancellationToken::new())
    }

    fn of(all: Arc<[Handle]>, stop: CancellationToken) -> Self {
        Self { all, turn: Arc::default(), _threads: Arc::new(stop.drop_guard()) }
    }

    /// The core of the next connection.
    pub(super) fn next(&self) -> Core {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed).checked_rem(self.all.len());
        match turn.and_then(|turn| self.all.get(turn)) {
            Some(handle) if turn != Some(0) => Core::Other(handle.clone()),
            Some(_) | None => Core::Here,
        }
    }
}

/// Where a connection is served.
#[derive(Debug)]
pub(super) enum Core {
    /// On the runtime that accepted it.
    Here,
    /// On a thread of its own.
    Other(Handle),
}

/// A thread that runs what is spawned on its runtime until it is told to stop.
fn start(number: usize, stop: CancellationToken) -> io::Result<Handle> {
    let runtime = runtime()?;
    let handle = runtime.handle().clone();
    let log = tracing::dispatcher::get_default(tracing::Dispatch::clone);
    thread::Builder::new().name(format!("serving-{number}")).spawn(move || {
        tracing::dispatcher::with_default(&log, || runtime.block_on(stop.cancelled()));
    })?;
    Ok(handle)
}
