//! Definitions, their history, revocations and pages.

use super::sample::{definitions_of, now, replace, scope_map, seal, token};
use super::{World, on_both_engines};
use crate::model::{AccessTokenId, DefinitionChange, Definitions, RegistryName};
use crate::store::{Error, Page};

on_both_engines! {
    every_revision_of_the_definitions_can_be_read_back
    what_the_caller_forgot_to_number_is_written_all_the_same
    a_change_on_an_old_revision_is_stale_and_leaves_no_event
    promise_4_a_revocation_counts_as_a_revision_until_it_ends
    a_revocation_that_ended_long_ago_is_gone_after_the_next
    a_change_writes_only_what_differs_and_can_be_taken_back
    pages_follow_each_other_by_name
    a_page_has_the_tokens_of_one_scope_map
    a_page_of_large_definitions_is_short
}

async fn every_revision_of_the_definitions_can_be_read_back(world: World) {
    let store = &world.store;
    let mut revisions = vec![Definitions::default()];
    let mut next = Definitions {
        revision: 1,
        scope_maps: vec![scope_map("scope-one", "a", 1), scope_map("scope-two", "b", 1)],
        tokens: vec![token("writer", 1)],
    };
    for step in 1..=4 {
        next.revision = step;
        match step {
            2 => next.scope_maps[0] = scope_map("scope-one", "changed", 2),
            3 => drop(next.tokens.pop()),
            4 => next.tokens.push(token("writer", 4)),
            _ => {}
        }
        assert_eq!(replace(store, &next).await.unwrap().policy_revision, step);
        revisions.push(next.clone());
    }
    assert_eq!(store.definitions().await.unwrap(), next);
    for expected in &revisions {
        let found = store.definitions_at(expected.revision).await.unwrap();
        assert_eq!(found, *expected);
        let changes = store.changes_since(expected.revision).await.unwrap();
        let expected = DefinitionChange::between(expected, &next);
        // what was deleted and made again counts as changed, though it may be the same
        assert!(expected.iter().all(|change| changes.definitions.contains(change)));
        assert_eq!(changes.revision, 4);
    }
    assert!(matches!(store.changes_since(5).await, Err(Error::UnknownRevision(5, 4))));
    assert_eq!(store.changes_since(4).await.unwrap().definitions, []);
    let name = "writer".parse().unwrap();
    let gone = DefinitionChange::TokenGone { registry: "prod".parse().unwrap(), name };
    assert_eq!(DefinitionChange::between(&revisions[2], &revisions[3]), [gone]);
    assert!(matches!(store.definitions_at(5).await, Err(Error::UnknownRevision(5, 4))));
}

async fn what_the_caller_forgot_to_number_is_written_all_the_same(world: World) {
    let store = &world.store;
    let mut next = Definitions {
        revision: 1,
        scope_maps: vec![scope_map("scope-one", "a", 1)],
        tokens: vec![],
    };
    replace(store, &next).await.unwrap();
    next.revision = 2;
    next.scope_maps[0].description = "b".into();
    replace(store, &next).await.unwrap();
    assert_eq!(store.definitions().await.unwrap().scope_maps[0].description, "b");
}

async fn a_change_on_an_old_revision_is_stale_and_leaves_no_event(world: World) {
    let store = &world.store;
    let first = Definitions { revision: 1, ..Definitions::default() };
    replace(store, &first).await.unwrap();
    for revision in [0, 1, 3, u64::MAX] {
        let after = Definitions { revision, ..Definitions::default() };
        assert!(matches!(replace(store, &after).await, Err(Error::Stale)), "{revision}");
    }
    assert_eq!(store.policy_revision().await.unwrap(), 1);
    assert_eq!(store.journal().unwrap().head().unwrap().sequence, 1);
}

async fn promise_4_a_revocation_counts_as_a_revision_until_it_ends(world: World) {
    let store = &world.store;
    let id = AccessTokenId::new(now());
    let end = now() + jiff::SignedDuration::from_mins(5);
    let appended = store.revoke(id, end, seal()).await.unwrap();
    assert_eq!(appended.policy_revision, 1);
    assert_eq!(store.revocations(now()).await.unwrap(), [(id, end)]);
    assert_eq!(store.revocations(end).await.unwrap(), []);
    let mut writer = store.journal().unwrap();
    assert_eq!(writer.append(seal()).unwrap().policy_revision, 1, "a journal's append sees it");
    let after = Definitions { revision: 2, ..Definitions::default() };
    replace(store, &after).await.unwrap();
    assert_eq!(store.definitions_at(1).await.unwrap().revision, 1);
}

