//! Lines of the log on their way to standard error.
//!
//! A thread of their own writes them: a standard error that takes nothing, since nobody reads it, keeps no request waiting.
//! Then lines are lost, which is counted and, as soon as lines are taken again, said in the log.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use tracing::Metadata;
use tracing_subscriber::fmt::MakeWriter;

use super::metrics;

/// The target of signed checkpoints of the audit trail. The log may be the only place outside of the store that has them.
pub const CHECKPOINTS: &str = "dockpass::audit::checkpoint";

/// How many bytes of lines may wait.
const ROOM: usize = 1 << 20;
/// How many checkpoints may wait besides. Of more, the oldest is lost: each says all that those before it said.
const CHECKPOINTS_ROOM: usize = 1024;

/// Where the log writes its lines. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Lines(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    came: Condvar,
    went: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Line>,
    /// Of the lines that wait, without checkpoints.
    bytes: usize,
    checkpoints: usize,
    /// Lines that came and were not lost, and how many of them were written.
    queued: u64,
    written: u64,
    /// Lines that were lost, and of which nothing was said yet.
    lost: u64,
}

#[derive(Debug)]
struct Line {
    text: Vec<u8>,
    is_checkpoint: bool,
}

impl Lines {
    /// Starts the thread that writes to `target`. When lines were lost, `tell` is told how many, and may write a line itself.
    ///
    /// # Errors
    /// The operating system gives no thread.
    pub(super) fn start(
        mut target: impl Write + Send + 'static,
        tell: impl Fn(u64) + Send + 'static,
    ) -> io::Result<Self> {
        let lines = Self(Arc::default());
        let shared = Arc::clone(&lines.0);
        std::thread::Builder::new().name("log".to_owned()).spawn(move || {
            loop {
                let lost = shared.write_what_waits(&mut target);
                if lost > 0 {
                    tell(lost);
                }
            }
        })?;
        Ok(lines)
    }

    /// Waits until everything that came so far is written, but not for long.
    pub(super) fn flush(&self, at_most: Duration) {
        let end = Instant::now() + at_most;
        let mut state = self.0.state.lock();
        let queued = state.queued;
        while state.written < queued && !self.0.went.wait_until(&mut state, end).timed_out() {}
    }

    fn push(&self, text: &[u8], is_checkpoint: bool) {
        let lost = self.0.state.lock().push(text, is_checkpoint);
        self.0.came.notify_one();
        if lost {
            metrics::log_lines_lost(1);
        }
    }
}

impl Shared {
    /// Writes all that waits together; returns how many lines were lost up to then.
    fn write_what_waits(&self, target: &mut impl Write) -> u64 {
        let mut state = self.state.lock();
        while state.waiting.is_empty() {
            self.came.wait(&mut state);
        }
        let lines = state.take();
        drop(state);
        let text = lines.iter().map(|line| line.text.as_slice()).collect::<Vec<_>>().concat();
        // there is no other place to say that standard error is closed
        target.write_all(&text).and_then(|()| target.flush()).ok();
        let mut state = self.state.lock();
        state.written += u64::try_from(lines.len()).unwrap_or(u64::MAX);
        self.went.notify_all();
        std::mem::take(&mut state.lost)
    }
}

impl State {
    /// Returns whether a line was lost: this one, or a checkpoint that says less.
    fn push(&mut self, text: &[u8], is_checkpoint: bool) -> bool {
        let mut lost = false;
        if !is_checkpoint && self.bytes + text.len() > ROOM {
            self.lost += 1;
            return true;
        }
        if is_checkpoint {
            lost = self.checkpoints >= CHECKPOINTS_ROOM && self.lose_oldest_checkpoint();
            self.checkpoints += 1;
        } else {
            self.bytes += text.len();
        }
        self.queued += 1;
        self.waiting.push_back(Line { text: text.to_vec(), is_checkpoint });
        lost
    }

    fn lose_oldest_checkpoint(&mut self) -> bool {
        let oldest = self.waiting.iter().position(|line| line.is_checkpoint);
        let gone = oldest.and_then(|at| self.waiting.remove(at)).is_some();
        if gone {
            self.checkpoints -= 1;
            self.written += 1;
            self.lost += 1;
        }
        gone
    }

    fn take(&mut self) -> VecDeque<Line> {
        (self.bytes, self.checkpoints) = (0, 0);
        std::mem::take(&mut self.waiting)
    }
}

/// Takes one line, which is written at once.
#[derive(Debug)]
pub(super) struct LineWriter<'a> {
    lines: &'a Lines,
    is_checkpoint: bool,
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = LineWriter<'a>;

    fn make_writer(&'a self) -> LineWriter<'a> {
        LineWriter { lines: self, is_checkpoint: false }
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> LineWriter<'a> {
        LineWriter { lines: self, is_checkpoint: metadata.target() == CHECKPOINTS }
    }
}

impl Write for LineWriter<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.lines.push(line, self.is_checkpoint);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
