//! How terms and their places are written: sorted terms with their places as runs, in chunks of about a page.
//!
//! ```text
//! chunk = entry*            entry = gap, places          all numbers are LEB128
//! gap   : from the term before; the first term of a chunk is its key, with gap 0
//! places: place << 1                                      one place
//!       | length << 1 | 1, then `length` bytes of runs    run = distance << 1 | long?, length - 2 if long
//! ```

use std::ops::Range;

use super::places::Places;

/// The most bytes that SQLite keeps within a page of 4096 beside the row's header.
const CHUNK: usize = 4000;

/// A term at a run of places, packed into one number, by which they are sorted: the term, the start, the length less one.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Posting(u64);

impl Posting {
    /// The run has to lie within 65,536 places, and must not be empty.
    pub(super) fn new(term: u32, run: Range<u32>) -> Self {
        let more = run.end.saturating_sub(run.start).saturating_sub(1) & 0xffff;
        Self((u64::from(term) << 32) | (u64::from(run.start & 0xffff) << 16) | u64::from(more))
    }

    fn term(self) -> u32 {
        u32::try_from(self.0 >> 32).unwrap_or_default()
    }

    fn run(self) -> Range<u32> {
        let low = |number: u64| u32::try_from(number & 0xffff).unwrap_or_default();
        let start = low(self.0 >> 16);
        start..start.saturating_add(low(self.0)).saturating_add(1)
    }
}

/// Some terms with their places.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Chunk {
    /// The first of the terms.
    pub(super) first: u32,
    pub(super) body: Vec<u8>,
}

/// Writes postings, which are sorted.
pub(super) fn encode(postings: &[Posting]) -> Vec<Chunk> {
    let (mut chunks, mut chunk, mut last) = (Vec::new(), Chunk::default(), 0);
    let mut runs = Vec::new();
    for group in postings.chunk_by(|one, next| one.term() == next.term()) {
        let [first, others @ ..] = group else { continue };
        let (term, run) = (first.term(), first.run());
        runs.clear();
        let alone = others.is_empty() && run.len() == 1;
        if !alone {
            write_runs(&mut runs, run.clone(), others);
        }
        // a gap and a length take five bytes each at most
        if chunk.body.len().saturating_add(runs.len()).saturating_add(10) > CHUNK {
            chunks.push(std::mem::take(&mut chunk));
        }
        if chunk.body.is_empty() {
            (chunk.first, last) = (term, term);
        }
        write(&mut chunk.body, term.saturating_sub(last));
        last = term;
        if alone {
            write(&mut chunk.body, run.start << 1);
        } else {
            let length = u32::try_from(runs.len()).unwrap_or(u32::MAX);
            write(&mut chunk.body, (length << 1) | 1);
            chunk.body.extend_from_slice(&runs);
        }
    }
    chunks.push(chunk);
    chunks.retain(|chunk| !chunk.body.is_empty());
    chunks
}

/// Runs that touch become one.
fn write_runs(out: &mut Vec<u8>, mut open: Range<u32>, others: &[Posting]) {
    let mut written = 0;
    for run in others.iter().map(|posting| posting.run()) {
        if run.start <= open.end {
            open.end = open.end.max(run.end);
        } else {
            write_run(out, written, &open);
            written = open.end;
            open = run;
        }
    }
    write_run(out, written, &open);
}

fn write_run(out: &mut Vec<u8>, written: u32, run: &Range<u32>) {
    let length = run.end.saturating_sub(run.start);
    write(out, (run.start.saturating_sub(written) << 1) | u32::from(length > 1));
    if let Some(more) = length.checked_sub(2) {
        write(out, more);
    }
}

fn write(out: &mut Vec<u8>, mut number: u32) {
    while number > 0x7f {
        out.push(u8::try_from((number & 0x7f) | 0x80).unwrap_or_default());
        number >>= 7;
    }
    out.push(u8::try_from(number).unwrap_or_default());
}

/// The terms of a chunk, read back. It ends with `None` where the bytes are not what was written.
pub(super) struct Entries<'a> {
    term: u32,
    rest: &'a [u8],
}

