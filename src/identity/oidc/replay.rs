//! Tokens that are accepted once.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use aws_lc_rs::digest;
use jiff::Timestamp;
use parking_lot::Mutex;

use crate::model::IssuerUrl;

/// What remembers the tokens that were used for all processes, and longer than each of them lives.
#[async_trait]
pub trait UsedTokens: fmt::Debug + Send + Sync {
    /// Uses a token up, by the hash of its issuer and id: true for the first use. It may be forgotten when it has ended for every clock.
    ///
    /// # Errors
    /// Why it is not known: then the token must not be accepted.
    async fn use_up(
        &self,
        hash: [u8; 32],
        expire_time: Timestamp,
        now: Timestamp,
    ) -> Result<bool, String>;
}

/// The most tokens that are remembered, about 32 MiB. None is forgotten before it ends.
const CAPACITY: usize = 1 << 18;

/// Remembers the tokens that were used until they end: here, and where all processes see it.
#[derive(Debug)]
pub(super) struct Replays {
    seen: Mutex<HashMap<[u8; 32], Timestamp>>,
    capacity: usize,
    shared: Option<Arc<dyn UsedTokens>>,
}

/// What became of a token's use.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Use {
    /// It is the first.
    First,
    /// The token was used before.
    Again,
    /// It cannot be remembered, so it must not be accepted; why.
    Unknown(String),
}

impl Replays {
    pub(super) fn new() -> Self {
        Self::with_capacity(CAPACITY)
    }

    fn with_capacity(capacity: usize) -> Self {
        Self { seen: Mutex::default(), capacity, shared: None }
    }

    /// Remembers there as well.
    pub(super) fn share(&mut self, shared: Arc<dyn UsedTokens>) {
        self.shared = Some(shared);
    }

    /// Uses up a token.
    pub(super) async fn take(
        &self,
        issuer: &IssuerUrl,
        jti: &str,
        end: Timestamp,
        now: Timestamp,
    ) -> Use {
        let key = key(issuer, jti);
        let here = self.take_here(key, end, now);
        let (Use::First, Some(shared)) = (&here, &self.shared) else { return here };
        let mut doubt = Doubt { key: Some(key), seen: &self.seen };
        match shared.use_up(key, end, now).await {
            Ok(first) => {
                doubt.key = None;
                if first { Use::First } else { Use::Again }
            }
            Err(problem) => Use::Unknown(problem),
        }
    }

    fn take_here(&self, key: [u8; 32], end: Timestamp, now: Timestamp) -> Use {
        let mut seen = self.seen.lock();
        if seen.len() >= self.capacity {
            seen.retain(|_, end| now < *end);
        }
        let full = seen.len() >= self.capacity;
        match seen.entry(key) {
            Entry::Occupied(_) => Use::Again,
            Entry::Vacant(_) if full => Use::Unknown(
                "more tokens that are accepted once are alive than can be remembered".to_owned(),
            ),
            Entry::Vacant(free) => {
                free.insert(end);
                Use::First
            }
        }
    }
}

/// A use of which nothing is known, because the answer failed or nobody waited for it: dropped, it may be presented again.
struct Doubt<'a> {
    key: Option<[u8; 32]>,
    seen: &'a Mutex<HashMap<[u8; 32], Timestamp>>,
}

impl Drop for Doubt<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.seen.lock().remove(&key);
        }
    }
}

/// The length before the issuer keeps two pairs from having one key.
fn key(issuer: &IssuerUrl, jti: &str) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(&issuer.as_str().len().to_be_bytes());
    context.update(issuer.as_str().as_bytes());
    context.update(jti.as_bytes());
    let mut key = [0; 32];
    key.copy_from_slice(context.finish().as_ref());
    key
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn issuer(text: &str) -> IssuerUrl {
        text.parse().unwrap()
    }

    #[tokio::test]
    async fn a_token_is_used_once_whoever_else_has_its_id() {
        let used = Replays::new();
        assert_eq!(used.take(&issuer("https://a"), "1", at(10), at(0)).await, Use::First);
        assert_eq!(used.take(&issuer("https://a"), "1", at(10), at(5)).await, Use::Again);
        assert_eq!(used.take(&issuer("https://b"), "1", at(10), at(5)).await, Use::First);
    }

    #[tokio::test]
    async fn b7_issuer_and_id_do_not_run_together() {
        let used = Replays::new();
        assert_eq!(used.take(&issuer("https://a"), "b1", at(10), at(0)).await, Use::First);
        assert_eq!(used.take(&issuer("https://ab"), "1", at(10), at(0)).await, Use::First);
    }

    #[tokio::test]
    async fn when_full_nothing_alive_is_forgotten() {
        let used = Replays::with_capacity(2);
        assert_eq!(used.take(&issuer("https://a"), "1", at(10), at(0)).await, Use::First);
        assert_eq!(used.take(&issuer("https://a"), "2", at(20), at(0)).await, Use::First);
        assert!(matches!(
            used.take(&issuer("https://a"), "3", at(20), at(5)).await,
            Use::Unknown(_)
        ));
        assert_eq!(used.take(&issuer("https://a"), "1", at(10), at(5)).await, Use::Again);
        assert_eq!(used.take(&issuer("https://a"), "3", at(20), at(10)).await, Use::First);
    }

    /// What two processes share.
    #[derive(Debug, Default)]
    struct Shared {
        seen: Mutex<HashSet<[u8; 32]>>,
        away: AtomicBool,
    }

    #[async_trait]
    impl UsedTokens for Shared {
        async fn use_up(&self, hash: [u8; 32], _: Timestamp, _: Timestamp) -> Result<bool, String> {
            if self.away.load(Ordering::SeqCst) {
                return Err("it is away".to_owned());
            }
            Ok(self.seen.lock().insert(hash))
        }
    }

    #[tokio::test]
    async fn what_one_process_accepted_no_other_does_and_in_doubt_none() {
        let shared = Arc::new(Shared::default());
        let [one, other] = [(); 2].map(|()| {
            let mut used = Replays::new();
            used.share(Arc::<Shared>::clone(&shared));
            used
        });
        let a = issuer("https://a");
        assert_eq!(one.take(&a, "1", at(10), at(0)).await, Use::First);
        assert_eq!(other.take(&a, "1", at(10), at(0)).await, Use::Again);
        shared.away.store(true, Ordering::SeqCst);
        assert_eq!(one.take(&a, "2", at(10), at(0)).await, Use::Unknown("it is away".to_owned()));
        shared.away.store(false, Ordering::SeqCst);
        assert_eq!(one.take(&a, "2", at(10), at(0)).await, Use::First);
    }
}
