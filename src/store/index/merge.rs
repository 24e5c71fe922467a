//! Writes segments, and puts small ones together: a search looks into each segment, so there must be few.

use super::chunk::{Entries, Posting, encode};
use super::damaged;
use super::segment::{Segment, UNIT, read_spans, write_spans};
use super::shelf::{SegmentRow, Writing, key};
use crate::store::Error;
use crate::store::column::unsigned;

/// Writes a segment, whose postings are sorted; one without events leaves nothing.
pub(super) fn write(pages: &mut dyn Writing, segment: &Segment) -> Result<(), Error> {
    let Some((first, last)) = segment.ids else { return Ok(()) };
    let row = SegmentRow {
        base: segment.base,
        size: segment.size,
        ids: [first, last],
        span: segment.span(),
        spans: write_spans(&segment.spans),
    };
    let chunks = encode(&segment.postings).into_iter();
    pages.add(&row, chunks.map(|chunk| (key(segment.base, chunk.first), chunk.body)).collect())
}

/// Puts the segments of the `size` places before `end` together, when they are several.
pub(super) fn merge(pages: &mut dyn Writing, end: u64, size: u32) -> Result<(), Error> {
    let base = end.saturating_sub(size.into());
    let mut whole = Segment::new(base, size);
    let parts = pages.parts(base..end)?;
    if parts.len() < 2 {
        return Ok(());
    }
    for part in &parts {
        let distance = part.base.saturating_sub(base);
        let distance = u32::try_from(distance).map_err(|_| damaged("a segment is too large"))?;
        let [first, last] = part.ids;
        whole.widen_ids(first, last);
        for (unit, span) in (distance / UNIT..).zip(read_spans(&part.spans)) {
            whole.widen_span(unit, span);
        }
        take(&pages.chunks(part.base)?, distance, &mut whole.postings)?;
    }
    pages.remove(base..end)?;
    // the parts are sorted each, which this sort makes use of
    whole.postings.sort();
    write(pages, &whole)
}

/// The first term of the chunk with this key.
pub(super) fn first_term(key: i64) -> u32 {
    u32::try_from(unsigned(key) & u64::from(u32::MAX)).unwrap_or_default()
}

/// Reads all of a segment, moved by `distance` places.
fn take(
    chunks: &[(i64, Vec<u8>)],
    distance: u32,
    postings: &mut Vec<Posting>,
) -> Result<(), Error> {
    for (key, body) in chunks {
        for entry in Entries::new(first_term(*key), body) {
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
