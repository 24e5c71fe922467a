//! The index against a plain list of what was put in.

use std::ops::Range;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::model::DecisionId;

/// An index of made-up events, which follow from their places.
struct Model {
    folder: TempDir,
    index: SearchIndex,
}

impl Model {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let index = SearchIndex::open(&folder.path().join("index.db")).unwrap();
        Self { folder, index }
    }

    /// Two words of some, one of them frequent.
    fn words(place: u64) -> [u8; 2] {
        let hash = place.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
        [hash[0] % 3, hash[1]]
    }

    fn id(place: u64) -> DecisionId {
        DecisionId::from_bytes((u128::from(place) << 64).to_be_bytes())
    }

    /// Minute after minute, but for every seventh event, which is an hour late.
    fn time(place: u64) -> Timestamp {
        let minutes = place - if place.is_multiple_of(7) { place.min(60) } else { 0 };
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(i64::try_from(minutes).unwrap())
    }

    /// Indexes what a journal of events from `next` to `newest` holds.
    fn catch_up(&mut self, next: u64, newest: u64) {
        loop {
            let (done, hasher) = self.index.state().unwrap();
            let next = next.max(done.place + 1);
            let Some(mut segment) = SearchIndex::next_segment(done, next, newest) else { break };
            let places = segment.places();
            for place in next..places.end {
                let [one, two] = Self::words(place).map(|word| hasher.term(Field::Kind, &[word]));
                let id = hasher.term(Field::Id, Self::id(place).as_bytes());
                segment.add(place, Self::id(place), Self::time(place), [one, two, id]);
            }
            let witness = ChainHead { sequence: places.end - 1, hash: [1; 32] };
            self.index.add(done, segment, witness).unwrap();
        }
    }

    fn indexed(&self) -> u64 {
        self.index.state().unwrap().0.place
    }

    fn found(&self, words: &[Vec<u8>], times: &Range<u64>, within: &Range<u64>) -> Vec<u64> {
        let snapshot = self.index.snapshot().unwrap();
        let terms = |any: &Vec<u8>| {
            any.iter().map(|word| snapshot.hasher().term(Field::Kind, &[*word])).collect()
        };
        let query = IndexQuery {
            since: Some(Self::time(times.start)),
            until: Some(Self::time(times.end)),
            id: None,
            terms: words.iter().map(terms).collect(),
        };
        let found = snapshot.candidates(query, within.clone());
        found.collect::<Result<_, _>>().unwrap()
    }

    fn segments(&self) -> Vec<(u64, u32)> {
        let mut statement =
            self.index.connection.prepare("SELECT base, size FROM segment ORDER BY base").unwrap();
        let rows = statement.query_map([], |row| Ok((unsigned(row.get(0)?), row.get(1)?))).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_search_finds_what_a_look_at_each_event_finds(
        pieces in prop::collection::vec(1..3_000_u64, 1..8),
        start in 1..1_000_u64,
        words in prop::collection::vec(prop::collection::vec(0..6_u8, 1..3), 0..3),
        times in (0..20_000_u64, 0..20_000_u64),
        within in (0..20_000_u64, 0..20_000_u64),
    ) {
        let mut model = Model::new();
        let mut newest = 0;
        for piece in pieces {
            newest += piece;
            model.catch_up(start, newest);
        }
        let (times, within) = (times.0..times.1, within.0..within.1);
        let found = model.found(&words, &times, &within);
        let expected = (start..=model.indexed())
            .rev()
            .filter(|place| within.contains(place))
            .filter(|place| (Model::time(times.start)..Model::time(times.end)).contains(&Model::time(*place)))
            .filter(|place| {
                words.iter().all(|any| Model::words(*place).iter().any(|word| any.contains(word)))
            });
        // times are exact to some units only
        let (low, high) = (times.start.saturating_sub(400), times.end + 400);
        prop_assert!(found.iter().all(|place| within.contains(place) && (low..high).contains(place)));
        let found: Vec<_> = found
            .into_iter()
            .filter(|place| (Model::time(times.start)..Model::time(times.end)).contains(&Model::time(*place)))
            .collect();
        prop_assert_eq!(found, expected.collect::<Vec<_>>());
    }
}

#[test]
fn small_segments_become_large_ones_in_which_everything_is_found() {
    let mut model = Model::new();
    for newest in [100, 300, 700, 5_000] {
        model.catch_up(1, newest);
    }
    assert_eq!(model.segments(), [(0, 4096), (4096, 768)]);
    model.catch_up(1, 70_000);
    assert_eq!(model.segments(), [(0, 65_536), (65_536, 4096), (69_632, 256)]);
    let all = 0..u64::MAX;
    let expected: Vec<u64> =
        (1..=69_888).rev().filter(|place| Model::words(*place).contains(&77)).collect();
    assert_eq!(model.found(&[vec![77]], &(0..80_000), &all), expected);
    for place in [1, 256, 257, 65_536, 65_537, 69_888] {
        let snapshot = model.index.snapshot().unwrap();
        let id = Model::id(place);
        let terms = vec![vec![snapshot.hasher().term(Field::Id, id.as_bytes())]];
        let query = IndexQuery { id: Some(id), terms, ..IndexQuery::default() };
        let found: Vec<u64> = snapshot.candidates(query, all.clone()).map(Result::unwrap).collect();
        assert_eq!(found, [place]);
    }
}

#[test]
fn a_prune_drops_whole_segments() {
    let mut model = Model::new();
    model.catch_up(1, 9_000);
    model.index.prune(4_095).unwrap();
    assert_eq!(model.segments(), [(0, 4096), (4096, 4096), (8192, 768)]);
    model.index.prune(8_500).unwrap();
    assert_eq!(model.segments(), [(8192, 768)]);
    let chunks = |model: &Model| -> u32 {
        let sql = "SELECT count(*) FROM chunk WHERE place < (8192 / 256) << 32";
        model.index.connection.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    assert_eq!(chunks(&model), 0);
    model.catch_up(8_501, 13_000);
    assert_eq!(model.segments(), [(8192, 4096), (12_288, 512)]);
}

#[test]
fn a_file_of_another_hash_or_version_is_made_anew() {
    for change in
        ["UPDATE progress SET known_term = 1", "DELETE FROM progress", "PRAGMA user_version = 1"]
    {
        let mut model = Model::new();
        model.catch_up(1, 600);
        model.index.connection.execute_batch(change).unwrap();
        let again = SearchIndex::open(&model.folder.path().join("index.db")).unwrap();
        assert_eq!(again.state().unwrap().0, Progress::default(), "{change}");
    }
}

#[test]
fn a_damaged_chunk_is_told() {
    let mut model = Model::new();
    model.catch_up(1, 600);
    model.index.connection.execute_batch("UPDATE chunk SET terms = x'ffffffffffff'").unwrap();
    let snapshot = model.index.snapshot().unwrap();
    let terms = vec![vec![snapshot.hasher().term(Field::Kind, &[1])]];
    let query = IndexQuery { terms, ..IndexQuery::default() };
    let found = snapshot.candidates(query, 0..u64::MAX).next().unwrap();
    assert!(matches!(found, Err(Error::Damaged(_))), "{found:?}");
}
