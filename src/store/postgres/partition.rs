//! The partitions of the journal, made ahead and swept after a prune.

use sqlx::Executor;

use super::link::{LONG, SHORT, Shared};
use crate::store::Error;
use crate::store::column::unsigned;

/// The most events, and claims, of a chain that are deleted in one transaction.
const PIECE: i32 = 10_000;

/// Makes the partitions of this month and the next, unless they are there.
pub(super) async fn make(link: &Shared) -> Result<(), Error> {
    link.with(SHORT, |connection| {
        Box::pin(async { Ok(connection.execute("SELECT make_partitions()").await.map(drop)?) })
    })
    .await
}

/// Deletes what prunes left, whole partitions where it can, and returns how many claims that were.
pub(super) async fn sweep(link: &Shared) -> Result<u64, Error> {
    let mut swept: u64 = 0;
    loop {
        let (events, claims): (i64, i64) = link
            .with(LONG, |connection| {
                let sweep = sqlx::query_as("SELECT events, claims FROM sweep_pruned($1)");
                Box::pin(async { Ok(sweep.bind(PIECE).fetch_one(connection).await?) })
            })
            .await?;
        swept = swept.saturating_add(unsigned(claims));
        if events == 0 && claims == 0 {
            return Ok(swept);
        }
    }
}
