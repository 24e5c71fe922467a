//! When to stop asking: the last answers of one connection.

use std::sync::atomic::{AtomicU32, Ordering};

/// The last answers of one connection, a bit each: 1 where none came in time.
#[derive(Debug, Default)]
pub(super) struct Breaker(AtomicU32);

/// How a question ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Answer {
    InTime,
    Missing,
}

impl Breaker {
    /// How many answers are looked at.
    const LOOKED_AT: u32 = 10;
    /// How many of them may be missing before nobody asks any more, less one.
    pub(super) const MISSING: u32 = 5;

    /// Notes an answer; true when it is better not to ask any more.
    pub(super) fn note(&self, answer: Answer) -> bool {
        let missing = u32::from(answer == Answer::Missing);
        let next = |last: u32| ((last << 1) | missing) & ((1 << Self::LOOKED_AT) - 1);
        // the closure never declines
        let (Ok(before) | Err(before)) =
            self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, |last| Some(next(last)));
        next(before).count_ones() >= Self::MISSING
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_of_the_last_answers_must_be_missing() {
        let breaker = Breaker::default();
        for _ in 0..3 {
            for _ in 1..Breaker::MISSING {
                assert!(!breaker.note(Answer::Missing));
            }
            for _ in 0..Breaker::LOOKED_AT {
                assert!(!breaker.note(Answer::InTime));
            }
        }
        for _ in 1..Breaker::MISSING {
            assert!(!breaker.note(Answer::Missing));
            assert!(!breaker.note(Answer::InTime));
        }
        assert!(breaker.note(Answer::Missing), "every second one is missing");
    }
}
