//! Tests of the store as a whole.

use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use rusqlite::Connection;

use super::*;
use crate::model::{
    AccessTokenId, DecisionId, DefinitionChange, RegistryName, ScopeMap, ScopeMapName, Status,
    Token, TokenUid,
};
use crate::store::{Body, Config, JournalRow, Seal, Store, Url};

pub(super) async fn store() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&Config::default(), folder.path()).await.unwrap();
    (folder, store)
}

pub(super) fn sqlite(store: &Store) -> &Sqlite {
    store.engine.embedded().unwrap()
}

fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

/// An event of a transaction: the store does not look into it.
fn seal() -> Seal<'static> {
    Box::new(|head| {
        vec![JournalRow {
            sequence: head.sequence + 1,
            id: DecisionId::new(now()),
            time: now(),
            salt: [1; 16],
            body: Body::join("{}", "{}"),
            claims: None,
            hash: [u8::try_from(head.sequence % 251).unwrap(); 32],
        }]
    })
}

fn scope_map(name: &str, description: &str, revision: u64) -> ScopeMap {
    ScopeMap {
        registry: "prod".parse::<RegistryName>().unwrap(),
        name: name.parse::<ScopeMapName>().unwrap(),
        description: description.to_owned(),
        owner: String::new(),
        permissions: std::iter::empty().collect(),
        max_lifetime: None,
        system: false,
        revision,
        create_time: now(),
        update_time: now(),
        updated_by: "admin".to_owned(),
    }
}

fn token(name: &str, revision: u64) -> Token {
    Token {
        uid: TokenUid::new(now()),
        registry: "prod".parse().unwrap(),
        name: name.parse().unwrap(),
        scope_map: "scope-one".parse().unwrap(),
        status: Status::Enabled,
        description: String::new(),
        owner: String::new(),
        expire_time: None,
        passwords: Vec::new(),
        federated_credentials: Vec::new(),
        revision,
        create_time: now(),
        update_time: now(),
        updated_by: "admin".to_owned(),
    }
}

async fn replace(store: &Store, after: &Definitions) -> Result<Appended, Error> {
    store.replace_definitions(after.clone(), "admin".to_owned(), now(), seal()).await
}

fn changes(store: &Store, revision: u64) -> u64 {
    let sql = format!("SELECT count(*) FROM policy_change WHERE revision = {revision}");
    sqlite(store)
        .inner
        .connection
        .lock()
        .query_row(&sql, [], |row| row.get::<_, u32>(0))
        .unwrap()
        .into()
}

#[tokio::test]
async fn every_revision_of_the_definitions_can_be_read_back() {
    let (_folder, store) = store().await;
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
        assert_eq!(replace(&store, &next).await.unwrap().policy_revision, step);
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
    assert_eq!([1, 2, 3, 4].map(|revision| changes(&store, revision)), [3, 1, 1, 1]);
}

#[tokio::test]
async fn what_the_caller_forgot_to_number_is_written_all_the_same() {
    let (_folder, store) = store().await;
    let mut next = Definitions {
        revision: 1,
        scope_maps: vec![scope_map("scope-one", "a", 1)],
        tokens: vec![],
    };
    replace(&store, &next).await.unwrap();
    next.revision = 2;
    next.scope_maps[0].description = "b".to_owned();
    replace(&store, &next).await.unwrap();
    assert_eq!(store.definitions().await.unwrap().scope_maps[0].description, "b");
}

#[tokio::test]
async fn a_change_on_an_old_revision_is_stale_and_leaves_no_event() {
    let (_folder, store) = store().await;
    let first = Definitions { revision: 1, ..Definitions::default() };
    replace(&store, &first).await.unwrap();
    for revision in [0, 1, 3, u64::MAX] {
        let after = Definitions { revision, ..Definitions::default() };
        assert!(matches!(replace(&store, &after).await, Err(Error::Stale)), "{revision}");
    }
    assert_eq!(store.policy_revision().await.unwrap(), 1);
    assert_eq!(store.journal_reader(Chain::default()).unwrap().head().unwrap().sequence, 1);
}

#[tokio::test]
async fn promise_4_a_revocation_counts_as_a_revision_until_it_ends() {
    let (_folder, store) = store().await;
    let id = AccessTokenId::new(now());
    let end = now() + jiff::SignedDuration::from_mins(5);
    let appended = store.revoke(id, end, seal()).await.unwrap();
    assert_eq!(appended.policy_revision, 1);
    assert_eq!(store.revocations(now()).await.unwrap(), [(id, end)]);
    assert_eq!(store.revocations(end).await.unwrap(), []);
    let mut writer = store.journal().unwrap();
    assert_eq!(writer.append(seal()).unwrap().policy_revision, 1, "a journal's append sees it");
    let after = Definitions { revision: 2, ..Definitions::default() };
    replace(&store, &after).await.unwrap();
    assert_eq!(store.definitions_at(1).await.unwrap().revision, 1);
}

#[tokio::test]
async fn promise_8_changes_work_on_a_full_disk_and_the_journal_does_not_take_their_room() {
    let (_folder, store) = store().await;
    let mut writer = store.journal().unwrap();
    store.fill_disk();
    while writer.append(seal()).is_ok() {}
    assert!(matches!(writer.append(seal()), Err(Error::Full)));
    let id = AccessTokenId::new(now());
    store.revoke(id, now() + jiff::SignedDuration::from_mins(5), seal()).await.unwrap();
    let scope_maps =
        (0..50).map(|number| scope_map(&format!("map-{number}"), &"x".repeat(500), 2)).collect();
    replace(&store, &Definitions { revision: 2, scope_maps, tokens: vec![] }).await.unwrap();
    assert!(sqlite(&store).inner.files.reserve.exists(), "made again");
    store.empty_disk();
    writer.append(seal()).unwrap();
}

