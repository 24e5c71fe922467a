//! How values of ours stand in columns: times as nanoseconds since 1970, numbers as SQLite's signed 64 bits.

use jiff::Timestamp;
use rusqlite::Row;
use rusqlite::types::{Type, ValueRef};

/// Nanoseconds since 1970; clamped beyond the years 1677 to 2262.
pub(crate) fn nanoseconds(time: Timestamp) -> i64 {
    i64::try_from(time.as_nanosecond()).unwrap_or(if time < Timestamp::UNIX_EPOCH {
        i64::MIN
    } else {
        i64::MAX
    })
}

pub(in crate::store) fn timestamp(nanoseconds: i64) -> Timestamp {
    // INVARIANT: every i64 of nanoseconds is inside of jiff's range
    Timestamp::from_nanosecond(i128::from(nanoseconds)).unwrap_or(Timestamp::MAX)
}

/// A count or sequence number; above i64 there are none.
pub(in crate::store) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(in crate::store) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// The value of a column that has to be `N` bytes.
pub(in crate::store) fn bytes<const N: usize>(
    row: &Row<'_>,
    column: usize,
) -> rusqlite::Result<[u8; N]> {
    let value = row.get_ref(column)?.as_bytes()?;
    <[u8; N]>::try_from(value).map_err(|_| wrong_type(column, "a blob of another length"))
}

/// A text, borrowed from the row. What was damaged has to be readable to be named: in place of what is no text stands an empty one, which
/// is never written.
pub(in crate::store) fn text<'a>(row: &'a Row<'_>, column: usize) -> rusqlite::Result<&'a str> {
    match row.get_ref(column)? {
        ValueRef::Text(bytes) => Ok(std::str::from_utf8(bytes).unwrap_or_default()),
        ValueRef::Blob(_) | ValueRef::Null => Ok(""),
        ValueRef::Integer(_) | ValueRef::Real(_) => Err(wrong_type(column, "a number")),
    }
}

fn wrong_type(column: usize, problem: &str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Blob, problem.into())
}
