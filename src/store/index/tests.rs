//! The index against a plain list of what was put in.

use std::ops::Range;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::*;
use crate::model::DecisionId;
use crate::store::Chain;
use crate::store::for_test::World;
use crate::store::tests::on_both_engines;

/// An index of made-up events, which follow from their places.
struct Model {
    world: World,
    index: SearchIndex,
}

impl Model {
    fn of(world: World) -> Self {
        let index = world.store.search_index(Chain::default()).unwrap();
        Self { world, index }
    }

    fn again(&self) -> SearchIndex {
        self.world.store.search_index(Chain::default()).unwrap()
    }

    fn break_it(&self, sqlite: &str, postgres: &str) {
        if self.world.is_embedded() {
            let connection = rusqlite::Connection::open(self.world.store.index_file()).unwrap();
            connection.execute_batch(sqlite).unwrap();
        } else {
            self.world.database().execute(postgres);
        }
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
        let shelf = self.index.0.search().unwrap();
        let mut bounds = Bounds { places: 0..u64::MAX, times: i64::MIN..i64::MAX, id: None };
        let mut segments = Vec::new();
        while let Some(found) = shelf.newest(&bounds, &[]).unwrap() {
            bounds.places.end = found.base + 1;
            segments.insert(0, (found.base, found.size));
        }
        segments
    }
}

/// What a search is made of: how the journal grew, where it starts, the words, times and places.
type Search = (Vec<u64>, u64, Vec<Vec<u8>>, Range<u64>, Range<u64>);

fn search() -> impl Strategy<Value = Search> {
    let range = || (0..20_000_u64, 0..20_000_u64).prop_map(|(start, end)| start..end);
    (
        prop::collection::vec(1..3_000_u64, 1..8),
        1..1_000_u64,
        prop::collection::vec(prop::collection::vec(0..6_u8, 1..3), 0..3),
        range(),
        range(),
    )
}

fn finds_what_a_look_at_each_finds(world: World, cases: u32) {
    let mut model = Model::of(world);
    let mut runner = TestRunner::new(ProptestConfig::with_cases(cases));
    let model = std::cell::RefCell::new(&mut model);
    let result = runner.run(&search(), |(pieces, start, words, times, within)| {
        let model = &mut **model.borrow_mut();
        model.index.reset().unwrap();
        let mut newest = 0;
        for piece in pieces {
            newest += piece;
            model.catch_up(start, newest);
        }
        let found = model.found(&words, &times, &within);
        let in_time = |place: &u64| {
            (Model::time(times.start)..Model::time(times.end)).contains(&Model::time(*place))
        };
        let expected = (start..=model.indexed())
            .rev()
            .filter(|place| within.contains(place))
            .filter(in_time)
            .filter(|place| {
                words.iter().all(|any| Model::words(*place).iter().any(|word| any.contains(word)))
            });
        // times are exact to some units only
        let (low, high) = (times.start.saturating_sub(400), times.end + 400);
        prop_assert!(
            found.iter().all(|place| within.contains(place) && (low..high).contains(place))
        );
        let found: Vec<_> = found.into_iter().filter(in_time).collect();
        prop_assert_eq!(found, expected.collect::<Vec<_>>());
        Ok(())
    });
    result.unwrap();
}

#[tokio::test]
async fn a_search_finds_what_a_look_at_each_event_finds() {
    finds_what_a_look_at_each_finds(World::sqlite().await, 48);
}

#[tokio::test]
async fn a_search_in_tables_finds_what_a_look_at_each_event_finds() {
    finds_what_a_look_at_each_finds(World::postgres().await, 6);
}

on_both_engines! {
    small_segments_become_large_ones_in_which_everything_is_found
    a_prune_drops_whole_segments
    an_index_of_another_hash_is_made_anew
    a_damaged_chunk_is_told
    a_search_that_outlives_its_index_is_told
    whoever_is_slower_adds_nothing
}

async fn small_segments_become_large_ones_in_which_everything_is_found(world: World) {
    let mut model = Model::of(world);
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

async fn a_prune_drops_whole_segments(world: World) {
    let mut model = Model::of(world);
    model.catch_up(1, 9_000);
    model.index.prune(4_095).unwrap();
    assert_eq!(model.segments(), [(0, 4096), (4096, 4096), (8192, 768)]);
    model.index.prune(8_500).unwrap();
    assert_eq!(model.segments(), [(8192, 768)]);
    for base in [0, 4096] {
        let none_left = &mut |pages: &mut dyn Writing| {
            assert!(pages.chunks(base)?.is_empty());
            Ok(())
        };
        model.index.0.write(none_left).unwrap();
    }
    model.catch_up(8_501, 13_000);
    assert_eq!(model.segments(), [(8192, 4096), (12_288, 512)]);
}

async fn an_index_of_another_hash_is_made_anew(world: World) {
    let mut model = Model::of(world);
    model.catch_up(1, 600);
    let change = "SET known_term = 1";
    model
        .break_it(&format!("UPDATE progress {change}"), &format!("UPDATE index_progress {change}"));
    let again = model.again();
    assert_eq!(again.state().unwrap().0, Progress::default());
    model.index = again;
    assert_eq!(model.segments(), []);
    model.catch_up(1, 600);
    assert_eq!(model.indexed(), 512);
}

async fn a_damaged_chunk_is_told(world: World) {
    let mut model = Model::of(world);
    model.catch_up(1, 600);
    model.break_it(
        "UPDATE chunk SET terms = x'ffffffffffff'",
        "UPDATE index_chunk SET terms = '\\xffffffffffff'",
    );
    let snapshot = model.index.snapshot().unwrap();
    let terms = vec![vec![snapshot.hasher().term(Field::Kind, &[1])]];
    let query = IndexQuery { terms, ..IndexQuery::default() };
    let found = snapshot.candidates(query, 0..u64::MAX).next().unwrap();
    assert!(matches!(found, Err(Error::Damaged(_))), "{found:?}");
}

async fn a_search_that_outlives_its_index_is_told(world: World) {
    let mut model = Model::of(world);
    model.catch_up(1, 600);
    let mut other = model.again();
    let snapshot = model.index.snapshot().unwrap();
    let mut all = snapshot.candidates(IndexQuery::default(), 0..u64::MAX);
    assert!(all.next().unwrap().is_ok());
    if model.world.is_embedded() {
        // what is read is the file as it was
        assert_eq!(all.count(), 511);
        return;
    }
    other.reset().unwrap();
    let last = all.last().unwrap();
    assert!(matches!(&last, Err(Error::Unavailable(text)) if text.contains("anew")), "{last:?}");
}

async fn whoever_is_slower_adds_nothing(world: World) {
    let mut model = Model::of(world);
    let mut slower = model.again();
    let done = slower.state().unwrap().0;
    let segment = SearchIndex::next_segment(done, 1, 600).unwrap();
    model.catch_up(1, 600);
    let witness = ChainHead { sequence: 512, hash: [9; 32] };
    slower.add(done, segment, witness).unwrap();
    assert_eq!(model.index.state().unwrap().0.witness.hash, [1; 32]);
    assert_eq!(model.segments(), [(0, 512)]);
}
