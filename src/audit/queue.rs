//! What waits for the thread of the journal: taken all at once, so that the thread is woken, and the lock is fought for, once a batch.

use std::fmt;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

/// A bounded queue of many senders and one thread that takes.
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    filled: Condvar,
    capacity: usize,
}

struct State<T> {
    waiting: Vec<T>,
    is_closed: bool,
    /// The thread waits to be woken.
    is_idle: bool,
}

/// Why something is not queued.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum NotQueued {
    Full,
    Closed,
}

/// Whether more may come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum More {
    Perhaps,
    /// The queue is closed and empty.
    Never,
}

impl<T> Queue<T> {
    pub(super) const fn new(capacity: usize) -> Self {
        let state = State { waiting: Vec::new(), is_closed: false, is_idle: false };
        Self { state: Mutex::new(state), filled: Condvar::new(), capacity }
    }

    pub(super) fn push(&self, one: T) -> Result<(), NotQueued> {
        let mut state = self.state.lock();
        if state.is_closed {
            return Err(NotQueued::Closed);
        }
        if state.waiting.len() >= self.capacity {
            return Err(NotQueued::Full);
        }
        state.waiting.push(one);
        self.wake(state);
        Ok(())
    }

    /// Nothing is taken in any more; what waits is still taken out.
    pub(super) fn close(&self) {
        let mut state = self.state.lock();
        state.is_closed = true;
        self.wake(state);
    }

    /// Swaps all that waits with `empty`; waits for the first at most this long.
    pub(super) fn take(&self, empty: &mut Vec<T>, patience: Duration) -> More {
        let mut state = self.state.lock();
        if state.waiting.is_empty() && !state.is_closed {
            state.is_idle = true;
            self.filled.wait_for(&mut state, patience);
            state.is_idle = false;
        }
        std::mem::swap(&mut state.waiting, empty);
        if state.is_closed && empty.is_empty() { More::Never } else { More::Perhaps }
    }

    fn wake(&self, mut state: parking_lot::MutexGuard<'_, State<T>>) {
        let is_idle = std::mem::take(&mut state.is_idle);
        drop(state);
        if is_idle {
            self.filled.notify_one();
        }
    }
}

impl<T> fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").field("capacity", &self.capacity).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_waits_is_taken_at_once_and_no_more_than_fits_waits() {
        let queue = Queue::new(2);
        assert_eq!([1, 2, 3].map(|one| queue.push(one)), [Ok(()), Ok(()), Err(NotQueued::Full)]);
        let mut taken = Vec::new();
        assert_eq!((queue.take(&mut taken, Duration::ZERO), taken), (More::Perhaps, vec![1, 2]));
    }

    #[test]
    fn what_waits_when_it_is_closed_is_taken_and_then_it_ends() {
        let queue = Queue::new(2);
        queue.push(1).unwrap();
        queue.close();
        assert_eq!(queue.push(2), Err(NotQueued::Closed));
        let mut taken = Vec::new();
        assert_eq!(queue.take(&mut taken, Duration::MAX), More::Perhaps);
        assert_eq!(taken, [1]);
        taken.clear();
        assert_eq!(queue.take(&mut taken, Duration::MAX), More::Never);
    }

    #[test]
    fn whoever_waits_is_woken() {
        let queue = Queue::new(1);
        std::thread::scope(|scope| {
            let taking = scope.spawn(|| {
                let mut taken = Vec::new();
                queue.take(&mut taken, Duration::MAX);
                taken
            });
            queue.push(7).unwrap();
            assert_eq!(taking.join().unwrap(), [7]);
        });
    }
}