#[tokio::test]
async fn files_are_for_their_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("new/data");
    let store = Store::open(&Config::default(), &data_dir).await.unwrap();
    store.search_index(Chain::default()).unwrap();
    store.journal().unwrap().append(seal()).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data_dir), 0o700);
    let files: Vec<_> =
        std::fs::read_dir(&data_dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() >= 4, "{files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[tokio::test]
async fn a_wrong_url_and_a_file_that_is_no_database_are_named() {
    let folder = tempfile::tempdir().unwrap();
    for url in ["dockpass.db", "sqlite:", "postgres://host/db"] {
        let config = Config { url: Url::new(url), ..Config::default() };
        let error = Store::open(&config, folder.path()).await.unwrap_err().to_string();
        assert!(error.contains(&format!("`{url}`")) && error.contains("sqlite:FILE"), "{error}");
    }
    std::fs::write(folder.path().join("dockpass.db"), [0x55; 4096]).unwrap();
    let error = Store::open(&Config::default(), folder.path()).await.unwrap_err();
    assert!(matches!(&error, Error::Config(text) if text.contains("dockpass.db")), "{error}");
}

#[tokio::test]
async fn promise_1_commits_are_synchronous() {
    let (_folder, store) = store().await;
    let synchronous = |connection: &Connection| {
        connection.query_row("PRAGMA synchronous", [], |row| row.get::<_, u8>(0)).unwrap()
    };
    let mode = |connection: &Connection| {
        connection.query_row("PRAGMA journal_mode", [], |row| row.get::<_, String>(0)).unwrap()
    };
    let connection = sqlite(&store).inner.connection.lock();
    assert_eq!((synchronous(&connection), mode(&connection).as_str()), (2, "wal"));
    drop(connection);
    // 2 is FULL
    assert_eq!(
        synchronous(&Writer::open(Arc::clone(&sqlite(&store).inner)).unwrap().connection),
        2
    );
}

#[tokio::test]
async fn promise_3_a_file_in_the_place_of_the_database_is_not_opened() {
    let (_folder, store) = store().await;
    let mut writer = store.journal().unwrap();
    writer.append(seal()).unwrap();
    let file = store.database_file();
    let away = file.with_extension("away");
    std::fs::rename(&file, &away).unwrap();
    std::fs::write(&file, "").unwrap();
    // SQLite deletes the WAL beside an empty file: whoever opened it would lose what is only there
    assert!(matches!(store.journal_reader(Chain::default()), Err(Error::Unavailable(_))));
    assert!(matches!(store.journal(), Err(Error::Unavailable(_))));
    assert!(matches!(writer.append(seal()), Err(Error::Unavailable(_))));
    std::fs::rename(&away, &file).unwrap();
    writer.append(seal()).unwrap();
    assert_eq!(store.journal_reader(Chain::default()).unwrap().head().unwrap().sequence, 2);
}

#[tokio::test]
async fn promise_3_a_wal_without_its_database_is_not_deleted() {
    let (folder, store) = store().await;
    store.journal().unwrap().append(seal()).unwrap();
    let file = store.database_file();
    std::fs::rename(&file, file.with_extension("away")).unwrap();
    for make in [|_: &Path| {}, |file: &Path| std::fs::write(file, "").unwrap()] {
        make(&file);
        let error = Store::open(&Config::default(), folder.path()).await.unwrap_err().to_string();
        assert!(
            error.contains("dockpass.db-wal") && error.contains("put the file back"),
            "{error}"
        );
    }
    std::fs::rename(file.with_extension("away"), &file).unwrap();
    let again = Store::open(&Config::default(), folder.path()).await.unwrap();
    assert_eq!(again.journal_reader(Chain::default()).unwrap().head().unwrap().sequence, 1);
}

#[tokio::test]
async fn a_change_writes_only_what_differs_and_can_be_taken_back() {
    let (_folder, store) = store().await;
    let before = Definitions {
        revision: 1,
        scope_maps: vec![scope_map("scope-one", "a", 1), scope_map("scope-two", "b", 1)],
        tokens: vec![token("writer", 1)],
    };
    replace(&store, &before).await.unwrap();
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
    assert_eq!(changes(&store, 2), 2, "one of the three is as before");
    let present = store.definitions().await.unwrap();
    assert_eq!(present.scope_maps[1].description, "changed");
    assert!(present.tokens.is_empty());
    assert_eq!(store.changes_since(1).await.unwrap().definitions, two[1..]);
    assert_eq!(store.definitions_at(1).await.unwrap(), before);
}

/// Puts so many tokens and large scope maps there.
pub(super) async fn definitions_of(store: &Store, count: usize) {
    let name = |number: usize| format!("name-{number:04}");
    let large = "x".repeat(600 << 10);
    let definitions = Definitions {
        revision: 1,
        scope_maps: (0..count.min(3)).map(|n| scope_map(&name(n), &large, 1)).collect(),
        tokens: (0..count).rev().map(|n| token(&name(n), 1)).collect(),
    };
    replace(store, &definitions).await.unwrap();
}

#[tokio::test]
async fn the_wal_begins_anew_however_busy_the_journal_is() {
    let (_folder, store) = store().await;
    let mut writer = store.journal().unwrap();
    let wal = store.database_file().with_extension("db-wal");
    // the header counts how often it began
    let begun = || std::fs::read(&wal).unwrap()[12..16].to_vec();
    writer.append(seal()).unwrap();
    let first = begun();
    let mut count = 1;
    while begun() == first {
        writer.append(seal()).unwrap();
        count += 1;
    }
    assert_eq!(store.journal_reader(Chain::default()).unwrap().head().unwrap().sequence, count);
}
