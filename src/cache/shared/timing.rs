//! How long things take at most.

use std::time::Duration;

/// How long things take at most.
#[derive(Clone, Copy, Debug)]
pub(in crate::cache) struct Timing {
    /// For a look at Redis that a caller waits for, in all.
    pub(in crate::cache) budget: Duration,
    /// To connect, with TLS and the login.
    pub(super) connect: Duration,
    /// Between two probes while Redis answers.
    pub(super) probe: Duration,
    /// The first and the longest pause before Redis is tried again.
    pub(super) pause: (Duration, Duration),
    /// For a write that nobody waits for.
    pub(super) write: Duration,
    /// How long a replica that mints keeps the others waiting when nothing more is heard of it. The same in all replicas.
    pub(super) lease: Duration,
    /// How often it asks for more time.
    pub(super) renewal: Duration,
    /// The first and the longest pause of a replica that waits for another's mint.
    pub(super) poll: (Duration, Duration),
    /// For what is still to be written at the end.
    pub(super) closing: Duration,
}

impl Timing {
    /// That of the program.
    pub(in crate::cache) const DEFAULT: Self = Self {
        budget: Duration::from_millis(20),
        connect: Duration::from_secs(2),
        probe: Duration::from_secs(1),
        pause: (Duration::from_millis(100), Duration::from_secs(2)),
        write: Duration::from_millis(500),
        lease: Duration::from_secs(3),
        renewal: Duration::from_secs(1),
        poll: (Duration::from_millis(5), Duration::from_millis(50)),
        closing: Duration::from_secs(1),
    };
}

/// A time between half of `longest` and all of it, so that many who wait do not come back together.
pub(super) fn jittered(longest: Duration) -> Duration {
    let mut random = [0; 2];
    // without random numbers all come back together, which is not wrong
    let part = match aws_lc_rs::rand::fill(&mut random) {
        Ok(()) => u16::from_le_bytes(random),
        Err(_) => u16::MAX,
    };
    longest / 2 + longest.mul_f64(f64::from(part) / f64::from(u16::MAX) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_between_half_and_all_and_not_always_the_same() {
        let longest = Duration::from_millis(100);
        let pauses: Vec<_> = (0..100).map(|_| jittered(longest)).collect();
        assert!(pauses.iter().all(|pause| (longest / 2..=longest).contains(pause)), "{pauses:?}");
        assert!(pauses.iter().any(|pause| *pause != pauses[0]));
    }
}
