//! What is to become of an index: gathered here, and written by one function of the database, which does nothing when somebody else was faster.

use std::collections::BTreeMap;
use std::ops::Range;

use sqlx::{Executor, Row};

use super::batch::number_of;
use super::link::{LONG, Shared};
use super::row::bytes;
use crate::model::DecisionId;
use crate::store::column::{signed, unsigned};
use crate::store::index::{Part, SegmentRow, Writing, key, segment_keys};
use crate::store::{Chain, Error, Progress};

type Chunks = Vec<(i64, Vec<u8>)>;

/// Changes on top of what is stored.
pub(super) struct Draft<'a> {
    link: &'a Shared,
    chain: Chain,
    before: Progress,
    after: Option<Progress>,
    removed: Vec<Range<u64>>,
    added: BTreeMap<u64, (SegmentRow, Chunks)>,
    pruned: Option<u64>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(link: &'a Shared, chain: Chain, before: Progress) -> Self {
        Self {
            link,
            chain,
            before,
            after: None,
            removed: Vec::new(),
            added: BTreeMap::new(),
            pruned: None,
        }
    }

    /// Writes all of it, or nothing when the index is not as far as it was any more.
    pub(super) fn commit(self) -> Result<(), Error> {
        let chain = number_of(self.chain);
        if let Some(sequence) = self.pruned {
            self.link.wait(self.link.with(LONG, |connection| {
                let prune = sqlx::query("SELECT prune_index($1, $2)");
                let prune = prune.bind(chain).bind(signed(sequence));
                Box::pin(async { Ok(prune.execute(connection).await.map(drop)?) })
            }))?;
        }
        let Some(after) = self.after else { return Ok(()) };
        let columns = Columns::of(&self);
        let before = self.before;
        self.link.wait(self.link.with(LONG, |connection| {
            let write = sqlx::query(
                "SELECT write_index($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)",
            );
            let write = write.bind(chain).bind(signed(before.place)).bind(before.witness.hash.to_vec());
            let write = write.bind(signed(after.place)).bind(signed(after.witness.sequence));
            let write = write.bind(after.witness.hash.to_vec());
            let write = columns.clone().bind(write);
            Box::pin(async { Ok(write.execute(connection).await.map(drop)?) })
        }))
    }
}

impl Writing for Draft<'_> {
    fn progress(&mut self) -> Result<Progress, Error> {
        Ok(self.before)
    }

    fn set_progress(&mut self, progress: Progress) -> Result<(), Error> {
        self.after = Some(progress);
        Ok(())
    }

    fn parts(&mut self, bases: Range<u64>) -> Result<Vec<Part>, Error> {
        let (chain, start, end) = (number_of(self.chain), signed(bases.start), signed(bases.end));
        let stored: Vec<Part> = self.link.wait(self.link.with(LONG, |connection| {
            let query = sqlx::query(
                "SELECT base, first_id, last_id, spans FROM index_segment WHERE chain = $1 AND base >= $2 AND base < $3 ORDER BY base",
            );
            let query = query.bind(chain).bind(start).bind(end);
            Box::pin(async {
                let part = |row| {
                    let ids = [bytes(&row, 1)?, bytes(&row, 2)?].map(DecisionId::from_bytes);
                    Ok(Part { base: unsigned(row.try_get(0)?), ids, spans: row.try_get(3)? })
                };
                connection.fetch_all(query).await?.into_iter().map(part).collect()
            })
        }))?;
        let is_removed = |base| self.removed.iter().any(|removed| removed.contains(&base));
        let mut parts: BTreeMap<u64, Part> = stored
            .into_iter()
            .filter(|part| !is_removed(part.base))
            .map(|part| (part.base, part))
            .collect();
        for (base, (row, _)) in self.added.range(bases) {
            parts.insert(*base, Part { base: *base, ids: row.ids, spans: row.spans.clone() });
        }
        Ok(parts.into_values().collect())
    }

    fn chunks(&mut self, base: u64) -> Result<Chunks, Error> {
        if let Some((_, chunks)) = self.added.get(&base) {
            return Ok(chunks.clone());
        }
        let (chain, (first, last)) = (number_of(self.chain), segment_keys(base));
        self.link.wait(self.link.with(LONG, |connection| {
            let query = sqlx::query_as(
                "SELECT place, terms FROM index_chunk WHERE chain = $1 AND place >= $2 AND place <= $3 ORDER BY place",
            );
            let query = query.bind(chain).bind(first).bind(last);
            Box::pin(async { Ok(query.fetch_all(connection).await?) })
        }))
    }

    fn add(&mut self, segment: &SegmentRow, chunks: Chunks) -> Result<(), Error> {
        self.added.insert(segment.base, (segment.clone(), chunks));
        Ok(())
    }

    fn remove(&mut self, bases: Range<u64>) -> Result<(), Error> {
        self.added.retain(|base, _| !bases.contains(base));
        self.removed.push(bases);
        Ok(())
    }

    fn prune(&mut self, sequence: u64) -> Result<(), Error> {
        self.pruned = Some(sequence);
        Ok(())
    }
}

/// What a draft adds and removes, in columns.
#[derive(Clone, Default)]
struct Columns {
    removed: [Vec<i64>; 4],
    bases: Vec<i64>,
    sizes: Vec<i32>,
    ids: [Vec<Vec<u8>>; 2],
    spans: Vec<Vec<u8>>,
    ends: [Vec<i64>; 2],
    places: Vec<i64>,
    terms: Vec<Vec<u8>>,
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Postgres, sqlx::postgres::PgArguments>;

impl Columns {
    fn of(draft: &Draft<'_>) -> Self {
        let mut columns = Self::default();
        for bases in &draft.removed {
            let [from, to, first, last] = &mut columns.removed;
            from.push(signed(bases.start));
            to.push(signed(bases.end));
            first.push(key(bases.start, 0));
            last.push(key(bases.end, 0));
        }
        for (row, chunks) in draft.added.values() {
            columns.bases.push(signed(row.base));
            columns.sizes.push(i32::try_from(row.size).unwrap_or(i32::MAX));
            for (ids, id) in columns.ids.iter_mut().zip(&row.ids) {
                ids.push(id.as_bytes().to_vec());
            }
            let [earliest, latest] = &mut columns.ends;
            earliest.push(row.span.0);
            latest.push(row.span.1);
            columns.spans.push(row.spans.clone());
            for (place, terms) in chunks {
                columns.places.push(*place);
                columns.terms.push(terms.clone());
            }
        }
        columns
    }

    fn bind(self, query: Query<'_>) -> Query<'_> {
        let [from, to, first, last] = self.removed;
        let [first_ids, last_ids] = self.ids;
        let [earliest, latest] = self.ends;
        query
            .bind(from)
            .bind(to)
            .bind(first)
            .bind(last)
            .bind(self.bases)
            .bind(self.sizes)
            .bind(first_ids)
            .bind(last_ids)
            .bind(earliest)
            .bind(latest)
            .bind(self.spans)
            .bind(self.places)
            .bind(self.terms)
    }
}
