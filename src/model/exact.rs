//! Lists without room for more: definitions are read once and kept in great number.

use serde::{Deserialize, Deserializer};

/// Reads a list into no more memory than it needs; a list that grows while it is read has up to four times that.
pub(super) fn list<'de, D, T, L>(deserializer: D) -> Result<L, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
    L: From<Vec<T>>,
{
    let mut list = Vec::deserialize(deserializer)?;
    list.shrink_to_fit();
    Ok(list.into())
}
