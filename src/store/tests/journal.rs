//! The journal: what is appended is read back, by place, by id and in order.

use std::ops::ControlFlow;

use serde_json::json;

use super::sample::{append, now, row_after, rows_after};
use super::{World, on_both_engines};
use crate::model::{Claims, DecisionId};
use crate::store::{Chain, ChainHead, Searched};

on_both_engines! {
    what_is_appended_is_read_back
    two_writers_of_one_process_share_its_chain
    promise_2_a_chain_starts_with_its_genesis
    events_are_found_by_place_and_by_id
    a_scan_goes_either_way_and_stops
    claims_are_kept_once_and_come_back_with_each_event
    checkpoints_are_kept_by_the_event_that_they_cover
    nothing_is_appended_when_nothing_is_sealed
    blocking_calls_work_on_any_thread
}

async fn what_is_appended_is_read_back(world: World) {
    let mut writer = world.store.journal().unwrap();
    let mut all = append(&mut writer, 1);
    all.extend(append(&mut writer, 1_500));
    let reader = world.store.journal_reader(writer.chain()).unwrap();
    assert_eq!(reader.after(0, 10_000).unwrap(), all);
    assert_eq!(reader.after(10, 2).unwrap(), all[10..12]);
    let mut last: Vec<_> = reader.before(1_500, 3).unwrap();
    last.reverse();
    assert_eq!(last, all[1_496..1_499]);
    assert_eq!(reader.row(77).unwrap().as_ref(), Some(&all[76]));
    assert_eq!(reader.row(1_502).unwrap(), None);
    let head = all.last().unwrap().head();
    assert_eq!((reader.head().unwrap(), writer.head().unwrap()), (head, head));
    assert_eq!(writer.heads().unwrap(), [(writer.chain(), head)]);
    assert_eq!(world.store.chains().unwrap(), [writer.chain()]);
}

async fn two_writers_of_one_process_share_its_chain(world: World) {
    let mut one = world.store.journal().unwrap();
    let mut other = world.store.journal().unwrap();
    for _ in 0..3 {
        append(&mut one, 2);
        append(&mut other, 1);
        let seal = Box::new(|head| rows_after(head, 1));
        world.store.record(seal).await.unwrap();
    }
    assert_eq!(one.chain(), other.chain());
    let rows = world.store.journal_reader(one.chain()).unwrap().after(0, 100).unwrap();
    assert_eq!(rows.len(), 12);
    for pair in rows.windows(2) {
        assert_eq!(pair[1].hash, row_after(pair[0].head()).hash);
    }
}

async fn promise_2_a_chain_starts_with_its_genesis(world: World) {
    let mut writer = world.store.journal().unwrap();
    assert_eq!(writer.head().unwrap(), ChainHead::genesis(writer.chain()));
    let reader = world.store.journal_reader(writer.chain()).unwrap();
    assert_eq!(reader.head().unwrap(), ChainHead::genesis(writer.chain()));
    assert_eq!(writer.chain(), Chain(0), "the first of a store");
}

async fn events_are_found_by_place_and_by_id(world: World) {
    let mut writer = world.store.journal().unwrap();
    let rows = append(&mut writer, 20);
    let reader = world.store.journal_reader(writer.chain()).unwrap();
    assert_eq!(reader.place_of(rows[6].id, &(0..100)).unwrap(), Some(7));
    assert_eq!(reader.place_of(rows[6].id, &(8..100)).unwrap(), None);
    assert_eq!(reader.place_of(DecisionId::new(now()), &(0..100)).unwrap(), None);
    assert_eq!(
        [0, 1, 20, 21].map(|place| reader.first_from(place).unwrap()),
        [Some(1), Some(1), Some(20), None]
    );
    assert_eq!(reader.hash_of(3).unwrap(), Some(rows[2].hash));
    assert_eq!(reader.hash_of(0).unwrap(), None);
}

async fn a_scan_goes_either_way_and_stops(world: World) {
    let mut writer = world.store.journal().unwrap();
    let rows = append(&mut writer, 700);
    let reader = world.store.journal_reader(writer.chain()).unwrap();
    let mut places = Vec::new();
    let look = |event: &Searched<'_>| {
        let row = &rows[usize::try_from(event.sequence).unwrap() - 1];
        assert_eq!((event.id, event.time), (row.id, row.time));
        assert_eq!((event.open, event.personal), (row.body.open(), row.body.personal()));
        places.push(event.sequence);
    };
    reader.each(&(5..650), look).unwrap();
    assert_eq!(places, (5..650).collect::<Vec<u64>>());
    places.clear();
    let back = |event: &Searched<'_>| {
        places.push(event.sequence);
        if places.len() < 300 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    reader.each_back(&(5..650), back).unwrap();
    assert_eq!(places, (350..650).rev().collect::<Vec<u64>>());
    reader.each(&(701..u64::MAX), |_| panic!("there are no more")).unwrap();
}

async fn claims_are_kept_once_and_come_back_with_each_event(world: World) {
    let mut writer = world.store.journal().unwrap();
    let claims = |subject: u64| json!({ "sub": subject }).as_object().map(Claims::of);
    let mut all = Vec::new();
    for _ in 0..3 {
        let seal = |head| {
            let mut rows = rows_after(head, 6);
            for row in rows.iter_mut().skip(1) {
                row.claims = claims(row.sequence % 4);
            }
            all.extend(rows.clone());
            rows
        };
        writer.append(Box::new(seal)).unwrap();
    }
    let reader = world.store.journal_reader(writer.chain()).unwrap();
    assert_eq!(reader.after(0, 100).unwrap(), all);
}

async fn checkpoints_are_kept_by_the_event_that_they_cover(world: World) {
    let mut writer = world.store.journal().unwrap();
    append(&mut writer, 5);
    assert_eq!(writer.last_checkpoint().unwrap(), 0);
    for (place, body) in [(2, "two"), (4, "draft"), (4, "four")] {
        writer.add_checkpoint(place, body).unwrap();
    }
    let reader = world.store.journal_reader(writer.chain()).unwrap();
    assert_eq!((writer.last_checkpoint().unwrap(), reader.last_checkpoint().unwrap()), (4, 4));
    let expected = [(2, "two".to_owned()), (4, "four".to_owned())];
    assert_eq!(reader.checkpoints_after(0, 10).unwrap(), expected);
    assert_eq!(reader.checkpoints_after(2, 10).unwrap(), expected[1..]);
    assert_eq!(reader.checkpoints_after(0, 1).unwrap(), expected[..1]);
}

async fn nothing_is_appended_when_nothing_is_sealed(world: World) {
    let mut writer = world.store.journal().unwrap();
    append(&mut writer, 1);
    let head = writer.head().unwrap();
    assert_eq!(writer.append(Box::new(|_| Vec::new())).unwrap().policy_revision, 0);
    writer.probe().unwrap();
    assert_eq!(writer.head().unwrap(), head);
    append(&mut writer, 1);
}

async fn blocking_calls_work_on_any_thread(world: World) {
    let store = world.store.clone();
    let mut writer = tokio::task::spawn_blocking(move || store.journal()).await.unwrap().unwrap();
    append(&mut writer, 1);
    let thread = std::thread::spawn(move || {
        append(&mut writer, 1);
        writer.head().unwrap().sequence
    });
    assert_eq!(thread.join().unwrap(), 2);
}
