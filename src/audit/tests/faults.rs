//! Promises 1 and 3: durable before the answer; when it cannot be written, nothing is handed out, and all recovers by itself.

use super::*;

on_both_engines! {
    promise_1_an_answer_comes_after_the_commit
    promise_1_an_event_whose_caller_hung_up_is_recorded
    promise_3_a_closed_journal_refuses
    many_at_once_share_commits_and_all_are_recorded
    a_panic_does_not_end_the_journal
    a_journal_that_is_only_dropped_still_writes_what_is_queued
}

async fn promise_1_an_answer_comes_after_the_commit(fixture: Fixture) {
    let journal = fixture.journal().await;
    for number in 0..50 {
        let event = fixture.event(number);
        journal.append(event.clone()).await.unwrap();
        // another connection sees only what was committed
        let last =
            fixture.store.journal_reader(Chain::default()).unwrap().before(u64::MAX, 1).unwrap();
        assert_eq!(last[0].id, event.id);
    }
}

async fn promise_1_an_event_whose_caller_hung_up_is_recorded(fixture: Fixture) {
    let journal = fixture.journal().await;
    let event = fixture.event(0);
    let mut append = Box::pin(journal.append(event.clone()));
    assert!(futures_util::poll!(append.as_mut()).is_pending());
    drop(append);
    journal.close().await;
    assert_eq!(fixture.rows()[0].id, event.id);
}

async fn fails_then_recovers(journal: &Journal, fixture: &Fixture, mend: impl FnOnce()) {
    let error = journal.append(fixture.event(0)).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
    assert!(!journal.is_writable());
    assert!(journal.append(fixture.event(1)).await.is_err());
    mend();
    journal.until(WriteState::Writable).await;
    assert!(journal.is_writable());
    journal.append(fixture.event(2)).await.unwrap();
    journal.close().await;
    // what was refused is not there, and the chain has no gap
    let report = only(&fixture.archive().verify(None).unwrap());
    assert_eq!(report.last, u64::try_from(fixture.rows().len()).unwrap());
    assert_eq!(report.covered, report.last);
}

#[tokio::test]
async fn promise_3_a_full_disk_stops_the_journal_until_there_is_room() {
    let fixture = Fixture::new().await;
    let journal = fixture.journal().await;
    fixture.store.fill_disk();
    // what fits into the last page may still be written
    while journal.append(fixture.event(0)).await.is_ok() {}
    fails_then_recovers(&journal, &fixture, || fixture.store.empty_disk()).await;
}

#[tokio::test]
async fn promise_3_a_database_that_hangs_stops_the_journal_until_it_is_free() {
    let fixture = Fixture::new().await;
    let journal = fixture.journal().await;
    let other = rusqlite::Connection::open(fixture.store.database_file()).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    fails_then_recovers(&journal, &fixture, || other.execute_batch("ROLLBACK").unwrap()).await;
}

#[tokio::test]
async fn promise_3_a_database_that_was_moved_away_stops_the_journal_until_it_is_back() {
    let fixture = Fixture::new().await;
    let journal = fixture.journal().await;
    let file = fixture.store.database_file();
    let away = file.with_extension("away");
    std::fs::rename(&file, &away).unwrap();
    // another file under its name is not taken for it
    std::fs::write(&file, "").unwrap();
    fails_then_recovers(&journal, &fixture, || std::fs::rename(&away, &file).unwrap()).await;
}

async fn promise_3_a_closed_journal_refuses(fixture: Fixture) {
    let journal = fixture.journal().await;
    journal.close().await;
    journal.close().await;
    let error = journal.append(fixture.event(0)).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
}

#[tokio::test]
async fn promise_8_more_than_the_queue_holds_is_shed() {
    let fixture = Fixture::new().await;
    let journal = Journal::start_with(
        &fixture.store,
        &fixture.key_file(),
        Arc::new(fixture.clock.clone()),
        4,
    )
    .await
    .unwrap();
    let other = rusqlite::Connection::open(fixture.store.database_file()).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    // the thread takes at most one batch, the queue holds four more
    let appends = (0..=255).map(|number| journal.append(fixture.event(number)));
    let results = futures_util::future::join_all(appends).await;
    assert!(results.iter().any(|result| matches!(result, Err(Error::Overloaded))));
    assert!(results.iter().all(Result::is_err));
}

