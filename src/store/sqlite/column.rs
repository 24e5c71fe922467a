//! Reads the columns of a row of SQLite.

use rusqlite::Row;
use rusqlite::types::{Type, ValueRef};

/// The value of a column that has to be `N` bytes.
pub(super) fn bytes<const N: usize>(row: &Row<'_>, column: usize) -> rusqlite::Result<[u8; N]> {
    let value = row.get_ref(column)?.as_bytes()?;
    <[u8; N]>::try_from(value).map_err(|_| wrong_type(column, "a blob of another length"))
}

/// A text, borrowed from the row. What was damaged has to be readable to be named: in place of what is no text stands an empty one, which
/// is never written.
pub(super) fn text<'a>(row: &'a Row<'_>, column: usize) -> rusqlite::Result<&'a str> {
    match row.get_ref(column)? {
        ValueRef::Text(bytes) => Ok(std::str::from_utf8(bytes).unwrap_or_default()),
        ValueRef::Blob(_) | ValueRef::Null => Ok(""),
        ValueRef::Integer(_) | ValueRef::Real(_) => Err(wrong_type(column, "a number")),
    }
}

fn wrong_type(column: usize, problem: &str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Blob, problem.into())
}
