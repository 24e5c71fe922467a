//! What came back.

use std::collections::BTreeSet;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::job::{Refused, Tally};
use super::sample::Interval;

/// The reasons of so many refusals are kept; to read one costs more than to count it.
const REASONS_OF: u64 = 100;

/// One answer.
pub(super) enum Answer {
    Expected,
    /// A refusal that was allowed for, with what tells its reason, and when to come again.
    Refused(tonic::Status),
    /// Something else, in words.
    Wrong(String),
}

impl Answer {
    /// How long whoever got it waits before the next request: as it was told.
    pub(super) fn pause(&self) -> Option<Duration> {
        use tonic_types::StatusExt;
        let Self::Refused(status) = self else { return None };
        status.get_error_details().retry_info()?.retry_delay
    }
}

/// All answers so far.
pub(super) struct Counts {
    latencies: Histogram<u64>,
    refusals: Histogram<u64>,
    reasons: BTreeSet<String>,
    failed: u64,
    failure: Option<String>,
}

impl Counts {
    pub(super) fn new() -> anyhow::Result<Self> {
        let latencies = Histogram::new_with_bounds(1, 60_000_000, 3)?;
        Ok(Self {
            refusals: latencies.clone(),
            latencies,
            reasons: BTreeSet::new(),
            failed: 0,
            failure: None,
        })
    }

    /// Adds an answer, which took `measured`; without it, only what is wrong counts.
    pub(super) fn add(&mut self, measured: Option<Duration>, answer: Answer) {
        let took = measured.map(|time| u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
        match (answer, took) {
            (Answer::Expected, Some(took)) => self.latencies.saturating_record(took),
            (Answer::Refused(status), Some(took)) => {
                if self.refusals.len() < REASONS_OF {
                    self.reasons.insert(reason(&status));
                }
                self.refusals.saturating_record(took);
            }
            (Answer::Wrong(wrong), _) => {
                self.failed += 1;
                self.failure.get_or_insert(wrong);
            }
            (_, None) => {}
        }
    }

    pub(super) fn tally(&self, interval: Interval) -> anyhow::Result<Tally> {
        let completed = self.latencies.len();
        anyhow::ensure!(completed > 0, "nothing was answered as expected: {:?}", self.failure);
        let accepted = f64::from(u32::try_from(completed)?);
        let answers = f64::from(u32::try_from(completed + self.refusals.len())?);
        Ok(Tally {
            completed,
            failed: self.failed,
            failure: self.failure.clone(),
            per_second: accepted / interval.seconds,
            p50: self.latencies.value_at_quantile(0.5),
            p99: self.latencies.value_at_quantile(0.99),
            p999: self.latencies.value_at_quantile(0.999),
            longest: self.latencies.max(),
            refused: Refused {
                count: self.refusals.len(),
                p50: self.refusals.value_at_quantile(0.5),
                p99: self.refusals.value_at_quantile(0.99),
                reasons: self.reasons.clone(),
            },
            server_cpu: interval.server / answers * 100_000.0,
            other_cpus: interval.other / interval.seconds,
        })
    }
}

fn reason(status: &tonic::Status) -> String {
    use tonic_types::StatusExt;
    let details = status.get_error_details();
    details.error_info().map_or_else(|| status.code().to_string(), |info| info.reason.clone())
}
