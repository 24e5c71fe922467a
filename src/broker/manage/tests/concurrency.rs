//! Many operators at once: no change is lost, and store, snapshot and audit trail tell the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::Value;

use crate::audit::{Archive, Kind};
use crate::broker::manage::for_test::{
    Office, local_user, new_map, new_token, permissions, the_token,
};
use crate::broker::manage::{Etag, Optional, PermissionsUpdate, UpdateScopeMap, UpdateToken};
use crate::model::{Definitions, Reason, Status};
use crate::policy::Change;

/// Adds a repository to the scope map `servers`.
fn add(repository: &str) -> UpdateScopeMap {
    UpdateScopeMap {
        registry: "local".parse().unwrap(),
        name: "servers".parse().unwrap(),
        etag: None,
        description: None,
        owner: None,
        permissions: PermissionsUpdate::Adjust {
            add: permissions(&[(repository, "pull")]),
            remove: permissions(&[]),
        },
        max_lifetime: Optional::Keep,
    }
}

async fn one_of_200(office: Arc<Office>, number: usize) -> Result<(), Reason> {
    let operator = local_user();
    let done = match number % 4 {
        0 => {
            let token = new_token(&format!("token-{number}"), "servers");
            office.change(operator, token).await.map(drop)
        }
        1 => office.change(operator, add(&format!("r{number}"))).await.map(drop),
        2 => {
            let status = if number % 8 == 2 { Status::Disabled } else { Status::Enabled };
            let token = the_token("shared-token");
            let description = Some(number.to_string());
            let update =
                UpdateToken { status: Some(status), description, ..UpdateToken::none(token) };
            office.change(operator, update).await.map(drop)
        }
        _ => office.change(operator, new_token("shared-token", "servers")).await.map(drop),
    };
    done.map_err(|refusal| refusal.error.reason())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_parallel_changes_leave_store_snapshot_and_audit_consistent() {
    let office = Arc::new(Office::open().await);
    office.by_editor(new_map("servers", &[("servers/*", "pull")])).await;
    office.by_editor(new_token("shared-token", "servers")).await;
    let outcomes = join_all((0..200).map(|number| one_of_200(Arc::clone(&office), number))).await;
    for (number, outcome) in outcomes.into_iter().enumerate() {
        let wanted = if number % 4 == 3 { Err(Reason::AlreadyExists) } else { Ok(()) };
        assert_eq!(outcome, wanted, "{number}");
    }
    let store = office.store().await;
    let stored = store.definitions().await.unwrap();
    let in_force = office.broker.policies.in_force().snapshot.definitions();
    assert!(Change::between(&stored, &in_force).is_empty());
    assert_eq!((stored.revision, in_force.revision), (152, 152));
    // every change was made once, and from the one before
    let map = office.scope_map("servers").await;
    assert_eq!(map.permissions.len(), 51);
    assert_eq!(stored.tokens.len(), 51);
    let events = office.events(Kind::PolicyChange).await;
    assert_eq!(events.iter().filter(|event| event.reason.is_none()).count(), 152);
    assert_eq!(events.iter().filter(|event| event.reason.is_some()).count(), 50);
    assert_eq!(replayed(&events), by_name(&stored));
    office.broker.close().await;
    let report = Archive::open(&store).verify(None).unwrap();
    assert_eq!(report.events, 203, "the changes, those refused, and the end");
}

/// The definitions that the events lead to; each starts from what the one before left.
fn replayed(events: &[crate::audit::Event]) -> BTreeMap<(String, String), Value> {
    let mut all = BTreeMap::new();
    for change in events.iter().filter(|event| event.reason.is_none()) {
        let change = change.change.as_ref().unwrap();
        let text = |key: &str| change[key].as_str().unwrap().to_owned();
        let key = (text("kind"), text("name"));
        let before = all.get(&key).cloned().unwrap_or(Value::Null);
        assert_eq!(change["before"], before, "{key:?}");
        all.insert(key, change["after"].clone());
    }
    all
}

fn by_name(definitions: &Definitions) -> BTreeMap<(String, String), Value> {
    Change::between(&Definitions::default(), definitions)
        .into_iter()
        .map(|change| ((change.kind.to_owned(), change.name), change.after.unwrap()))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn with_etags_no_update_is_lost() {
    let office = Arc::new(Office::open().await);
    office.by_editor(new_map("servers", &[("a", "pull")])).await;
    let counting = (0..6).map(|_| async {
        for _ in 0..5 {
            count_up(&office).await;
        }
    });
    join_all(counting).await;
    assert_eq!(office.scope_map("servers").await.description, "x".repeat(30));
}

/// Adds one to the description, from the content that was read, as often as somebody else was faster.
async fn count_up(office: &Office) {
    loop {
        let read = office.scope_map("servers").await;
        let update = UpdateScopeMap {
            etag: Some(Etag::of_scope_map(&read)),
            description: Some(format!("{}x", read.description)),
            permissions: PermissionsUpdate::Keep,
            ..add("unused")
        };
        match office.change(local_user(), update).await {
            Ok(_) => return,
            Err(refusal) => assert_eq!(refusal.error.reason(), Reason::EtagMismatch),
        }
    }
}

#[tokio::test]
async fn a_change_by_another_process_is_seen_and_kept() {
    let (office, store) = {
        let office = Office::open().await;
        office.by_editor(new_map("servers", &[("a", "pull")])).await;
        let store = office.store().await;
        (office, store)
    };
    let mut definitions = store.definitions().await.unwrap();
    definitions.revision += 1;
    definitions.scope_maps[0].permissions = permissions(&[("b", "pull")]);
    let event = crate::audit::Event::new(
        crate::model::DecisionId::new(office.now()),
        office.now(),
        Kind::PolicyChange,
    );
    let seal = crate::audit::Journal::seal(event);
    let now = office.now();
    store.replace_definitions(definitions, "another".to_owned(), now, seal).await.unwrap();
    let after = office.by_editor(add("c")).await;
    assert_eq!(after.permissions, permissions(&[("b", "pull"), ("c", "pull")]));
}
