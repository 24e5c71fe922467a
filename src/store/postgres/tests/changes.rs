//! Changes of policy beside appends of other processes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use jiff::SignedDuration;

use super::*;
use crate::model::{AccessTokenId, Definitions};
use crate::store::tests::sample::{now, replace, scope_map, seal, token};

/// While policy changes, every append that begins after a change was committed tells of it, in whichever process.
#[tokio::test]
async fn promise_4_an_append_after_a_committed_change_tells_the_newer_revision() {
    let world = World::postgres().await;
    let (committed, done) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let appenders: Vec<_> = futures_util::future::join_all((0..3).map(|_| world.again()))
        .await
        .into_iter()
        .map(|store| {
            let (committed, done) = (Arc::clone(&committed), Arc::clone(&done));
            std::thread::spawn(move || {
                let mut writer = store.journal().unwrap();
                let mut appends: u32 = 0;
                while !done.load(Ordering::SeqCst) {
                    let floor = committed.load(Ordering::SeqCst);
                    let told = writer.append(seal()).unwrap().policy_revision;
                    assert!(told >= floor, "told {told} when {floor} was committed before");
                    appends += 1;
                }
                appends
            })
        })
        .collect();
    for round in 0..60 {
        let changed = if round % 3 == 0 {
            let revision = world.store.policy_revision().await.unwrap() + 1;
            let scope_maps = vec![scope_map("scope-one", &revision.to_string(), revision)];
            let after = Definitions { revision, scope_maps, tokens: Vec::new() };
            replace(&world.store, &after).await.unwrap()
        } else {
            let end = now() + SignedDuration::from_mins(5);
            world.store.revoke(AccessTokenId::new(now()), end, seal()).await.unwrap()
        };
        committed.fetch_max(changed.policy_revision, Ordering::SeqCst);
    }
    done.store(true, Ordering::SeqCst);
    for appender in appenders {
        assert!(appender.join().unwrap() > 10, "it appended all the while");
    }
    assert_eq!(committed.load(Ordering::SeqCst), 60);
    for chain in world.store.chains().unwrap() {
        whole(&world.store, chain);
    }
}

#[tokio::test]
async fn of_two_processes_that_change_the_same_revision_one_is_stale() {
    let world = World::postgres().await;
    let other = world.again().await;
    for revision in 1..20 {
        let after = |name: &str| Definitions {
            revision,
            scope_maps: vec![scope_map("scope-one", name, revision)],
            tokens: vec![token("writer", revision)],
        };
        let (one, two) = (after("one"), after("two"));
        let (one, two) = tokio::join!(replace(&world.store, &one), replace(&other, &two));
        let stale = [&one, &two].map(|result| matches!(result, Err(crate::store::Error::Stale)));
        assert!(stale[0] != stale[1], "{one:?} {two:?}");
        let expected = if one.is_ok() { "one" } else { "two" };
        assert_eq!(other.definitions().await.unwrap().scope_maps[0].description, expected);
    }
}

#[tokio::test]
async fn promise_4_changes_are_told_to_every_process_also_after_a_lost_connection() {
    let world = World::postgres().await;
    let other = world.again().await;
    let mut news = other.policy_news();
    let mut again = other.policy_news();
    // it listens from now on
    news.changed().await;
    again.changed().await;
    let revoke = || world.store.revoke(AccessTokenId::new(now()), now(), seal());
    revoke().await.unwrap();
    news.changed().await;
    again.changed().await;
    cut_all(&world);
    news.changed().await;
    replace(&world.store, &Definitions { revision: 2, ..Definitions::default() }).await.unwrap();
    news.changed().await;
}

#[tokio::test]
async fn a_page_costs_what_is_on_it() {
    let world = World::postgres().await;
    world.database().execute(
        "INSERT INTO token SELECT 'prod', 'name-' || n, 'map-' || n % 3, '{}' FROM generate_series(1, 20000) AS n; ANALYZE token; \
         CREATE FUNCTION reads(statement TEXT) RETURNS BIGINT LANGUAGE plpgsql AS $$ DECLARE plan JSON; BEGIN \
         EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ' || statement INTO plan; \
         RETURN (plan->0->'Plan'->>'Shared Hit Blocks')::bigint + (plan->0->'Plan'->>'Shared Read Blocks')::bigint; END $$",
    );
    for of in ["", "AND scope_map = $m$map-1$m$"] {
        let order = if of.is_empty() { "name" } else { "scope_map, name" };
        world.database().execute(format!(
            "DO $$ BEGIN IF reads('SELECT body FROM token WHERE registry = $r$prod$r$ AND name > $n$name-19$n$ {of} ORDER BY {order} LIMIT 10') > 40 \
             THEN RAISE EXCEPTION 'it reads the table'; END IF; END $$"
        ));
    }
}
