//! The right to share what was minted.

use std::sync::Arc;
use std::time::Duration;

use super::envelope::Fence;
use super::name::Name;
use super::outbox::{Errand, Outbox};

/// How a value may be shared once it is recorded. Dropped without, a lock that was taken for it is given back.
pub(in crate::cache) struct Share<V> {
    outbox: Outbox<V>,
    name: Name,
    terms: Terms,
}

/// What a value may replace on Redis.
#[derive(Clone, Debug)]
enum Terms {
    /// Whatever is there: it is minted by whoever wants it.
    Plain,
    /// Nothing: it was minted while Redis was away, and there may be one of those who were not.
    IfAbsent,
    /// What an earlier holder of the lock wrote.
    Fenced(Fence),
    /// It is done.
    Done,
}

impl<V> Share<V> {
    pub(super) fn plain(outbox: &Outbox<V>, name: Name) -> Self {
        Self { outbox: outbox.clone(), name, terms: Terms::Plain }
    }

    pub(super) fn if_absent(outbox: &Outbox<V>, name: Name) -> Self {
        Self { outbox: outbox.clone(), name, terms: Terms::IfAbsent }
    }

    pub(super) fn fenced(outbox: &Outbox<V>, name: Name, fence: Fence) -> Self {
        Self { outbox: outbox.clone(), name, terms: Terms::Fenced(fence) }
    }

    /// The holder of a lock shows that it is still there.
    pub(super) fn renew(&self, lease: Duration) {
        if let Terms::Fenced(fence) = &self.terms {
            self.outbox.send(self.name.clone(), Errand::Renew(fence.clone(), lease));
        }
    }

    /// The fence of the lock that it holds.
    pub(super) const fn fence(&self) -> Option<&Fence> {
        match &self.terms {
            Terms::Fenced(fence) => Some(fence),
            Terms::Plain | Terms::IfAbsent | Terms::Done => None,
        }
    }

    /// Has the value written, behind the caller's back.
    pub(in crate::cache) fn write(mut self, value: Arc<V>) {
        let errand = match std::mem::replace(&mut self.terms, Terms::Done) {
            Terms::Plain => Errand::Write(value),
            Terms::IfAbsent => Errand::WriteIfAbsent(value),
            Terms::Fenced(fence) => Errand::Commit(fence, value),
            Terms::Done => return,
        };
        self.outbox.send(self.name.clone(), errand);
    }
}

impl<V> Drop for Share<V> {
    fn drop(&mut self) {
        if let Terms::Fenced(fence) = &self.terms {
            self.outbox.send(self.name.clone(), Errand::Release(fence.clone()));
        }
    }
}
