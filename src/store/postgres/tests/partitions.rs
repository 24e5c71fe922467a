//! Partitions by time: made ahead, and dropped by a prune.

use super::*;
use crate::store::tests::sample::append;

const PARTITIONS: &str =
    "SELECT count(*) FROM pg_inherits WHERE inhparent = 'audit_event'::regclass";

#[tokio::test]
async fn there_are_partitions_for_this_month_and_the_next() {
    let world = World::postgres().await;
    assert_eq!(world.database().number(PARTITIONS), 3, "and one for the rest");
    drop((world.again().await, world.again().await));
    assert_eq!(world.database().number(PARTITIONS), 3);
    append(&mut world.store.journal().unwrap(), 10);
    assert_eq!(world.database().number("SELECT count(*) FROM audit_event_other"), 0);
}

#[tokio::test]
async fn an_event_of_a_month_without_a_partition_is_not_refused() {
    let world = World::postgres().await;
    world.database().execute(
        "DO $$ BEGIN EXECUTE format('DROP TABLE %I', to_char(now() AT TIME ZONE 'UTC', '\"audit_event_y\"YYYY\"m\"MM')); END $$",
    );
    append(&mut world.store.journal().unwrap(), 10);
    assert_eq!(world.database().number("SELECT count(*) FROM audit_event_other"), 10);
    // there it stays, and the program starts all the same
    let again = world.again().await;
    append(&mut again.journal().unwrap(), 1);
    assert_eq!(world.database().number(PARTITIONS), 2);
}

/// Moves the first events of all chains into a partition of long ago.
fn age(world: &World, sequence: u64) {
    world.database().execute(format!(
        "CREATE TABLE IF NOT EXISTS audit_event_y2020m05 PARTITION OF audit_event FOR VALUES FROM ('2020-05-01 00:00:00+00') TO ('2020-06-01 00:00:00+00'); \
         UPDATE audit_event SET stored = '2020-05-17' WHERE sequence <= {sequence}"
    ));
}

#[tokio::test]
async fn promise_2_a_prune_drops_whole_partitions_and_the_chain_goes_on() {
    let world = World::postgres().await;
    let mut writer = world.store.journal().unwrap();
    let rows = append(&mut writer, 40);
    age(&world, 30);
    assert_eq!(world.database().number("SELECT count(*) FROM audit_event_y2020m05"), 30);
    let prune = |last: usize| {
        world.store.prune_events(Chain(0), rows[last - 1].head(), "record").unwrap();
        world.store.prune_claims().unwrap();
    };
    prune(29);
    assert_eq!(world.database().number("SELECT count(*) FROM audit_event_y2020m05"), 1);
    prune(35);
    assert_eq!(world.database().number(PARTITIONS), 3, "that of 2020 is gone");
    assert_eq!(world.database().number("SELECT count(*) FROM audit_event"), 5);
    assert_eq!(whole(&world.store, Chain(0)), rows[35..]);
    append(&mut writer, 3);
    assert_eq!(whole(&world.store, Chain(0)).len(), 8);
}

#[tokio::test]
async fn partitions_are_dropped_one_at_a_time() {
    let world = World::postgres().await;
    for (month, end) in [("05", "06"), ("06", "07")] {
        world.database().execute(format!(
            "CREATE TABLE audit_event_y2020m{month} PARTITION OF audit_event \
             FOR VALUES FROM ('2020-{month}-01 00:00:00+00') TO ('2020-{end}-01 00:00:00+00')"
        ));
    }
    for (swept, left) in [(1, 4), (1, 3), (0, 3)] {
        assert_eq!(world.database().number("SELECT events FROM sweep_pruned(10)"), swept);
        assert_eq!(world.database().number(PARTITIONS), left);
    }
}

#[tokio::test]
async fn a_partition_with_an_event_of_another_chain_stays() {
    let world = World::postgres().await;
    let other = world.again().await;
    let (mut one, mut two) = (world.store.journal().unwrap(), other.journal().unwrap());
    let (rows, kept) = (append(&mut one, 5), append(&mut two, 5));
    age(&world, 5);
    world.store.prune_events(Chain(0), rows[4].head(), "record").unwrap();
    world.store.prune_claims().unwrap();
    assert_eq!(world.database().number("SELECT count(*) FROM audit_event_y2020m05"), 5);
    assert_eq!(whole(&world.store, Chain(1)), kept);
    world.store.prune_events(Chain(1), kept[4].head(), "record").unwrap();
    world.store.prune_claims().unwrap();
    assert_eq!(world.database().number(PARTITIONS), 3);
}

#[tokio::test]
async fn a_prune_never_goes_back() {
    let world = World::postgres().await;
    let rows = append(&mut world.store.journal().unwrap(), 10);
    for last in [8, 3] {
        world.store.prune_events(Chain(0), rows[last - 1].head(), "record").unwrap();
    }
    let reader = world.store.journal_reader(Chain(0)).unwrap();
    assert_eq!(reader.pruned().unwrap().unwrap().0.sequence, 8);
}
