//! A thread that signs beside those that serve. A signature takes as long as all else that a request needs of its core.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::unsigned::Unsigned;
use crate::model::Secret;
use crate::registry::Error;

/// Whoever wants a signature this long after the one before signs on its own thread: to hand it over would take longer.
const ALONE: Duration = Duration::from_micros(60);
/// So many wait for the thread; further ones are signed by whoever wants them, so that with more cores the thread is no limit.
const QUEUE: usize = 64;
/// The most that are signed before they are handed back together.
const BATCH: usize = 16;

/// Signs on the thread of the caller, or on one beside, whichever is quicker. The thread begins when it is first needed.
pub(in crate::registry) struct SigningThread {
    queue: OnceLock<Option<SyncSender<Queued>>>,
    begun: Instant,
    /// When a signature was last wanted, in nanoseconds since `begun`; 0 = never.
    last: AtomicU64,
}

/// What is to be signed, and who waits for it.
struct Queued {
    unsigned: Unsigned,
    done: oneshot::Sender<HandedBack>,
}

/// A JWT, and those of others that wait on the same runtime or on another.
struct HandedBack {
    jwt: Result<Secret, Error>,
    others: Others,
}

/// JWTs of others, who get them when this is dropped: the thread wakes one waiter of a batch, and that one the rest, since
/// to wake a task from another thread costs more than half a signature.
#[derive(Default)]
struct Others(Vec<(Result<Secret, Error>, oneshot::Sender<HandedBack>)>);

impl SigningThread {
    /// Signs.
    ///
    /// # Errors
    /// No random numbers, or the thread ended.
    pub(in crate::registry) async fn sign(&self, unsigned: Unsigned) -> Result<Secret, Error> {
        if self.is_alone() {
            return unsigned.sign();
        }
        let Some(queue) = self.queue.get_or_init(start) else { return unsigned.sign() };
        let (done, handed_back) = oneshot::channel();
        if let Err(refused) = queue.try_send(Queued { unsigned, done }) {
            let (TrySendError::Full(queued) | TrySendError::Disconnected(queued)) = refused;
            return queued.unsigned.sign();
        }
        let handed_back = handed_back.await;
        handed_back.map_err(|_| Error::Internal("the thread that signs ended".to_owned()))?.jwt
    }

    /// True when nobody else wanted a signature lately.
    fn is_alone(&self) -> bool {
        let nanos = |duration: Duration| u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let now = nanos(self.begun.elapsed()).max(1);
        let last = self.last.swap(now, Ordering::Relaxed);
        last == 0 || now.saturating_sub(last) >= nanos(ALONE)
    }
}

/// Nothing runs yet.
impl Default for SigningThread {
    fn default() -> Self {
        Self { queue: OnceLock::new(), begun: Instant::now(), last: AtomicU64::new(0) }
    }
}

/// Where a thread cannot be started, everybody signs for itself.
fn start() -> Option<SyncSender<Queued>> {
    let (queue, queued) = sync_channel(QUEUE);
    let started = thread::Builder::new().name("signing".to_owned()).spawn(move || run(&queued));
    if let Err(error) = &started {
        tracing::warn!(%error, "no thread for signing can be started");
    }
    started.is_ok().then_some(queue)
}

/// Works until nobody can ask any more.
fn run(queue: &Receiver<Queued>) {
    while let Ok(first) = queue.recv() {
        let mut signed = Others::default();
        let rest = std::iter::from_fn(|| queue.try_recv().ok());
        for Queued { unsigned, done } in std::iter::once(first).chain(rest).take(BATCH) {
            signed.0.push((unsigned.sign(), done));
        }
        signed.hand_back();
    }
}

impl Others {
    /// Gives all of them to the last one.
    fn hand_back(mut self) {
        while let Some((jwt, done)) = self.0.pop() {
            let others = std::mem::take(&mut self);
            match done.send(HandedBack { jwt, others }) {
                Ok(()) => return,
                // it hung up: the next one takes the rest
                Err(mut refused) => self = std::mem::take(&mut refused.others),
            }
        }
    }
}

impl Drop for Others {
    fn drop(&mut self) {
        for (jwt, done) in self.0.drain(..) {
            // whoever hung up needs none
            drop(done.send(HandedBack { jwt, others: Self::default() }));
        }
    }
}

impl fmt::Debug for SigningThread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningThread").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::future::join_all;
    use serde_json::json;

    use super::super::kid::KidKey;
    use super::super::unsigned::Key;
    use super::*;
    use crate::registry::KeysConfig;

    fn keys() -> Arc<[KidKey]> {
        let folder = tempfile::tempdir().unwrap();
        let config = KeysConfig::for_test(folder.path(), 1);
        config.signing_key_files.iter().map(|file| KidKey::load(file).unwrap()).collect()
    }

    fn unsigned(keys: &Arc<[KidKey]>, number: usize) -> Unsigned {
        Unsigned::new(Key::Kid(Arc::clone(keys)), &json!({"n": number})).unwrap()
    }

    /// The JWTs up to the signature, which is another each time.
    fn signed(jwt: &Secret) -> &str {
        jwt.expose().rsplit_once('.').unwrap().0
    }

    #[tokio::test]
    async fn each_gets_its_own_whoever_signs() {
        let (thread, keys) = (SigningThread::default(), keys());
        let wanted = (0..500).map(|number| thread.sign(unsigned(&keys, number)));
        let jwts = join_all(wanted).await;
        for (number, jwt) in jwts.into_iter().enumerate() {
            let expected = unsigned(&keys, number).sign().unwrap();
            assert_eq!(signed(&jwt.unwrap()), signed(&expected), "{number}");
        }
        assert!(thread.queue.get().is_some(), "nothing was handed over");
    }

    #[tokio::test]
    async fn what_comes_alone_is_signed_where_it_is_wanted() {
        let (thread, keys) = (SigningThread::default(), keys());
        thread.sign(unsigned(&keys, 1)).await.unwrap();
        assert!(thread.queue.get().is_none());
    }

    #[tokio::test]
    async fn the_others_of_a_batch_get_theirs_when_the_one_that_was_woken_hangs_up() {
        let keys = keys();
        let sign = |number| unsigned(&keys, number).sign();
        let (first, mut other) = oneshot::channel();
        let (second, leader) = oneshot::channel();
        let (third, gone) = oneshot::channel();
        drop(gone);
        Others(vec![(sign(1), first), (sign(2), second), (sign(3), third)]).hand_back();
        assert!(other.try_recv().is_err(), "the leader alone is woken");
        drop(leader);
        assert!(other.try_recv().unwrap().jwt.is_ok());
    }
}
