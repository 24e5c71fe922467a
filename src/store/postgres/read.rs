//! Reads one chain of the journal, as blocking calls.

use std::ops::{ControlFlow, Range};

use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Executor, Row};

use super::batch::number_of;
use super::error::Problem;
use super::journal::last_checkpoint;
use super::link::{LONG, Shared, Work};
use super::row::bytes;
use crate::model::{Claims, DecisionId};
use crate::store::column::{signed, timestamp, unsigned};
use crate::store::read::{Order, ReadJournal, Rows, Take};
use crate::store::{Body, Chain, ChainHead, Error, JournalRow, Searched};

/// How many rows a scan fetches at first, and at most at once.
const FIRST_PIECE: i64 = 64;
const LARGEST_PIECE: i64 = 2048;

/// What was pruned may still be there for a moment, and is not read.
const NOT_PRUNED: &str =
    "sequence > coalesce((SELECT sequence FROM audit_pruned WHERE chain = $1), 0)";

/// Reads one chain.
pub(super) struct Reader {
    link: Shared,
    chain: Chain,
}

impl Reader {
    pub(super) const fn new(link: Shared, chain: Chain) -> Self {
        Self { link, chain }
    }

    fn read<T: Send>(
        &self,
        work: impl for<'c> Fn(&'c mut PgConnection, i32) -> Work<'c, T> + Send + Sync,
    ) -> Result<T, Error> {
        let chain = number_of(self.chain);
        self.link.wait(self.link.with(LONG, move |connection| work(connection, chain)))
    }

    /// A piece of a scan.
    fn piece(&self, order: Order, places: &Range<u64>, limit: i64) -> Result<Vec<PgRow>, Error> {
        let order = match order {
            Order::OldestFirst => "",
            Order::NewestFirst => "DESC",
        };
        let sql = format!(
            "SELECT sequence, id, time, open, personal FROM audit_event \
             WHERE chain = $1 AND sequence >= $2 AND sequence < $3 AND {NOT_PRUNED} ORDER BY sequence {order} LIMIT $4"
        );
        let (start, end) = (signed(places.start), signed(places.end));
        self.read(|connection, chain| {
            let query = sqlx::query(AssertSqlSafe(sql.clone()));
            let query = query.bind(chain).bind(start).bind(end).bind(limit);
            Box::pin(async { Ok(connection.fetch_all(query).await?) })
        })
    }
}

impl ReadJournal for Reader {
    fn head(&self) -> Result<ChainHead, Error> {
        let head = self.read(|connection, chain| {
            let query = sqlx::query("SELECT sequence, hash FROM audit_chain WHERE chain = $1");
            Box::pin(async move {
                let row = query.bind(chain).fetch_optional(connection).await?;
                Ok(row.as_ref().map(head_of).transpose()?)
            })
        })?;
        Ok(head.unwrap_or_else(|| ChainHead::genesis(self.chain)))
    }

    fn pruned(&self) -> Result<Option<(ChainHead, String)>, Error> {
        self.read(|connection, chain| {
            let query =
                sqlx::query("SELECT sequence, hash, body FROM audit_pruned WHERE chain = $1");
            Box::pin(async move {
                let Some(row) = query.bind(chain).fetch_optional(connection).await? else {
                    return Ok(None);
                };
                Ok(Some((head_of(&row)?, row.try_get(2)?)))
            })
        })
    }

    fn rows(&self, rows: Rows, limit: u32) -> Result<Vec<JournalRow>, Error> {
        let (condition, order, sequence) = match rows {
            Rows::After(sequence) => ("sequence > $2", "", sequence),
            Rows::At(sequence) => ("sequence = $2", "", sequence),
            Rows::Before(sequence) => ("sequence < $2", "DESC", sequence),
        };
        let sql = format!(
            "SELECT event.sequence, event.id, event.time, event.salt, event.open, event.personal, event.hash, event.claims_hash, stored.body \
             FROM (SELECT * FROM audit_event WHERE chain = $1 AND {condition} AND {NOT_PRUNED} ORDER BY sequence {order} LIMIT $3) AS event \
             LEFT JOIN audit_claims AS stored ON stored.chain = $1 AND stored.place = event.claims ORDER BY event.sequence {order}"
        );
        self.read(|connection, chain| {
            let query = sqlx::query(AssertSqlSafe(sql.clone()));
            let query = query.bind(chain).bind(signed(sequence)).bind(i64::from(limit));
            Box::pin(async {
                let rows = connection.fetch_all(query).await?;
                Ok(rows.iter().map(journal_row).collect::<Result<_, _>>()?)
            })
        })
    }

    fn among(&self, places: &[u64]) -> Result<Vec<JournalRow>, Error> {
        let places: Vec<_> = places.iter().map(|place| signed(*place)).collect();
        let sql = format!(
            "SELECT event.sequence, event.id, event.time, event.salt, event.open, event.personal, event.hash, event.claims_hash, stored.body \
             FROM audit_event AS event LEFT JOIN audit_claims AS stored ON stored.chain = $1 AND stored.place = event.claims \
             WHERE event.chain = $1 AND event.sequence = ANY($2) AND event.{NOT_PRUNED} ORDER BY event.sequence DESC"
        );
        self.read(|connection, chain| {
            let query = sqlx::query(AssertSqlSafe(sql.clone())).bind(chain).bind(places.clone());
            Box::pin(async {
                let rows = connection.fetch_all(query).await?;
                Ok(rows.iter().map(journal_row).collect::<Result<_, _>>()?)
            })
        })
    }

