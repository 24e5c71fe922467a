//! Writes segments, and puts small ones together: a search looks into each segment, so there must be few.

use rusqlite::{Connection, params};

use super::chunk::{Entries, Posting, encode};
use super::damaged;
use super::segment::{Segment, UNIT, read_spans, write_spans};
use crate::model::DecisionId;
use crate::store::Error;
use crate::store::column::{signed, unsigned};
use crate::store::sqlite::column::bytes;

/// Writes a segment, whose postings are sorted; one without events leaves nothing.
pub(super) fn write(connection: &Connection, segment: &Segment) -> Result<(), Error> {
    let Some((first_id, last_id)) = segment.ids else { return Ok(()) };
    let (earliest, latest) = segment.span();
    connection
        .prepare_cached("INSERT OR REPLACE INTO segment VALUES (?, ?, ?, ?, ?, ?, ?)")?
        .execute(params![
            signed(segment.base),
            segment.size,
            first_id.as_bytes(),
            last_id.as_bytes(),
            earliest,
            latest,
            write_spans(&segment.spans),
        ])?;
    let mut insert = connection.prepare_cached("INSERT OR REPLACE INTO chunk VALUES (?, ?)")?;
    for chunk in encode(&segment.postings) {
        insert.execute(params![key(segment.base, chunk.first), chunk.body])?;
    }
    Ok(())
}

/// Puts the segments of the `size` places before `end` together, when they are several.
pub(super) fn merge(connection: &Connection, end: u64, size: u32) -> Result<(), Error> {
    let base = end.saturating_sub(size.into());
    let mut whole = Segment::new(base, size);
    let mut parts = connection.prepare_cached(
        "SELECT base, first_id, last_id, spans FROM segment WHERE base >= ? AND base < ? ORDER BY base",
    )?;
    let parts = parts
        .query_map([signed(base), signed(end)], |row| {
            let ids = [bytes(row, 1)?, bytes(row, 2)?].map(DecisionId::from_bytes);
            Ok((unsigned(row.get(0)?), ids, row.get::<_, Vec<u8>>(3)?))
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    if parts.len() < 2 {
        return Ok(());
    }
    for (part, [first_id, last_id], spans) in &parts {
        let distance = part.saturating_sub(base);
        let distance = u32::try_from(distance).map_err(|_| damaged("a segment is too large"))?;
        whole.widen_ids(*first_id, *last_id);
        for (unit, span) in (distance / UNIT..).zip(read_spans(spans)) {
            whole.widen_span(unit, span);
        }
        take(connection, *part, distance, &mut whole.postings)?;
    }
    connection
        .prepare_cached("DELETE FROM segment WHERE base >= ? AND base < ?")?
        .execute([signed(base), signed(end)])?;
    remove_chunks(connection, base, end)?;
    // the parts are sorted each, which this sort makes use of
    whole.postings.sort();
    write(connection, &whole)
}

/// Deletes the chunks of the segments between two places.
pub(super) fn remove_chunks(connection: &Connection, base: u64, end: u64) -> Result<(), Error> {
    connection
        .prepare_cached("DELETE FROM chunk WHERE place >= ? AND place < ?")?
        .execute([key(base, 0), key(end, 0)])?;
    Ok(())
}

/// The key of the chunk of a segment that starts with a term.
pub(super) fn key(base: u64, term: u32) -> i64 {
    signed(((base / u64::from(UNIT)) << 32) | u64::from(term))
}

/// The first term of the chunk with this key.
pub(super) fn first_term(key: i64) -> u32 {
    u32::try_from(unsigned(key) & u64::from(u32::MAX)).unwrap_or_default()
}

/// Reads all of a segment, moved by `distance` places.
fn take(
    connection: &Connection,
    base: u64,
    distance: u32,
    postings: &mut Vec<Posting>,
) -> Result<(), Error> {
    let mut chunks = connection.prepare_cached(
        "SELECT place, terms FROM chunk WHERE place >= ? AND place <= ? ORDER BY place",
    )?;
    let mut rows = chunks.query([key(base, 0), key(base, u32::MAX)])?;
    while let Some(row) = rows.next()? {
        let body = row.get_ref(1)?.as_blob().map_err(|_| damaged("a chunk is no blob"))?;
        for entry in Entries::new(first_term(row.get(0)?), body) {
            let entry = entry.and_then(|(term, places)| {
                places.each(|run| {
                    let moved =
                        run.start.saturating_add(distance)..run.end.saturating_add(distance);
                    postings.push(Posting::new(term, moved));
                })
            });
            entry.ok_or_else(|| damaged("a chunk cannot be read back"))?;
        }
    }
    Ok(())
}