async fn a_revocation_that_ended_long_ago_is_gone_after_the_next(world: World) {
    let store = &world.store;
    let minutes = jiff::SignedDuration::from_mins;
    let years_ago = now() - minutes(4_000_000);
    let revoke = async |end| {
        let id = AccessTokenId::new(now());
        store.revoke(id, end, seal()).await.unwrap();
        (id, end)
    };
    let old = revoke(years_ago + minutes(5)).await;
    assert_eq!(store.revocations(years_ago).await.unwrap(), [old]);
    // to somebody whose clock is behind, it has not ended yet
    let recent = revoke(now() - minutes(5)).await;
    assert_eq!(store.revocations(years_ago).await.unwrap(), [recent]);
    let present = revoke(now() + minutes(5)).await;
    let mut kept = store.revocations(years_ago).await.unwrap();
    kept.sort_by_key(|(_, end)| *end);
    assert_eq!(kept, [recent, present]);
}

async fn a_change_writes_only_what_differs_and_can_be_taken_back(world: World) {
    let store = &world.store;
    let before = Definitions {
        revision: 1,
        scope_maps: vec![scope_map("scope-one", "a", 1), scope_map("scope-two", "b", 1)],
        tokens: vec![token("writer", 1)],
    };
    replace(store, &before).await.unwrap();
    let (registry, name) = ("prod".parse().unwrap(), "writer".parse().unwrap());
    let change = |revision, changes| {
        store.change_definitions(revision, changes, "admin".to_owned(), now(), seal())
    };
    let two = vec![
        DefinitionChange::ScopeMapPut(Box::new(before.scope_maps[0].clone())),
        DefinitionChange::ScopeMapPut(Box::new(scope_map("scope-two", "changed", 2))),
        DefinitionChange::TokenGone { registry, name },
    ];
    assert!(matches!(change(3, two.clone()).await, Err(Error::Stale)));
    assert_eq!(change(2, two.clone()).await.unwrap().policy_revision, 2);
    let present = store.definitions().await.unwrap();
    assert_eq!(present.scope_maps[1].description, "changed");
    assert!(present.tokens.is_empty());
    assert_eq!(store.changes_since(1).await.unwrap().definitions, two[1..]);
    assert_eq!(store.definitions_at(1).await.unwrap(), before);
}

async fn pages_follow_each_other_by_name(world: World) {
    let store = &world.store;
    definitions_of(store, 30).await;
    let registry: RegistryName = "prod".parse().unwrap();
    let (mut names, mut after) = (Vec::new(), String::new());
    loop {
        let page = store.tokens_after(registry.clone(), None, after, 7).await.unwrap();
        names.extend(page.items.iter().map(|token| token.name.to_string()));
        after = names.last().unwrap().clone();
        if !page.more {
            break;
        }
        assert_eq!(page.items.len(), 7);
    }
    assert!(names.len() == 30 && names.is_sorted(), "{names:?}");
    let elsewhere = "other".parse().unwrap();
    let none = store.tokens_after(elsewhere, None, String::new(), 7).await.unwrap();
    assert_eq!(none, Page { items: Vec::new(), more: false });
}

async fn a_page_of_large_definitions_is_short(world: World) {
    let store = &world.store;
    definitions_of(store, 3).await;
    let registry: RegistryName = "prod".parse().unwrap();
    // each of the scope maps has a description of 600 KiB
    let page = store.scope_maps_after(registry, String::new(), 100).await.unwrap();
    assert_eq!((page.items.len(), page.more), (2, true));
}

async fn a_page_has_the_tokens_of_one_scope_map(world: World) {
    let store = &world.store;
    let mut definitions = Definitions { revision: 1, ..Definitions::default() };
    for number in 0..20 {
        let mut token = token(&format!("name-{number:04}"), 1);
        token.scope_map = if number % 2 == 0 { "map-even" } else { "map-odd" }.parse().unwrap();
        definitions.tokens.push(token);
    }
    replace(store, &definitions).await.unwrap();
    // one is tied to the other map from now on
    definitions.revision = 2;
    definitions.tokens[0].scope_map = "map-odd".parse().unwrap();
    replace(store, &definitions).await.unwrap();
    let page = |after: &str, limit| {
        let map = Some("map-even".parse().unwrap());
        store.tokens_after("prod".parse().unwrap(), map, after.to_owned(), limit)
    };
    let first = page("", 4).await.unwrap();
    let names: Vec<_> = first.items.iter().map(|token| token.name.to_string()).collect();
    assert_eq!(names, ["name-0002", "name-0004", "name-0006", "name-0008"]);
    let rest = page("name-0008", 100).await.unwrap();
    assert_eq!((rest.items.len(), first.more, rest.more), (5, true, false));
}
