//! Chains that several processes want.

use super::*;
use crate::store::tests::sample::{append, row_after, rows_after, seal};
use crate::store::{ChainHead, Error};

#[tokio::test]
async fn each_process_has_a_chain_of_its_own_until_it_ends() {
    let world = World::postgres().await;
    let (one, other) = (world.again().await, world.again().await);
    let (mut first, mut second) = (one.journal().unwrap(), other.journal().unwrap());
    assert_eq!((first.chain(), second.chain()), (Chain(0), Chain(1)));
    assert_eq!(second.head().unwrap(), ChainHead::genesis(Chain(1)));
    append(&mut first, 3);
    let last = append(&mut second, 5)[4].head();
    assert_eq!(world.store.chains().unwrap(), [Chain(0), Chain(1)]);
    assert_eq!(first.heads().unwrap()[1], (Chain(1), last));
    drop((second, other));
    until_free(&world, 1);
    // a change of a process without a journal takes a chain too
    world.store.record(seal()).await.unwrap();
    assert_eq!(whole(&world.store, Chain(1)).len(), 6);
    assert_eq!(whole(&world.store, Chain(0)).len(), 3);
    drop((first, one));
    until_free(&world, 0);
    let third = world.again().await;
    let mut third = third.journal().unwrap();
    assert_eq!((third.chain(), third.head().unwrap().sequence), (Chain(0), 3));
}

/// Waits until the server noticed that whoever held a chain is gone.
fn until_free(world: &World, chain: i32) {
    world.database().execute(format!(
        "SELECT pg_advisory_lock(1684763748, {chain}); SELECT pg_advisory_unlock(1684763748, {chain})"
    ));
}

#[tokio::test]
async fn processes_that_start_together_get_different_chains() {
    let world = World::postgres().await;
    let stores = futures_util::future::join_all((0..5).map(|_| world.again())).await;
    let append_all = |store: Store| {
        let mut writer = store.journal().unwrap();
        for _ in 0..20 {
            append(&mut writer, 7);
        }
        writer
    };
    let mut threads = Vec::new();
    for store in stores {
        threads.push(std::thread::spawn(move || append_all(store)));
    }
    let writers: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    let mut chains: Vec<_> = writers.iter().map(|writer| writer.chain().0).collect();
    chains.sort_unstable();
    assert_eq!(chains, [0, 1, 2, 3, 4]);
    for chain in world.store.chains().unwrap() {
        assert_eq!(whole(&world.store, chain).len(), 140);
    }
}

#[tokio::test]
async fn promise_2_whoever_lost_its_chain_cannot_append_to_it() {
    let world = World::postgres().await;
    let mut writer = world.store.journal().unwrap();
    append(&mut writer, 2);
    world.database().execute("UPDATE audit_chain SET owner = 'somebody else'");
    let error = writer.append(seal()).unwrap_err();
    assert!(matches!(&error, Error::Unavailable(text) if text.contains("took over")), "{error}");
    assert_eq!(whole(&world.store, Chain(0)).len(), 2);
    // it takes a chain again, whichever is free
    append(&mut writer, 1);
    assert_eq!(world.database().number("SELECT count(*) FROM audit_event"), 3);
}

#[tokio::test]
async fn promise_2_a_head_that_is_not_the_chains_cannot_be_appended_to() {
    let world = World::postgres().await;
    let mut writer = world.store.journal().unwrap();
    append(&mut writer, 2);
    world.database().execute("UPDATE audit_chain SET sequence = 1");
    assert!(writer.append(seal()).is_err());
    assert_eq!(world.database().number("SELECT count(*) FROM audit_event"), 2);
}

#[tokio::test]
async fn changes_and_appends_of_one_process_form_one_chain() {
    let world = World::postgres().await;
    let store = world.store.clone();
    let appending = std::thread::spawn(move || {
        let mut writer = store.journal().unwrap();
        for count in 1..60 {
            append(&mut writer, count % 5 + 1);
        }
    });
    for _ in 0..4 {
        let changes = (0..5).map(|_| world.store.record(Box::new(|head| rows_after(head, 3))));
        for recorded in futures_util::future::join_all(changes).await {
            recorded.unwrap();
        }
    }
    appending.join().unwrap();
    let count: usize = (1..60).map(|count| count % 5 + 1).sum();
    assert_eq!(whole(&world.store, Chain(0)).len(), count + 60);
}

#[tokio::test]
async fn a_new_row_follows_the_head_that_the_writer_tells() {
    let world = World::postgres().await;
    let mut writer = world.store.journal().unwrap();
    append(&mut writer, 1);
    let head = writer.head().unwrap();
    let row = append(&mut writer, 1).remove(0);
    assert_eq!(row.hash, row_after(head).hash);
}
