//! A value between its mint and its record.

use std::fmt;
use std::sync::Arc;

use super::shared::Share;
use super::{Inner, Shareable};

/// A value that was minted and is not yet recorded. Callers of this process share it already; no other replica finds it before
/// [`Unrecorded::recorded`]. Dropped without, it is forgotten, and whoever waits for it elsewhere mints.
#[must_use = "a value whose record is not told of is forgotten"]
pub struct Unrecorded<V: Shareable, E: Clone + Send + Sync + 'static> {
    inner: Arc<Inner<V, E>>,
    key: [u8; 32],
    value: Arc<V>,
    share: Option<Share<V>>,
    state: State,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum State {
    Unrecorded,
    Recorded,
}

impl<V: Shareable, E: Clone + Send + Sync + 'static> Unrecorded<V, E> {
    pub(super) const fn new(
        inner: Arc<Inner<V, E>>,
        key: [u8; 32],
        value: Arc<V>,
        share: Option<Share<V>>,
    ) -> Self {
        Self { inner, key, value, share, state: State::Unrecorded }
    }

    /// It is recorded, for good: from now on other replicas may find it. Does not wait.
    pub fn recorded(mut self) {
        self.state = State::Recorded;
        if let Some(share) = self.share.take() {
            share.write(Arc::clone(&self.value));
        }
    }
}

impl<V: Shareable, E: Clone + Send + Sync + 'static> Drop for Unrecorded<V, E> {
    fn drop(&mut self) {
        if self.state == State::Unrecorded {
            let own = |value: &V| std::ptr::eq(value, Arc::as_ptr(&self.value));
            self.inner.memory.forget_one(&self.key, own);
        }
    }
}

impl<V: Shareable, E: Clone + Send + Sync + 'static> fmt::Debug for Unrecorded<V, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unrecorded").finish_non_exhaustive()
    }
}
