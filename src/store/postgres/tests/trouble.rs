//! What can become of the database and of the way to it.

use super::proxy::Proxy;
use super::*;
use crate::store::tests::sample::{self, append, rows_after, seal};
use crate::store::{Appended, Error};

/// Makes a statement that appends fail like this.
fn fail_appends(world: &World, body: &str) {
    world.database().execute(format!(
        "CREATE SEQUENCE IF NOT EXISTS tries; \
         CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NULL; END $$; \
         CREATE TRIGGER fail AFTER INSERT ON audit_event FOR EACH STATEMENT EXECUTE FUNCTION fail()"
    ));
}

#[tokio::test]
async fn promise_3_a_full_disk_is_told_and_the_chain_goes_on_afterwards() {
    let world = World::postgres().await;
    let mut writer = world.store.journal().unwrap();
    append(&mut writer, 2);
    fail_appends(&world, "RAISE EXCEPTION 'no space left' USING ERRCODE = '53100';");
    assert!(matches!(writer.append(seal()), Err(Error::Full)));
    world.database().execute("DROP FUNCTION fail CASCADE");
    append(&mut writer, 2);
    assert_eq!((whole(&world.store, Chain(0)).len(), writer.chain()), (4, Chain(0)));
}

#[tokio::test]
async fn what_others_got_in_the_way_of_is_done_again() {
    let world = World::postgres().await;
    let mut writer = world.store.journal().unwrap();
    for code in ["40001", "40P01"] {
        let raise = format!(
            "IF nextval('tries') % 3 <> 0 THEN RAISE EXCEPTION 'passing' USING ERRCODE = '{code}'; END IF;"
        );
        fail_appends(&world, &raise);
        append(&mut writer, 3);
        world.database().execute("DROP FUNCTION fail CASCADE");
    }
    assert_eq!(whole(&world.store, Chain(0)).len(), 6);
    assert_eq!(world.database().number("SELECT last_value FROM tries"), 6);
}

#[tokio::test]
async fn promise_3_a_writer_takes_its_chain_again_after_the_database_restarted() {
    let world = World::postgres().await;
    let other = world.again().await;
    let (mut one, mut two) = (world.store.journal().unwrap(), other.journal().unwrap());
    for _ in 0..3 {
        append(&mut one, 2);
        append(&mut two, 1);
        cut_all(&world);
        append(&mut one, 2);
        append(&mut two, 1);
        cut_all(&world);
        assert_eq!(world.store.policy_revision().await.unwrap(), 0, "readers are connected again");
    }
    assert_eq!((one.chain(), two.chain()), (Chain(0), Chain(1)));
    assert_eq!(whole(&world.store, Chain(0)).len(), 12);
    assert_eq!(whole(&world.store, Chain(1)).len(), 6);
}

#[tokio::test]
async fn a_connection_to_a_server_that_was_read_only_is_made_anew() {
    let world = World::postgres().await;
    let set = |value| {
        world.database().execute(format!(
            "BEGIN READ WRITE; ALTER DATABASE {} SET default_transaction_read_only = {value}; COMMIT",
            world.database().name()
        ));
    };
    let use_up = || world.store.use_up([7; 32], sample::now(), sample::now());
    set("on");
    cut_all(&world);
    let error = use_up().await.unwrap_err().to_string();
    assert!(error.contains("read-only"), "{error}");
    set("off");
    assert!(use_up().await.unwrap());
}

#[tokio::test]
async fn promise_2_events_whose_answer_was_lost_are_there_once() {
    let world = World::postgres().await;
    let proxy = Proxy::to(&world);
    let store = proxy.store().await;
    let mut writer = store.journal().unwrap();
    append(&mut writer, 2);
    proxy.lose_next_answer();
    let mut rows = Vec::new();
    let seal = |head| {
        rows = rows_after(head, 3);
        rows.clone()
    };
    assert_eq!(writer.append(Box::new(seal)).unwrap(), Appended { policy_revision: 0 });
    assert_eq!(proxy.lost(), 1);
    append(&mut writer, 1);
    let all = whole(&world.store, Chain(0));
    assert_eq!((all.len(), &all[2..5]), (6, &*rows));
}

#[tokio::test]
async fn promise_3_a_database_that_hangs_is_given_up_and_taken_again() {
    let world = World::postgres().await;
    let proxy = Proxy::to(&world);
    let store = proxy.store().await;
    let mut writer = store.journal().unwrap();
    append(&mut writer, 1);
    proxy.freeze();
    let appended = tokio::task::spawn_blocking(move || (writer.append(seal()), writer));
    let (read, appended) = tokio::join!(store.policy_revision(), appended);
    let (appended, mut writer) = appended.unwrap();
    for error in [appended.unwrap_err(), read.unwrap_err()] {
        assert!(error.to_string().contains("does not answer"), "{error}");
    }
    proxy.thaw();
    append(&mut writer, 1);
    assert_eq!(store.policy_revision().await.unwrap(), 0);
    // its own dead connection held the chain, and was ended
    assert_eq!(writer.chain(), Chain(0));
    whole(&world.store, Chain(0));
}

#[tokio::test]
async fn promise_3_without_a_database_everything_says_so_at_once() {
    let world = World::postgres().await;
    let proxy = Proxy::to(&world);
    let store = proxy.store().await;
    let mut writer = store.journal().unwrap();
    append(&mut writer, 1);
    proxy.close();
    for _ in 0..3 {
        let error = writer.append(seal()).unwrap_err().to_string();
        assert!(error.contains("refuses connections") || error.contains("was lost"), "{error}");
        let error = store.definitions().await.unwrap_err().to_string();
        assert!(error.contains("refuses connections"), "{error}");
    }
}
