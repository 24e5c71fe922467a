//! Find, list, prune.

use super::super::key::SigningKey;
use super::super::trail::{Item, Trail};
use super::super::verify::Entry;
use super::*;
use crate::model::{AccessTokenId, CredentialRef, Permissions, TokenUid};

on_both_engines! {
    a_decision_is_found_at_once_and_as_it_was_recorded
    a_list_holds_what_fits
    a_prune_takes_the_old_and_the_rest_verifies
    a_prune_never_goes_past_the_last_checkpoint
    a_journal_verifies_while_it_is_written
    g5_an_access_token_is_found_by_whoever_was_given_it_also_when_its_own_mint_was_refused
    what_is_pruned_while_it_is_read_is_not_taken_for_damage
    what_is_signed_while_it_is_read_is_left_out
}

async fn a_decision_is_found_at_once_and_as_it_was_recorded(fixture: Fixture) {
    let journal = fixture.journal().await;
    let event = fixture.event(2);
    journal.append(event.clone()).await.unwrap();
    assert_eq!(journal.find(event.id).await.unwrap(), Some(event));
    assert_eq!(journal.find(DecisionId::new(fixture.clock.now())).await.unwrap(), None);
}

/// The events of a whole list, read in pages of two.
fn all(archive: &Archive, filter: &Filter) -> Vec<u64> {
    let (mut found, mut before) = (Vec::new(), None);
    loop {
        let page = archive.list(filter, before.as_ref(), 2).unwrap();
        assert!(page.events.len() <= 2);
        found.extend(page.events.iter().map(|one| one.sequence));
        before = page.next;
        if before.is_none() {
            return found;
        }
    }
}

async fn a_list_holds_what_fits(fixture: Fixture) {
    let fixture = fixture.filled(9).await;
    let time = |number: usize| Some(fixture.rows()[number].time);
    let filters = [
        (Filter::default(), vec![9, 8, 7, 6, 5, 4, 3, 2, 1]),
        (Filter { since: time(3), until: time(6), ..Filter::default() }, vec![6, 5, 4]),
        (Filter { kind: Some(Kind::Check), ..Filter::default() }, vec![]),
        (Filter { outcome: Some(Outcome::Refused), ..Filter::default() }, vec![9, 6, 3]),
        (Filter { outcome: Some(Outcome::Allowed), ..Filter::default() }, vec![8, 7, 5, 4, 2, 1]),
        (
            Filter { outcome: Some(Outcome::Because(Reason::AccessDenied)), ..Filter::default() },
            vec![9, 6, 3],
        ),
        (
            Filter {
                registry: Some("prod".parse().unwrap()),
                kind: Some(Kind::Issue),
                ..Filter::default()
            },
            vec![9, 8, 7, 6, 5, 4, 3, 2, 1],
        ),
        (Filter { registry: Some("other".parse().unwrap()), ..Filter::default() }, vec![]),
        (
            Filter { repository: Some("servers/app-1".parse().unwrap()), ..Filter::default() },
            vec![8, 5, 2],
        ),
        (Filter { token: Some("writer-0".parse().unwrap()), ..Filter::default() }, vec![7, 4, 1]),
        (
            Filter { subject: Some("repo:acme/app-2".to_owned()), ..Filter::default() },
            vec![9, 6, 3],
        ),
        (
            Filter {
                issuer: Some("https://ci.example".to_owned()),
                since: time(7),
                ..Filter::default()
            },
            vec![9, 8],
        ),
    ];
    for (filter, expected) in &filters {
        assert_eq!(all(&fixture.archive(), filter), *expected, "{filter:?}");
    }
}

async fn a_prune_takes_the_old_and_the_rest_verifies(fixture: Fixture) {
    let fixture = fixture.filled(9).await;
    let outside = export(&fixture.archive(), Disclosure::Full).pop().unwrap();
    let outside: Value = serde_json::from_str(&outside).unwrap();
    let outside: Checkpoint = serde_json::from_value(outside["checkpoint"].clone()).unwrap();
    let before = fixture.rows()[7].time;
    let pruned = fixture
        .archive()
        .prune(before, "admin", &fixture.key_file(), &fixture.clock)
        .await
        .unwrap();
    // app-1 (event 8) and app-2 (event 9) are still referred to; PostgreSQL keeps claims by blocks of events
    let claims = u64::from(fixture.world.is_embedded());
    assert_eq!(pruned, Pruned { events: 7, claims, start: 7.into() });
    let report = fixture.archive().verify(Some(&outside)).unwrap();
    let chain = only(&report);
    assert_eq!((chain.start, report.events, chain.last, chain.covered), (7, 3, 10, 9));
    let lines = export(&fixture.archive(), Disclosure::Full);
    assert_eq!(verify_lines(&lines, Some(&outside)).unwrap(), report);
    let list = fixture.archive().list(&Filter::default(), None, 100).unwrap().events;
    assert_eq!(list.iter().map(|one| one.sequence).collect::<Vec<_>>(), [10, 9, 8]);
    assert_eq!(list[0].event.kind, Kind::Prune);
    assert_eq!(list[0].event.change.as_ref().unwrap()["actor"], "admin");
}