    fn checkpoints_after(&self, sequence: u64, limit: u32) -> Result<Vec<(u64, String)>, Error> {
        self.read(|connection, chain| {
            let query = sqlx::query_as(
                "SELECT sequence, body FROM audit_checkpoint WHERE chain = $1 AND sequence > $2 ORDER BY sequence LIMIT $3",
            );
            let query = query.bind(chain).bind(signed(sequence)).bind(i64::from(limit));
            Box::pin(async {
                let rows: Vec<(i64, String)> = query.fetch_all(connection).await?;
                Ok(rows.into_iter().map(|(place, body)| (unsigned(place), body)).collect())
            })
        })
    }

    fn last_checkpoint(&self) -> Result<u64, Error> {
        self.link.wait(last_checkpoint(&self.link, self.chain))
    }

    fn scan(&self, order: Order, places: &Range<u64>, take: Take<'_>) -> Result<(), Error> {
        let (mut left, mut limit) = (places.clone(), FIRST_PIECE);
        loop {
            let rows = self.piece(order, &left, limit)?;
            for row in &rows {
                let event = searched(row).map_err(Problem::from)?;
                match order {
                    Order::OldestFirst => left.start = event.sequence.saturating_add(1),
                    Order::NewestFirst => left.end = event.sequence,
                }
                if let ControlFlow::Break(()) = take(&event) {
                    return Ok(());
                }
            }
            if i64::try_from(rows.len()).unwrap_or(i64::MAX) < limit {
                return Ok(());
            }
            limit = limit.saturating_mul(4).min(LARGEST_PIECE);
        }
    }

    fn place_of(&self, id: DecisionId, places: &Range<u64>) -> Result<Option<u64>, Error> {
        let sql = format!(
            "SELECT sequence FROM audit_event WHERE chain = $1 AND sequence >= $2 AND sequence < $3 AND id = $4 AND {NOT_PRUNED} LIMIT 1"
        );
        self.read(|connection, chain| {
            let query = sqlx::query_scalar(AssertSqlSafe(sql.clone()));
            let query = query.bind(chain).bind(signed(places.start)).bind(signed(places.end));
            let query = query.bind(id.as_bytes().to_vec());
            Box::pin(async {
                let place: Option<i64> = query.fetch_optional(connection).await?;
                Ok(place.map(unsigned))
            })
        })
    }

    fn first_from(&self, place: u64) -> Result<Option<u64>, Error> {
        let sql = format!(
            "SELECT min(sequence) FROM audit_event WHERE chain = $1 AND sequence >= $2 AND {NOT_PRUNED}"
        );
        self.read(|connection, chain| {
            let query = sqlx::query_scalar(AssertSqlSafe(sql.clone()));
            let query = query.bind(chain).bind(signed(place));
            Box::pin(async {
                let first: Option<i64> = query.fetch_one(connection).await?;
                Ok(first.map(unsigned))
            })
        })
    }

    fn hash_of(&self, place: u64) -> Result<Option<[u8; 32]>, Error> {
        let sql = format!(
            "SELECT hash FROM audit_event WHERE chain = $1 AND sequence = $2 AND {NOT_PRUNED}"
        );
        self.read(|connection, chain| {
            let query = sqlx::query(AssertSqlSafe(sql.clone()));
            let query = query.bind(chain).bind(signed(place));
            Box::pin(async {
                let row = query.fetch_optional(connection).await?;
                Ok(row.map(|row| bytes(&row, 0)).transpose()?)
            })
        })
    }
}

fn head_of(row: &PgRow) -> Result<ChainHead, sqlx::Error> {
    Ok(ChainHead { sequence: unsigned(row.try_get(0)?), hash: bytes(row, 1)? })
}

fn journal_row(row: &PgRow) -> Result<JournalRow, sqlx::Error> {
    let claims = if row.try_get::<Option<&[u8]>, _>(7)?.is_some() {
        let json: Option<&str> = row.try_get(8)?;
        Some(Claims::from_stored(bytes(row, 7)?, json.unwrap_or_default()))
    } else {
        None
    };
    Ok(JournalRow {
        sequence: unsigned(row.try_get(0)?),
        id: DecisionId::from_bytes(bytes(row, 1)?),
        time: timestamp(row.try_get(2)?),
        salt: bytes(row, 3)?,
        body: Body::join(row.try_get(4)?, row.try_get(5)?),
        hash: bytes(row, 6)?,
        claims,
    })
}

fn searched(row: &PgRow) -> Result<Searched<'_>, sqlx::Error> {
    Ok(Searched {
        sequence: unsigned(row.try_get(0)?),
        id: DecisionId::from_bytes(bytes(row, 1)?),
        time: timestamp(row.try_get(2)?),
        open: row.try_get(3)?,
        personal: row.try_get(4)?,
    })
}
