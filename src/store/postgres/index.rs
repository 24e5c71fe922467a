//! Keeps the search index of a chain in tables.

use std::fmt;

use aws_lc_rs::rand;
use sqlx::postgres::PgConnection;
use sqlx::{Executor, Row};

use super::batch::number_of;
use super::error::Problem;
use super::index_draft::Draft;
use super::link::{LONG, SHORT, Shared, Work};
use super::row::bytes;
use crate::model::DecisionId;
use crate::store::column::{signed, unsigned};
use crate::store::index::{Bounds, Found, Search, Shelf, Writing};
use crate::store::{Chain, ChainHead, Error, Progress, Term, TermHasher};

/// A segment, and of each term the chunk that may have it: one statement, so that they fit each other.
const NEWEST: &str = "SELECT progress.seed, found.base, found.size, found.spans, wanted.term, chunk.place, chunk.terms \
    FROM index_progress AS progress \
    LEFT JOIN LATERAL (SELECT base, size, spans FROM index_segment WHERE chain = $1 AND base < $2 - 1 AND base + size >= $3 \
        AND latest >= $4 AND earliest < $5 AND ($6::bytea IS NULL OR (first_id <= $6 AND last_id >= $6)) \
        ORDER BY base DESC LIMIT 1) AS found ON true \
    LEFT JOIN unnest($7::bigint[]) AS wanted (term) ON true \
    LEFT JOIN LATERAL (SELECT place, terms FROM index_chunk WHERE chain = $1 AND place >= (found.base / 256) << 32 \
        AND place <= ((found.base / 256) << 32) + wanted.term ORDER BY place DESC LIMIT 1) AS chunk ON true \
    WHERE progress.chain = $1";

/// The index of one chain.
pub(super) struct IndexTables {
    link: Shared,
    chain: Chain,
}

impl fmt::Debug for IndexTables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IndexTables").field("chain", &self.chain).finish_non_exhaustive()
    }
}

impl IndexTables {
    /// Begins the index of a chain that has none, and makes one anew that was hashed otherwise.
    pub(super) fn open(link: Shared, chain: Chain) -> Result<Self, Error> {
        let tables = Self { link, chain };
        let (number, seed) = (number_of(chain), seed()?);
        let known = known_term(seed);
        tables.with(move |connection| {
            let begin = sqlx::query(
                "INSERT INTO index_progress (chain, place, witness, hash, seed, known_term) \
                 VALUES ($1, 0, 0, decode(repeat('00', 32), 'hex'), $2, $3) ON CONFLICT (chain) DO NOTHING",
            );
            let begin = begin.bind(number).bind(seed).bind(known);
            Box::pin(async { Ok(begin.execute(connection).await.map(drop)?) })
        })?;
        let (_, seed, known) = tables.read()?;
        if known != known_term(seed) {
            tables.begin_anew()?;
        }
        Ok(tables)
    }

    fn with<T: Send>(
        &self,
        work: impl for<'c> Fn(&'c mut PgConnection) -> Work<'c, T> + Send + Sync,
    ) -> Result<T, Error> {
        self.link.wait(self.link.with(SHORT, work))
    }

    /// How far it is, its seed and its known term.
    fn read(&self) -> Result<(Progress, i64, i64), Error> {
        let chain = number_of(self.chain);
        self.with(move |connection| {
            let query = sqlx::query(
                "SELECT place, witness, hash, seed, known_term FROM index_progress WHERE chain = $1",
            );
            Box::pin(async move {
                let row = query.bind(chain).fetch_one(connection).await?;
                let witness =
                    ChainHead { sequence: unsigned(row.try_get(1)?), hash: bytes(&row, 2)? };
                let progress = Progress { place: unsigned(row.try_get(0)?), witness };
                Ok((progress, row.try_get(3)?, row.try_get(4)?))
            })
        })
    }

    fn begin_anew(&self) -> Result<(), Error> {
        let (chain, seed) = (number_of(self.chain), seed()?);
        self.link.wait(self.link.with(LONG, move |connection| {
            let reset = sqlx::query("SELECT reset_index($1, $2, $3)");
            let reset = reset.bind(chain).bind(seed).bind(known_term(seed));
            Box::pin(async { Ok(reset.execute(connection).await.map(drop)?) })
        }))
    }
}

