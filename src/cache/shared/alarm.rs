//! A line in the log that is not written once for each of many.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// Writes the first of many lines, and then one at a time that says how many more there were.
#[derive(Debug, Default)]
pub(super) struct Alarm(Mutex<Option<Raised>>);

#[derive(Debug)]
struct Raised {
    at: Instant,
    more: u64,
}

impl Alarm {
    /// Between two lines.
    const QUIET: Duration = Duration::from_secs(10);

    /// Calls `line` with how many were left out before it; or leaves it out.
    pub(super) fn raise(&self, now: Instant, line: impl FnOnce(u64)) {
        let more = {
            let mut raised = self.0.lock();
            match &mut *raised {
                Some(last) if now.duration_since(last.at) < Self::QUIET => {
                    last.more += 1;
                    return;
                }
                last => {
                    let more = last.as_ref().map_or(0, |last| last.more);
                    *last = Some(Raised { at: now, more: 0 });
                    more
                }
            }
        };
        line(more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_the_first_is_written_and_the_next_tells_how_many_were_not() {
        let (alarm, now, mut lines) = (Alarm::default(), Instant::now(), Vec::new());
        for _ in 0..1000 {
            alarm.raise(now, |more| lines.push(more));
        }
        alarm.raise(now + Alarm::QUIET, |more| lines.push(more));
        assert_eq!(lines, [0, 999]);
    }
}
