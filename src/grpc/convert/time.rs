//! Points and lengths of time, as protobuf has them.

use std::time::Duration;

use jiff::Timestamp;

use super::violations::Violations;
use crate::model::Lifetime;

/// The largest `google.protobuf.Duration`, about 10,000 years.
const MAX_SECONDS: u64 = 315_576_000_000;

/// A point in time as protobuf has it: the nanoseconds count forward, also before 1970.
pub(in crate::grpc) fn timestamp(time: Timestamp) -> prost_types::Timestamp {
    let nanos = time.as_nanosecond();
    let second = 1_000_000_000;
    prost_types::Timestamp {
        seconds: i64::try_from(nanos.div_euclid(second)).unwrap_or(i64::MAX),
        nanos: i32::try_from(nanos.rem_euclid(second)).unwrap_or_default(),
    }
}

/// A length of time: not negative, and in the range of `google.protobuf.Duration`.
pub(super) fn duration(wanted: prost_types::Duration) -> Result<Duration, &'static str> {
    let negative = "a length of time is not negative";
    let seconds = u64::try_from(wanted.seconds).map_err(|_| negative)?;
    let nanos = u32::try_from(wanted.nanos).map_err(|_| negative)?;
    if seconds > MAX_SECONDS || nanos > 999_999_999 {
        return Err("out of the range of google.protobuf.Duration");
    }
    Ok(Duration::new(seconds, nanos))
}

/// How far to look back, or what is usual.
pub(super) fn window(
    field: &str,
    wanted: Option<prost_types::Duration>,
    usual: Duration,
    violations: &mut Violations,
) -> Option<Duration> {
    match wanted {
        None => Some(usual),
        Some(wanted) => violations.check(field, duration(wanted)),
    }
}

/// A lifetime, or none.
pub(super) fn lifetime(
    field: &str,
    wanted: Option<prost_types::Duration>,
    violations: &mut Violations,
) -> Option<Lifetime> {
    let wanted = violations.check(field, duration(wanted?))?;
    violations.check(field, Lifetime::new(wanted))
}

/// A lifetime as protobuf has it.
pub(super) fn pb_lifetime(lifetime: Lifetime) -> prost_types::Duration {
    let seconds = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
    prost_types::Duration { seconds, nanos: 0 }
}

/// A point in time, or none.
pub(super) fn time(
    field: &str,
    wanted: Option<prost_types::Timestamp>,
    violations: &mut Violations,
) -> Option<Timestamp> {
    let wanted = wanted?;
    let in_range = (0..1_000_000_000).contains(&wanted.nanos);
    let parsed = Timestamp::new(wanted.seconds, wanted.nanos).ok().filter(|_| in_range);
    violations.check(field, parsed.ok_or("out of the range of google.protobuf.Timestamp"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nanoseconds_count_forward_before_1970_too() {
        let at = Timestamp::new(-1, -500_000_000).unwrap();
        let sent = prost_types::Timestamp { seconds: -2, nanos: 500_000_000 };
        assert_eq!(timestamp(at), sent);
        assert_eq!(time("time", Some(sent), &mut Violations::default()), Some(at));
    }

    #[test]
    fn times_that_are_none_are_refused() {
        for (seconds, nanos) in [(i64::MAX, 0), (0, -1), (0, 1_000_000_000)] {
            let mut violations = Violations::default();
            let sent = Some(prost_types::Timestamp { seconds, nanos });
            assert_eq!(time("time", sent, &mut violations), None);
            assert_eq!(violations.finish(Some(())).unwrap_err()[0].field, "time");
        }
    }
}
