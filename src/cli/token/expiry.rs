//! `--expiration` and `--expiration-in-days`: when a password ends by itself.

use clap::Args;
use jiff::{SignedDuration, Timestamp};

use super::Failure;

/// When generated passwords end.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct ExpiryArgs {
    /// When the passwords end, as RFC 3339 such as 2027-01-31T00:00:00Z [default: never]
    #[arg(long, value_name = "TIME", value_parser = time, conflicts_with = "expiration_in_days")]
    expiration: Option<Timestamp>,
    // az's older name is accepted
    /// In how many days the passwords end, 1 to 36500
    #[arg(long, alias = "days", value_name = "DAYS", value_parser = clap::value_parser!(i64).range(1..=36_500))]
    expiration_in_days: Option<i64>,
}

impl ExpiryArgs {
    /// When the passwords end; `None` = never.
    pub(super) fn end(self, now: Timestamp) -> Result<Option<Timestamp>, Failure> {
        end("--expiration", self.expiration, self.expiration_in_days, now)
    }
}

/// The end that two flags name, which must be to come.
pub(super) fn end(
    flag: &str,
    at: Option<Timestamp>,
    in_days: Option<i64>,
    now: Timestamp,
) -> Result<Option<Timestamp>, Failure> {
    let in_days = in_days.map(|days| SignedDuration::from_hours(days.saturating_mul(24)));
    let in_days = in_days.map(|rest| now.saturating_add(rest)).transpose();
    let in_days = in_days.map_err(|error| Failure::usage(error.to_string()))?;
    match at.or(in_days) {
        Some(end) if end <= now => Err(Failure::usage(format!("{flag} `{end}` is over already"))),
        end => Ok(end),
    }
}

/// A time as RFC 3339 writes it.
pub(super) fn time(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| "write date, time and zone, such as 2027-01-31T00:00:00Z".to_owned())
}
