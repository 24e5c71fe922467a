//! Identity tokens that are accepted once.

use rusqlite::{Transaction, params};

use crate::store::Error;
use crate::store::column::nanoseconds;
use crate::store::used_token::UsedToken;

/// True for the first use. What ended is swept on the way, a little at a time.
pub(super) fn use_up(transaction: &Transaction<'_>, token: &UsedToken) -> Result<bool, Error> {
    transaction
        .prepare_cached(
            "DELETE FROM used_token WHERE hash IN (SELECT hash FROM used_token WHERE expire_time < ? LIMIT 100)",
        )?
        .execute([nanoseconds(token.ended())])?;
    let added = transaction
        .prepare_cached("INSERT OR IGNORE INTO used_token (hash, expire_time) VALUES (?, ?)")?
        .execute(params![token.hash, nanoseconds(token.expire_time)])?;
    Ok(added > 0)
}