impl Shelf for IndexTables {
    fn state(&self) -> Result<(Progress, TermHasher), Error> {
        let (progress, seed, _) = self.read()?;
        Ok((progress, TermHasher::new(seed.cast_unsigned())))
    }

    fn search(&self) -> Result<Box<dyn Search + '_>, Error> {
        let (progress, seed, _) = self.read()?;
        Ok(Box::new(Searching { tables: self, progress, seed }))
    }

    fn write(
        &mut self,
        work: &mut dyn FnMut(&mut dyn Writing) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let before = self.read()?.0;
        let mut draft = Draft::new(&self.link, self.chain, before);
        work(&mut draft)?;
        draft.commit()
    }

    fn reset(&mut self) -> Result<(), Error> {
        self.begin_anew()
    }
}

/// A search under one seed.
struct Searching<'a> {
    tables: &'a IndexTables,
    progress: Progress,
    seed: i64,
}

impl Search for Searching<'_> {
    fn state(&self) -> Result<(Progress, TermHasher), Error> {
        Ok((self.progress, TermHasher::new(self.seed.cast_unsigned())))
    }

    fn newest(&self, bounds: &Bounds, terms: &[Term]) -> Result<Option<Found>, Error> {
        let (chain, places) = (number_of(self.tables.chain), bounds.places.clone());
        let (times, id) = (bounds.times.clone(), bounds.id);
        let terms: Vec<_> = terms.iter().map(|term| i64::from(term.0)).collect();
        let rows = self.tables.with(move |connection| {
            let query = sqlx::query(NEWEST).bind(chain).bind(signed(places.end));
            let query = query.bind(signed(places.start)).bind(times.start).bind(times.end);
            let id = id.as_ref().map(|id: &DecisionId| id.as_bytes().to_vec());
            let query = query.bind(id).bind(terms.clone());
            Box::pin(async { Ok(connection.fetch_all(query).await?) })
        })?;
        found(&rows, self.seed).map_err(Error::from)
    }

    fn chunk(&self, segment: &Found, term: Term) -> Result<Option<(i64, Vec<u8>)>, Error> {
        Ok(segment.chunks.get(&term.0).cloned())
    }
}

/// The segment of the rows, one for each term, or one without.
fn found(rows: &[sqlx::postgres::PgRow], seed: i64) -> Result<Option<Found>, Problem> {
    let mut found = None;
    for row in rows {
        if row.try_get::<i64, _>(0)? != seed {
            break;
        }
        let Some(base) = row.try_get::<Option<i64>, _>(1)? else { return Ok(None) };
        let segment = found.get_or_insert_with(Found::default);
        segment.base = unsigned(base);
        segment.size = u32::try_from(row.try_get::<i32, _>(2)?).unwrap_or_default();
        segment.spans = row.try_get(3)?;
        if let (Some(term), Some(place)) = (row.try_get::<Option<i64>, _>(4)?, row.try_get(5)?) {
            let term = u32::try_from(term).unwrap_or_default();
            segment.chunks.insert(term, (place, row.try_get(6)?));
        }
    }
    if found.is_none() {
        return Err(Error::Unavailable(
            "the search index was made anew meanwhile: search again".to_owned(),
        )
        .into());
    }
    Ok(found)
}

/// Whoever chooses a value cannot know what it will collide with.
fn seed() -> Result<i64, Error> {
    let mut seed = [0; 8];
    rand::fill(&mut seed)
        .map_err(|_| Error::Unavailable("the random number generator failed".to_owned()))?;
    Ok(i64::from_ne_bytes(seed))
}

fn known_term(seed: i64) -> i64 {
    TermHasher::new(seed.cast_unsigned()).known().0.into()
}
