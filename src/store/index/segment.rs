//! A stretch of the journal with what its events are found by, before it is written.

use std::ops::Range;

use jiff::Timestamp;

use super::chunk::Posting;
use super::term::Term;
use crate::model::DecisionId;
use crate::store::column::nanoseconds;

/// How many places share a span of time, and the unit of all segments.
pub(super) const UNIT: u32 = 256;
/// What is indexed in one transaction at most.
pub(super) const BLOCK: u32 = 4096;
/// The largest segment: a place in it has 16 bits.
pub(super) const LARGEST: u32 = 65_536;

/// The earliest and the latest of some times, in nanoseconds since 1970.
pub(in crate::store) type Span = (i64, i64);

/// No time at all.
pub(super) const NEVER: Span = (i64::MAX, i64::MIN);

/// Some events that follow each other, and what each is found by.
#[derive(Debug)]
pub struct Segment {
    pub(super) base: u64,
    pub(super) size: u32,
    pub(super) ids: Option<(DecisionId, DecisionId)>,
    pub(super) spans: Vec<Span>,
    pub(super) postings: Vec<Posting>,
}

impl Segment {
    /// The places after `base` up to `base + size`.
    pub(super) fn new(base: u64, size: u32) -> Self {
        let spans = usize::try_from(size.div_ceil(UNIT)).unwrap_or_default();
        Self { base, size, ids: None, spans: vec![NEVER; spans], postings: Vec::new() }
    }

    /// The places that it covers.
    pub fn places(&self) -> Range<u64> {
        let first = self.base.saturating_add(1);
        first..first.saturating_add(self.size.into())
    }

    /// Adds an event with its terms. One beyond the segment's places is left out.
    pub fn add(
        &mut self,
        sequence: u64,
        id: DecisionId,
        time: Timestamp,
        terms: impl IntoIterator<Item = Term>,
    ) {
        let place = sequence.checked_sub(self.base.saturating_add(1));
        let place = place.and_then(|place| u32::try_from(place).ok());
        let Some(place) = place.filter(|place| *place < self.size) else { return };
        self.widen_ids(id, id);
        self.widen_span(place / UNIT, (nanoseconds(time), nanoseconds(time)));
        let run = place..place.saturating_add(1);
        self.postings.extend(terms.into_iter().map(|term| Posting::new(term.0, run.clone())));
    }

    pub(super) fn widen_ids(&mut self, first: DecisionId, last: DecisionId) {
        let (low, high) = self.ids.unwrap_or((first, last));
        self.ids = Some((low.min(first), high.max(last)));
    }

    pub(super) fn widen_span(&mut self, unit: u32, (earliest, latest): Span) {
        let unit = usize::try_from(unit).unwrap_or(usize::MAX);
        if let Some(span) = self.spans.get_mut(unit) {
            *span = (span.0.min(earliest), span.1.max(latest));
        }
    }

    pub(super) fn span(&self) -> Span {
        self.spans.iter().fold(NEVER, |all, one| (all.0.min(one.0), all.1.max(one.1)))
    }
}

/// Spans as they are written: 16 bytes each.
pub(super) fn write_spans(spans: &[Span]) -> Vec<u8> {
    spans.iter().flat_map(|(from, to)| [from.to_be_bytes(), to.to_be_bytes()]).flatten().collect()
}

/// Spans as they were written.
pub(super) fn read_spans(bytes: &[u8]) -> impl Iterator<Item = Span> {
    let (numbers, _) = bytes.as_chunks();
    let (spans, _) = numbers.as_chunks();
    spans.iter().map(|[from, to]| (i64::from_be_bytes(*from), i64::from_be_bytes(*to)))
}
