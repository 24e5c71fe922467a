//! The search index is only a copy: whatever happens to it, it is made anew.

use super::*;

fn rebuilt(fixture: &Fixture) {
    let archive = fixture.archive();
    archive.catch_up().unwrap();
    let progress = fixture.store.search_index().unwrap().progress().unwrap();
    assert_eq!(progress.sequence, 5);
    let wanted = fixture.rows()[2].id;
    assert_eq!(archive.find(wanted).unwrap().unwrap().sequence, 3);
    let index = fixture.store.search_index().unwrap();
    assert_eq!(index.find(wanted).unwrap(), Some(3));
}

#[tokio::test]
async fn a_damaged_index_is_made_anew() {
    let fixture = Fixture::with_events(5).await;
    let file = fixture.store.index_file();
    for suffix in ["-wal", "-shm"] {
        let mut name = file.clone().into_os_string();
        name.push(suffix);
        std::fs::remove_file(name).ok();
    }
    std::fs::write(&file, vec![0x55; 8192]).unwrap();
    rebuilt(&fixture);
}

#[tokio::test]
async fn the_index_of_another_journal_is_made_anew() {
    let fixture = Fixture::with_events(5).await;
    let index = rusqlite::Connection::open(fixture.store.index_file()).unwrap();
    index
        .execute_batch(
            "DELETE FROM event; INSERT OR REPLACE INTO progress VALUES (1, 5, randomblob(32))",
        )
        .unwrap();
    drop(index);
    rebuilt(&fixture);
}

#[tokio::test]
async fn an_index_that_is_behind_catches_up() {
    let fixture = Fixture::with_events(5).await;
    let hash = fixture.rows()[1].hash;
    let index = rusqlite::Connection::open(fixture.store.index_file()).unwrap();
    index.execute("INSERT OR REPLACE INTO progress VALUES (1, 2, ?)", [hash]).unwrap();
    index.execute("DELETE FROM event WHERE sequence > 2", []).unwrap();
    drop(index);
    rebuilt(&fixture);
}
