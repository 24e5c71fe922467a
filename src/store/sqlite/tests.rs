//! Tests of what only an embedded store does.

use std::os::unix::fs::PermissionsExt;

use rusqlite::Connection;
use tempfile::TempDir;

use super::*;
use crate::model::AccessTokenId;
use crate::store::tests::sample::{now, replace, scope_map, seal};
use crate::store::{Config, Progress, Store, Url};

pub(super) async fn store() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&Config::default(), folder.path()).await.unwrap();
    (folder, store)
}

pub(super) fn sqlite(store: &Store) -> &Sqlite {
    store.engine.embedded().unwrap()
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
    for url in ["dockpass.db", "sqlite:", "mysql://host/db"] {
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

#[tokio::test]
async fn an_index_file_without_progress_or_of_another_version_is_made_anew() {
    for change in ["DELETE FROM progress", "PRAGMA user_version = 1"] {
        let (_folder, store) = store().await;
        let mut index = store.search_index(Chain::default()).unwrap();
        let segment = SearchIndex::next_segment(Progress::default(), 1, 600).unwrap();
        let witness = ChainHead { sequence: 512, hash: [1; 32] };
        index.add(Progress::default(), segment, witness).unwrap();
        Connection::open(store.index_file()).unwrap().execute_batch(change).unwrap();
        let again = store.search_index(Chain::default()).unwrap();
        assert_eq!(again.state().unwrap().0, Progress::default(), "{change}");
    }
}
