//! What a prune leaves.

use serde_json::json;

use super::sample::{append, row_after, rows_after};
use super::{World, on_both_engines};
use crate::model::Claims;
use crate::store::Searched;

on_both_engines! {
    promise_2_what_is_left_follows_what_was_pruned
    a_chain_that_was_pruned_whole_goes_on
    claims_that_are_still_referred_to_stay
}

async fn promise_2_what_is_left_follows_what_was_pruned(world: World) {
    let mut writer = world.store.journal().unwrap();
    let rows = append(&mut writer, 50);
    for place in [10, 20, 30] {
        writer.add_checkpoint(place, "signed").unwrap();
    }
    let chain = writer.chain();
    let reader = world.store.journal_reader(chain).unwrap();
    assert_eq!(reader.pruned().unwrap(), None);
    for last in [5, 20] {
        world.store.prune_events(chain, rows[last - 1].head(), "record").unwrap();
    }
    let check = || {
        assert_eq!(reader.pruned().unwrap(), Some((rows[19].head(), "record".to_owned())));
        assert_eq!(reader.after(0, 100).unwrap(), rows[20..]);
        assert_eq!(reader.before(22, 100).unwrap(), rows[20..21]);
        assert_eq!(reader.row(20).unwrap(), None);
        assert_eq!(reader.first_from(0).unwrap(), Some(21));
        assert_eq!(reader.hash_of(19).unwrap(), None);
        assert_eq!(reader.place_of(rows[3].id, &(0..100)).unwrap(), None);
        let mut first = None;
        reader
            .each(&(0..100), |event: &Searched<'_>| {
                first.get_or_insert(event.sequence);
            })
            .unwrap();
        assert_eq!(first, Some(21));
        let checkpoints = reader.checkpoints_after(0, 10).unwrap();
        assert_eq!(checkpoints, [(30, "signed".to_owned())]);
    };
    check();
    world.store.prune_claims().unwrap();
    check();
    assert_eq!(append(&mut writer, 1)[0].hash, row_after(rows[49].head()).hash);
}

async fn a_chain_that_was_pruned_whole_goes_on(world: World) {
    let mut writer = world.store.journal().unwrap();
    let last = append(&mut writer, 3)[2].head();
    let chain = writer.chain();
    world.store.prune_events(chain, last, "record").unwrap();
    world.store.prune_claims().unwrap();
    drop(writer);
    let mut writer = world.store.journal().unwrap();
    assert_eq!(writer.head().unwrap(), last);
    append(&mut writer, 1);
    let reader = world.store.journal_reader(chain).unwrap();
    assert_eq!(reader.after(0, 10).unwrap().first().map(|row| row.sequence), Some(4));
    assert_eq!(reader.head().unwrap().sequence, 4);
}

async fn claims_that_are_still_referred_to_stay(world: World) {
    let mut writer = world.store.journal().unwrap();
    let claims = json!({"sub": "me"}).as_object().map(Claims::of);
    let mut append = |count| {
        let mut rows = Vec::new();
        let seal = |head| {
            rows = rows_after(head, count);
            for row in &mut rows {
                row.claims.clone_from(&claims);
            }
            rows.clone()
        };
        writer.append(Box::new(seal)).unwrap();
        rows
    };
    let (first, second) = (append(5), append(5));
    let chain = world.store.chains().unwrap()[0];
    world.store.prune_events(chain, first[4].head(), "record").unwrap();
    assert_eq!(world.store.prune_claims().unwrap(), 0);
    let reader = world.store.journal_reader(chain).unwrap();
    assert_eq!(reader.after(0, 100).unwrap(), second);
    let third = append(1);
    assert_eq!(reader.after(10, 100).unwrap(), third);
}