/// The places of a term as they are written.
pub(super) enum Written<'a> {
    One(u32),
    Runs(&'a [u8]),
}

impl<'a> Entries<'a> {
    pub(super) const fn new(first: u32, body: &'a [u8]) -> Self {
        Self { term: first, rest: body }
    }

    fn entry(&mut self) -> Option<(u32, Written<'a>)> {
        self.term = self.term.checked_add(read(&mut self.rest)?)?;
        let head = read(&mut self.rest)?;
        if head & 1 == 0 {
            return Some((self.term, Written::One(head >> 1)));
        }
        let (runs, rest) = self.rest.split_at_checked(usize::try_from(head >> 1).ok()?)?;
        self.rest = rest;
        Some((self.term, Written::Runs(runs)))
    }
}

impl<'a> Iterator for Entries<'a> {
    /// `None`: the bytes are damaged.
    type Item = Option<(u32, Written<'a>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let entry = self.entry();
        if entry.is_none() {
            self.rest = &[];
        }
        Some(entry)
    }
}

impl Written<'_> {
    /// Hands over each run; `None`: the bytes are damaged.
    pub(super) fn each(&self, mut take: impl FnMut(Range<u32>)) -> Option<()> {
        let mut rest = match self {
            Self::One(place) => {
                take(*place..place.checked_add(1)?);
                return Some(());
            }
            Self::Runs(runs) => *runs,
        };
        let mut end: u32 = 0;
        while !rest.is_empty() {
            let head = read(&mut rest)?;
            let start = end.checked_add(head >> 1)?;
            let length = if head & 1 == 0 { 1 } else { read(&mut rest)?.checked_add(2)? };
            end = start.checked_add(length)?;
            take(start..end);
        }
        Some(())
    }

    pub(super) fn places(&self) -> Option<Places> {
        let mut places = Places::default();
        self.each(|run| places.push(run))?;
        Some(places)
    }
}

fn read(rest: &mut &[u8]) -> Option<u32> {
    let mut number: u32 = 0;
    for shift in (0..32).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        number |= u32::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode(chunks: &[Chunk]) -> Option<Vec<(u32, Places)>> {
        let entries = chunks.iter().flat_map(|chunk| Entries::new(chunk.first, &chunk.body));
        entries
            .map(|entry| entry.and_then(|(term, places)| Some((term, places.places()?))))
            .collect()
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            mut postings in prop::collection::vec(
                (prop_oneof![0..9_u32, any::<u32>()], 0..65_530_u32, 1..5_u32), 0..2_000,
            )
        ) {
            postings.sort_unstable();
            let postings: Vec<_> =
                postings.iter().map(|(term, start, more)| Posting::new(*term, *start..start + more)).collect();
            let expected: Vec<(u32, Places)> = postings
                .chunk_by(|one, next| one.term() == next.term())
                .map(|group| (group[0].term(), group.iter().map(|one| one.run()).collect()))
                .collect();
            prop_assert_eq!(decode(&encode(&postings)), Some(expected));
        }

        #[test]
        fn rubbish_is_damage_or_places_but_no_panic(first: u32, body: Vec<u8>) {
            decode(&[Chunk { first, body }]);
        }
    }

    #[test]
    fn a_term_that_nearly_all_have_takes_some_bytes() {
        let all = [Posting::new(7, 0..40_000), Posting::new(7, 40_001..65_536)];
        assert_eq!(encode(&all)[0].body.len(), 10);
        let alone = [Posting::new(7, 3..4), Posting::new(9, 4..5)];
        assert_eq!(encode(&alone)[0].body, [0, 6, 2, 8]);
    }

    #[test]
    fn a_chunk_is_a_page() {
        let postings: Vec<_> =
            (0..10_000).map(|term| Posting::new(term << 8, term..term + 1)).collect();
        let chunks = encode(&postings);
        assert!(chunks.len() > 1);
        assert!(chunks.iter().all(|chunk| chunk.body.len() <= CHUNK));
    }
}
