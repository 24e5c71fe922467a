//! How values of ours stand in columns: times as nanoseconds since 1970, numbers as the signed 64 bits of databases.

use jiff::Timestamp;

/// Nanoseconds since 1970; clamped beyond the years 1677 to 2262.
pub(crate) fn nanoseconds(time: Timestamp) -> i64 {
    i64::try_from(time.as_nanosecond()).unwrap_or(if time < Timestamp::UNIX_EPOCH {
        i64::MIN
    } else {
        i64::MAX
    })
}

pub(super) fn timestamp(nanoseconds: i64) -> Timestamp {
    // INVARIANT: every i64 of nanoseconds is inside of jiff's range
    Timestamp::from_nanosecond(i128::from(nanoseconds)).unwrap_or(Timestamp::MAX)
}

/// A count or sequence number; above i64 there are none.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