#[tokio::test]
async fn promise_2_events_cut_off_at_the_start_are_not_a_prune() {
    let fixture = Fixture::with_events(6).await;
    fixture
        .archive()
        .prune(fixture.rows()[2].time, "admin", &fixture.key_file(), &fixture.clock)
        .await
        .unwrap();
    fixture.tamper("DELETE FROM audit_journal WHERE sequence = 3");
    assert_eq!(damage(fixture.archive().verify(None)), (3, Damage::Dropped));
    fixture.tamper("UPDATE audit_pruned SET sequence = 3, hash = (SELECT randomblob(32))");
    assert_eq!(damage(fixture.archive().verify(None)), (3, Damage::Forged));
    fixture.tamper("DELETE FROM audit_pruned");
    assert_eq!(damage(fixture.archive().verify(None)), (1, Damage::Dropped));
}

async fn a_prune_never_goes_past_the_last_checkpoint(fixture: Fixture) {
    let fixture = fixture.filled(4).await;
    fixture.store.record(Journal::seal(fixture.event(0))).await.unwrap();
    let archive = fixture.archive();
    let key_file = fixture.key_file();
    let prune = || archive.prune(far(), "admin", &key_file, &fixture.clock);
    assert_eq!(prune().await.unwrap().start, 4.into());
    assert_eq!(prune().await.unwrap().events, 0);
    assert_eq!(only(&archive.verify(None).unwrap()).last, 7);
}

#[tokio::test]
async fn claims_that_were_pruned_are_stored_again_when_they_come_back() {
    let fixture = Fixture::new().await;
    let journal = fixture.journal().await;
    journal.append(fixture.event(0)).await.unwrap();
    journal.close().await;
    let journal = fixture.journal().await;
    journal.append(fixture.event(1)).await.unwrap();
    // another process prunes the claims that this journal's thread remembers
    fixture.tamper("DELETE FROM audit_claims; UPDATE state SET claims_epoch = claims_epoch + 1");
    let again = fixture.event(1);
    journal.append(again.clone()).await.unwrap();
    assert_eq!(journal.find(again.id).await.unwrap().unwrap().claims, again.claims);
}

async fn a_journal_verifies_while_it_is_written(fixture: Fixture) {
    let journal = fixture.journal().await;
    let archive = fixture.archive();
    let verifying = tokio::task::spawn_blocking(move || {
        // until it has seen a checkpoint, which is written after the thousandth event
        loop {
            let report = archive.verify(None).unwrap();
            if report.checkpoints > 0 {
                return report;
            }
        }
    });
    while !verifying.is_finished() {
        let appends = (0..=255).map(|number| journal.append(fixture.event(number)));
        for result in futures_util::future::join_all(appends).await {
            result.unwrap();
        }
    }
    assert!(only(&verifying.await.unwrap()).covered >= 1000);
    journal.close().await;
}

async fn g5_an_access_token_is_found_by_whoever_was_given_it_also_when_its_own_mint_was_refused(
    fixture: Fixture,
) {
    let journal = fixture.journal().await;
    let refused = Event { reason: Some(Reason::DeadlineExceeded), ..fixture.event(0) };
    let id = AccessTokenId::from(refused.id);
    journal.append(refused).await.unwrap();
    assert_eq!(journal.grant_of(id).await.unwrap(), None);
    let grant = Grant {
        access_token: id,
        token: TokenUid::new(fixture.clock.now()),
        token_name: "writer-0".parse().unwrap(),
        scope_map: "servers-push".parse().unwrap(),
        credential: CredentialRef::Anonymous,
        permissions: Permissions::default(),
        expire_time: far(),
        reused: true,
    };
    let given = Event { grant: Some(grant), ..fixture.event(0) };
    journal.append(given.clone()).await.unwrap();
    let found = journal.grant_of(id).await.unwrap().unwrap();
    assert_eq!((found.id, found.grant), (given.id, given.grant));
    assert_eq!(journal.grant_of(AccessTokenId::new(far())).await.unwrap(), None);
    journal.close().await;
}

async fn what_is_pruned_while_it_is_read_is_not_taken_for_damage(fixture: Fixture) {
    let fixture = fixture.filled(6).await;
    let archive = fixture.archive();
    let mut trail = Trail::open(&archive).unwrap();
    assert!(matches!(trail.next(), Some(Ok(Item::Start(..)))));
    archive.prune(far(), "admin", &fixture.key_file(), &fixture.clock).await.unwrap();
    let problem = trail.next().unwrap().err().unwrap().to_string();
    assert!(problem.contains("up to 6 were pruned while"), "{problem}");
    assert_eq!(only(&archive.verify(None).unwrap()).start, 6);
}

async fn what_is_signed_while_it_is_read_is_left_out(fixture: Fixture) {
    let fixture = fixture.filled(3).await;
    for number in 3..5 {
        fixture.store.record(Journal::seal(fixture.event(number))).await.unwrap();
    }
    let archive = fixture.archive();
    let mut trail = Trail::open(&archive).unwrap();
    // where it starts, the events and the checkpoint of the third
    let mut items: Vec<_> = trail.by_ref().take(7).collect();
    let heads = [(Chain::default(), fixture.rows()[3].head())];
    let key = SigningKey::open(&fixture.key_file()).unwrap();
    let late = Checkpoint::sign(Statement::Checkpoint, fixture.clock.now(), heads, &key);
    fixture.store.journal().unwrap().add_checkpoint(4, &late.to_json()).unwrap();
    items.extend(trail);
    let entries = items.into_iter().map(|item| item.map(Entry::from));
    let report = verify(entries, None).unwrap();
    assert_eq!((report.events, report.checkpoints, only(&report).covered), (5, 1, 3));
    let report = archive.verify(None).unwrap();
    assert_eq!((report.events, report.checkpoints, only(&report).covered), (5, 2, 4));
}
