//! Moves what was committed from the WAL into the database, in a thread of its own: inside of a commit it would hold up all that wait for it.
//!
//! SQLite begins the WAL anew when all of it was moved and somebody writes. While the journal is busy that would never be: what comes in
//! while the thread works is not moved. So the thread moves nearly all, and the writer the small rest between two commits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;

use super::files::{Files, PAGE_SIZE};
use crate::store::Error;

/// How many pages are in the WAL, about, when they are moved: 8 MiB.
const DUE: usize = 1000;
/// So few pages are moved between two commits: some hundred microseconds.
const REST: usize = 50;
/// How often the thread tries to come so close, when more and more comes in.
const ROUNDS: u32 = 4;

/// The writer's end of the thread, which ends with it.
#[derive(Debug)]
pub(super) struct Mover {
    /// `None` only while it is dropped.
    wake: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
    is_close: Arc<AtomicBool>,
    /// How many pages were written since the last move, about.
    pages: usize,
}

impl Mover {
    /// Starts the thread for a connection that writes, which moves nothing by itself any more.
    pub(super) fn start(files: &Files, writer: &Connection) -> Result<Self, Error> {
        writer.pragma_update(None, "wal_autocheckpoint", 0)?;
        let connection = files.connect()?;
        let (wake, woken) = sync_channel(1);
        let is_close = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&is_close);
        let log = tracing::dispatcher::get_default(tracing::Dispatch::clone);
        let run =
            move || tracing::dispatcher::with_default(&log, || run(&connection, &woken, &flag));
        let thread = thread::Builder::new()
            .name("store-wal".to_owned())
            .spawn(run)
            .map_err(|error| Error::Unavailable(format!("no thread for its WAL: {error}")))?;
        Ok(Self { wake: Some(wake), thread: Some(thread), is_close, pages: 0 })
    }

    /// Says that the writer committed so many bytes.
    pub(super) fn committed(&mut self, writer: &Connection, bytes: usize) {
        // a commit writes its last page, and mostly one above it, however small it is
        self.pages = self.pages.saturating_add(bytes / PAGE_SIZE as usize).saturating_add(2);
        if self.is_close.swap(false, Ordering::Relaxed) {
            self.pages = 0;
            warn(move_all(writer).map(drop));
        } else if self.pages >= DUE
            && let Some(wake) = &self.wake
        {
            // full: it is awake already
            wake.try_send(()).ok();
        }
    }
}

impl Drop for Mover {
    fn drop(&mut self) {
        self.wake = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that moves the WAL of the store panicked");
        }
    }
}

fn run(connection: &Connection, woken: &Receiver<()>, is_close: &AtomicBool) {
    while woken.recv().is_ok() {
        let mut before = 0;
        for _ in 0..ROUNDS {
            match move_all(connection) {
                Ok(moved) if moved.saturating_sub(before) > REST => before = moved,
                result => {
                    warn(result.map(drop));
                    break;
                }
            }
        }
        is_close.store(true, Ordering::Relaxed);
        // what it was woken for meanwhile is done by now
        woken.try_recv().ok();
    }
}

/// Moves all that nobody reads in an older state; returns how many pages of the WAL are moved by now. It waits for nobody.
fn move_all(connection: &Connection) -> rusqlite::Result<usize> {
    connection
        .prepare_cached("PRAGMA wal_checkpoint(PASSIVE)")?
        .query_row([], |row| row.get::<_, i64>(2))
        .map(|moved| usize::try_from(moved).unwrap_or(0))
}

fn warn(result: rusqlite::Result<()>) {
    if let Err(error) = result {
        tracing::warn!(%error, "the WAL of the store grows: it cannot be moved into the database");
    }
}