async fn many_at_once_share_commits_and_all_are_recorded(fixture: Fixture) {
    let journal = fixture.journal().await;
    let appends = (0..=255).map(|number| journal.append(fixture.event(number)));
    for result in futures_util::future::join_all(appends).await {
        result.unwrap();
    }
    journal.close().await;
    assert_eq!(only(&fixture.archive().verify(None).unwrap()).covered, 256);
}

#[tokio::test]
async fn promise_8_a_prune_works_on_a_full_disk() {
    let fixture = Fixture::with_events(40).await;
    fixture.store.fill_disk();
    let pruned =
        fixture.archive().prune(far(), "admin", &fixture.key_file(), &fixture.clock).await.unwrap();
    assert_eq!(pruned.events, 40);
    assert_eq!(only(&fixture.archive().verify(None).unwrap()).last, 41);
}

#[tokio::test]
async fn a_prune_that_fails_half_way_records_what_it_deleted_and_the_next_one_goes_on() {
    let fixture = Fixture::new().await;
    let journal = fixture.journal().await;
    let appends = (0..=255).cycle().take(600).map(|number| journal.append(fixture.event(number)));
    for result in futures_util::future::join_all(appends).await {
        result.unwrap();
    }
    journal.close().await;
    // the first piece of 500 goes, and the second one not
    fixture.tamper(
        "CREATE TRIGGER jam BEFORE DELETE ON audit_journal WHEN old.sequence = 550 BEGIN SELECT RAISE(ABORT, 'jammed'); END",
    );
    let (archive, key_file) = (fixture.archive(), fixture.key_file());
    let error = archive.prune(far(), "admin", &key_file, &fixture.clock).await.unwrap_err();
    assert!(error.to_string().contains("jammed"), "{error}");
    let newest = archive.list(&Filter::default(), None, 1).unwrap().events.remove(0);
    assert_eq!((newest.sequence, newest.event.kind), (601, Kind::Prune));
    let change = newest.event.change.unwrap();
    assert_eq!((&change["events"], &change["start"]), (&json!(500), &json!(500)));
    assert_eq!(only(&archive.verify(None).unwrap()).start, 500);

    fixture.tamper("DROP TRIGGER jam");
    let pruned = archive.prune(far(), "admin", &key_file, &fixture.clock).await.unwrap();
    assert_eq!((pruned.events, pruned.claims, pruned.start), (100, 3, Places::from(600)));
    assert_eq!(only(&archive.verify(None).unwrap()).last, 602);
}

/// A clock that panics when it is asked for the first time.
#[derive(Debug)]
struct PanickingClock {
    asked: tokio::sync::watch::Sender<bool>,
    clock: ManualClock,
}

impl Clock for PanickingClock {
    fn now(&self) -> Timestamp {
        assert!(self.asked.send_replace(true), "the clock is broken");
        self.clock.now()
    }
}

async fn a_panic_does_not_end_the_journal(fixture: Fixture) {
    let asked = tokio::sync::watch::Sender::new(false);
    let mut panicked = asked.subscribe();
    let clock = PanickingClock { asked, clock: fixture.clock.clone() };
    let journal =
        Journal::start(&fixture.store, &fixture.key_file(), Arc::new(clock)).await.unwrap();
    // a checkpoint is due after 1000 events, and asks for the time
    for _ in 0..4 {
        let appends = (0..=255).map(|number| journal.append(fixture.event(number)));
        for result in futures_util::future::join_all(appends).await {
            result.unwrap();
        }
    }
    panicked.wait_for(|asked| *asked).await.unwrap();
    journal.until(WriteState::Writable).await;
    journal.close().await;
    assert_eq!(only(&fixture.archive().verify(None).unwrap()).covered, 1024);
}

async fn a_journal_that_is_only_dropped_still_writes_what_is_queued(fixture: Fixture) {
    let journal = fixture.journal().await;
    let event = fixture.event(0);
    let mut append = Box::pin(journal.append(event.clone()));
    assert!(futures_util::poll!(append.as_mut()).is_pending());
    drop(append);
    let thread = journal.inner.committer.lock().take().unwrap();
    drop(journal);
    thread.join().unwrap();
    assert_eq!(only(&fixture.archive().verify(None).unwrap()).covered, 1);
}

#[test]
fn a_kind_has_one_word() {
    for kind in [
        Kind::Check,
        Kind::Exchange,
        Kind::Issue,
        Kind::PolicyChange,
        Kind::Refusals,
        Kind::Revoke,
        Kind::Prune,
        Kind::Start,
        Kind::Stop,
    ] {
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
    }
}
