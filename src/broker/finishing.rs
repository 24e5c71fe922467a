//! How work is awaited: to its end, and no longer than its caller waits.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use tokio::runtime::Handle;
use tokio::time::{Instant, sleep_until};
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

/// Work that is done where it is awaited. When that is dropped before it is done, the rest goes on as a task of the tracker.
///
/// So a request is no task of its own, which would cost two switches; and what began is finished all the same.
pub(super) struct Finishing<W>
where
    W: Future<Output: Send + 'static> + Send + 'static,
{
    work: Option<Pin<Box<W>>>,
    /// Until this is dropped, the tracker waits.
    tracked: TaskTrackerToken,
}

impl<W> Finishing<W>
where
    W: Future<Output: Send + 'static> + Send + 'static,
{
    /// The tracker waits for the work from here on.
    pub(super) fn new(tasks: &TaskTracker, work: W) -> Self {
        Self { work: Some(Box::pin(work)), tracked: tasks.token() }
    }
}

impl<W> Future for Finishing<W>
where
    W: Future<Output: Send + 'static> + Send + 'static,
{
    type Output = W::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<W::Output> {
        // it is not polled again once it is done
        let Some(work) = &mut self.work else { return Poll::Pending };
        let outcome = ready!(work.as_mut().poll(cx));
        self.work = None;
        Poll::Ready(outcome)
    }
}

impl<W> Drop for Finishing<W>
where
    W: Future<Output: Send + 'static> + Send + 'static,
{
    fn drop(&mut self) {
        // without a runtime the program is at its end, and nothing can go on
        if let (Some(rest), Ok(runtime)) = (self.work.take(), Handle::try_current()) {
            self.tracked.task_tracker().spawn_on(rest, &runtime);
        }
    }
}

/// What `work` gives, or none when it takes longer than until `deadline`. Work that is ready at once costs no timer.
///
/// It is pinned where it is: a future that is given away is in two places of whoever awaits this.
pub(super) async fn until<T>(
    deadline: Instant,
    mut work: Pin<&mut impl Future<Output = T>>,
) -> Option<T> {
    let mut timer = pin!(None);
    std::future::poll_fn(|cx| {
        if let Poll::Ready(value) = work.as_mut().poll(cx) {
            return Poll::Ready(Some(value));
        }
        if timer.is_none() {
            timer.set(Some(sleep_until(deadline)));
        }
        timer.as_mut().as_pin_mut().map_or(Poll::Pending, |timer| timer.poll(cx).map(|()| None))
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use futures_util::poll;
    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn work_that_nobody_awaits_any_more_is_finished_before_the_tracker_is_done() {
        let (tasks, go_on) = (TaskTracker::new(), Arc::new(Notify::new()));
        let (begun, done) = (Arc::clone(&go_on), Arc::new(()));
        let kept = Arc::clone(&done);
        let mut awaited = Box::pin(Finishing::new(&tasks, async move {
            begun.notified().await;
            drop(kept);
        }));
        assert!(poll!(awaited.as_mut()).is_pending());
        drop(awaited);
        tasks.close();
        assert_eq!((tasks.len(), Arc::strong_count(&done)), (1, 2));
        go_on.notify_one();
        tasks.wait().await;
        assert_eq!(Arc::strong_count(&done), 1);
    }

    #[tokio::test]
    async fn work_that_is_done_leaves_no_task() {
        let tasks = TaskTracker::new();
        assert_eq!(Finishing::new(&tasks, async { 7 }).await, 7);
        assert!(tasks.is_empty());
    }

    #[tokio::test]
    async fn work_is_cut_short_at_the_deadline_only_when_it_is_not_ready() {
        let passed = Instant::now();
        assert_eq!(until(passed, pin!(async { 7 })).await, Some(7));
        assert_eq!(until(passed, pin!(std::future::pending::<()>())).await, None);
        let later = passed + Duration::from_mins(1);
        assert_eq!(until(later, pin!(tokio::task::yield_now())).await, Some(()));
    }
}
