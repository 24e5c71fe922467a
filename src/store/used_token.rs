//! Identity tokens that are accepted once, by whichever process.

use jiff::{SignedDuration, Timestamp};

/// What expired before this is over for everybody, when it is `now` here.
pub(super) fn over_for_everybody(now: Timestamp) -> Timestamp {
    now.saturating_sub(CLOCKS).unwrap_or(Timestamp::MIN)
}

/// How much longer than its life a token is remembered: to a process whose clock is behind, it has not ended yet.
const CLOCKS: SignedDuration = SignedDuration::from_mins(10);

/// A token that is used.
#[derive(Clone, Copy, Debug)]
pub(super) struct UsedToken {
    /// Of its issuer and id.
    pub(super) hash: [u8; 32],
    pub(super) expire_time: Timestamp,
    pub(super) now: Timestamp,
}

impl UsedToken {
    /// What expired before this is over for everybody.
    pub(super) fn ended(&self) -> Timestamp {
        over_for_everybody(self.now)
    }
}
