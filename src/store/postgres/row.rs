//! Reads the columns of a row of PostgreSQL.

use sqlx::Row;
use sqlx::postgres::PgRow;

use crate::store::Chain;

/// The value of a column that has to be `N` bytes.
pub(super) fn bytes<const N: usize>(row: &PgRow, column: usize) -> Result<[u8; N], sqlx::Error> {
    let value: &[u8] = row.try_get(column)?;
    <[u8; N]>::try_from(value).map_err(|_| sqlx::Error::ColumnDecode {
        index: column.to_string(),
        source: format!("it has {} bytes in place of {N}", value.len()).into(),
    })
}

/// The number of a chain.
pub(super) fn chain_of(number: i32) -> Chain {
    Chain(u32::try_from(number).unwrap_or_default())
}
