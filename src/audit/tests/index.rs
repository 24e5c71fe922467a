//! The search index is only a copy: whatever happens to it, it is made anew, and a search with it finds what a look at each event finds.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{RngAlgorithm, TestCaseError, TestRng, TestRunner};

use super::super::chain::Prepared;
use super::super::fields::Fields;
use super::*;
use crate::model::{
    AccessTokenId, CredentialRef, PasswordSlot, Permissions, ScopeMapName, TokenUid,
};
use crate::store::{Chain, ChainHead};

mod reported;

use self::reported::{credential, reported, scope_map};

on_both_engines! {
    a_search_finds_what_a_look_at_each_event_finds
    an_index_that_is_behind_catches_up
    what_was_pruned_is_not_found_and_the_rest_is
}

/// Adds events in one commit, none of them indexed yet.
fn append(fixture: &Fixture, events: &[Event]) {
    let seal = |mut head: ChainHead| {
        let mut rows = Vec::new();
        for event in events {
            let row = Prepared::new(Fields::of(event)).after(head);
            head = ChainHead { sequence: row.sequence, hash: row.hash };
            rows.push(row);
        }
        rows
    };
    fixture.store.journal().unwrap().append(Box::new(seal)).unwrap();
}

fn numbered(count: u32) -> Vec<Event> {
    let events = (0..count).map(|number| event([u8::try_from(number % 251).unwrap(); 4], number));
    events.collect()
}

/// An embedded store with events.
async fn with_numbered(count: u32) -> Fixture {
    let fixture = Fixture::new().await;
    append(&fixture, &numbered(count));
    fixture
}

/// An event of some kind, whose facts follow from four numbers.
fn event(facts: [u8; 4], number: u32) -> Event {
    let [who, what, how, late] = facts;
    let late = if late % 8 == 0 { i64::from(late) } else { 0 };
    let time = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(i64::from(number) + 300 - late);
    let kind = [Kind::Issue, Kind::Issue, Kind::Exchange, Kind::Revoke][usize::from(how % 4)];
    let id = |number: u32| (u128::from(number) << 64).to_be_bytes();
    let mut event = Event::new(DecisionId::from_bytes(id(number)), time, kind);
    event.reason =
        (how % 5 == 0).then_some([Reason::AccessDenied, Reason::RateLimited][usize::from(who % 2)]);
    event.identity = match who % 3 {
        0 => None,
        1 => JsonObject::of(
            &json!({"kind": "workload", "issuer": "https://ci.example", "subject": format!("job \"{}\"\n", who % 7)}),
        ),
        _ => JsonObject::of(
            &json!({"kind": "password", "registry": "prod", "tokenName": format!("token-{}", who % 5)}),
        ),
    };
    if kind == Kind::Revoke {
        event.change =
            Some(json!({"accessToken": AccessTokenId::from_bytes(id(number.saturating_sub(3)))}));
        return event;
    }
    if late % 3 == 1 {
        return reported(event, facts, AccessTokenId::from_bytes(id(number.saturating_sub(3))));
    }
    let permissions: Permissions = serde_json::from_value(json!(
        (0..what % 3).map(|one| json!({"repository": format!("app-{}", (what + one) % 6), "actions": ["pull"]})).collect::<Vec<_>>()
    ))
    .unwrap();
    event.request = Some(RequestRecord {
        registry: ["prod", "dev"][usize::from(what % 2)].parse().unwrap(),
        permissions: permissions.clone(),
        lifetime: None,
        token_name: (what % 4 == 0).then(|| "wanted".parse().unwrap()),
        with_bearer_token: false,
        fresh: false,
    });
    event.grant = event.reason.is_none().then(|| Grant {
        access_token: AccessTokenId::from_bytes(id(number - u32::from(how % 3).min(number))),
        token: TokenUid::from_bytes([1; 16]),
        token_name: format!("token-{}", how % 5).parse().unwrap(),
        scope_map: scope_map(who),
        credential: credential(what),
        permissions,
        expire_time: far(),
        reused: how % 3 > 0,
    });
    event
}

/// The same as the search's own, said with the whole event.
fn fits(filter: &Filter, event: &Event) -> bool {
    let identity =
        |name: &str| Some(event.identity.as_ref()?.members().get(name)?.as_str()?.to_owned());
    let request = event.request.as_ref();
    let usage = event.usage.as_ref();
    let by = usage.and_then(|usage| usage.by.as_ref());
    let granted = event.grant.as_ref().map(|grant| &grant.token_name);
    let token = granted.or_else(|| by.map(|by| &by.token_name)).map(ToString::to_string);
    let map =
        event.grant.as_ref().map(|grant| &grant.scope_map).or_else(|| by.map(|by| &by.scope_map));
    let credential = event.grant.as_ref().map(|grant| (grant.token, &grant.credential));
    let credential = credential
        .or_else(|| by.map(|by| (by.token, &by.credential)))
        .and_then(|(token, credential)| credential_key(token, credential));
    let wanted = request.and_then(|request| request.token_name.as_ref()).map(ToString::to_string);
    let registry = event.registry().map(str::to_owned);
    let given = event.grant.as_ref().map(|grant| grant.access_token);
    let given = given.or_else(|| usage.and_then(|usage| usage.access_token));
    let revoked =
        event.change.as_ref().and_then(|change| change["accessToken"].as_str()?.parse().ok());
    let has = |name| {
        request.is_some_and(|request| request.permissions.iter().any(|one| one.repository == name))
            || usage.is_some_and(|usage| usage.repository == name)
    };
    filter.since.is_none_or(|since| event.time >= since)
        && filter.until.is_none_or(|until| event.time < until)
        && filter.kind.is_none_or(|kind| event.kind == kind)
        && match filter.outcome {
            None => true,
            Some(Outcome::Allowed) => event.reason.is_none(),
            Some(Outcome::Refused) => event.reason.is_some(),
            Some(Outcome::Because(reason)) => event.reason == Some(reason),
            Some(Outcome::Bypass) => usage.is_some_and(|usage| usage.bypass.is_some()),
        }
        && filter
            .registry
            .as_ref()
            .is_none_or(|name| registry.or_else(|| identity("registry")) == Some(name.to_string()))
        && filter.repository.clone().is_none_or(has)
        && filter.token.as_ref().is_none_or(|name| {
            token.or(wanted).or_else(|| identity("tokenName")) == Some(name.to_string())
        })
        && filter.scope_map.as_ref().is_none_or(|name| map == Some(name))
        && filter.credential.is_none_or_eq(credential)
        && filter.issuer.is_none_or_eq(identity("issuer"))
        && filter.subject.is_none_or_eq(identity("subject"))
        && filter.access_token.is_none_or(|id| given.or(revoked) == Some(id))
}

trait Wanted {
    fn is_none_or_eq(&self, found: Option<String>) -> bool;
}

impl Wanted for Option<String> {
    fn is_none_or_eq(&self, found: Option<String>) -> bool {
        self.is_none() || *self == found
    }
}

fn filters() -> impl Strategy<Value = Filter> {
    let time = || {
        prop::option::weighted(0.2, 0..2_000_i64).prop_map(|time| {
            time.map(|time| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(time))
        })
    };
    let outcome = prop::option::of(prop_oneof![
        Just(Outcome::Allowed),
        Just(Outcome::Refused),
        Just(Outcome::Because(Reason::RateLimited)),
        Just(Outcome::Bypass),
    ]);
    let kind = prop::option::weighted(
        0.3,
        prop_oneof![
            Just(Kind::Issue),
            Just(Kind::Revoke),
            Just(Kind::RegistryPush),
            Just(Kind::Stop)
        ],
    );
    let name =
        |names: &'static [&'static str]| prop::option::weighted(0.2, prop::sample::select(names));
    let access_token = prop::option::weighted(0.1, 0..1_800_u64).prop_map(|number| {
        number.map(|number| AccessTokenId::from_bytes((u128::from(number) << 64).to_be_bytes()))
    });
    let names = (
        name(&["prod", "dev", "other"]),
        name(&["app-1", "app-2", "app-9"]),
        name(&["token-0", "token-4", "wanted"]),
        name(&["https://ci.example", "https://other.example"]),
        name(&["job \"1\"\n", "job \"4\"\n"]),
        name(&["servers", "everything", "other"]),
        prop::option::weighted(0.1, 0..4_u8),
    );
    (time(), time(), kind, outcome, names, access_token).prop_map(
        |(
            since,
            until,
            kind,
            outcome,
            (registry, repository, token, issuer, subject, scope_map, acted_by),
            access_token,
        )| Filter {
            since,
            until,
            kind,
            outcome,
            registry: registry.map(|name| name.parse().unwrap()),
            repository: repository.map(|name| name.parse().unwrap()),
            token: token.map(|name| name.parse().unwrap()),
            issuer: issuer.map(str::to_owned),
            subject: subject.map(str::to_owned),
            scope_map: scope_map.map(|name| name.parse().unwrap()),
            credential: acted_by
                .and_then(|kind| credential_key(TokenUid::from_bytes([1; 16]), &credential(kind))),
            access_token,
        },
    )
}

/// All places of a list, in pages.
fn list(archive: &Archive, filter: &Filter, page: u32) -> Vec<u64> {
    let (mut found, mut before) = (Vec::new(), None);
    loop {
        let page = archive.list(filter, before.as_ref(), page).unwrap();
        found.extend(page.events.iter().map(|one| one.sequence));
        before = page.next;
        if before.is_none() {
            return found;
        }
    }
}

async fn a_search_finds_what_a_look_at_each_event_finds(fixture: Fixture) {
    let mut runner = TestRunner::deterministic();
    let facts = prop::collection::vec(any::<[u8; 4]>(), 1_500..1_800);
    let facts = facts.new_tree(&mut runner).unwrap().current();
    let events: Vec<_> = (0..).zip(facts).map(|(number, facts)| event(facts, number)).collect();
    let (indexed, tail) = events.split_at(1_300);
    append(&fixture, indexed);
    let archive = fixture.archive();
    archive.catch_up().unwrap();
    append(&fixture, tail);
    assert_eq!(
        fixture.store.search_index(Chain::default()).unwrap().state().unwrap().0.place,
        1280
    );
    // a look into a database takes longer
    let (cases, pages) =
        if fixture.world.is_embedded() { (256, 1..400_u32) } else { (32, 50..400) };
    let config = ProptestConfig::with_cases(cases);
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let result = runner.run(&(filters(), pages), |(filter, page)| {
        let expected: Vec<u64> = (1..)
            .zip(&events)
            .filter(|(_, event)| fits(&filter, event))
            .map(|(sequence, _)| sequence)
            .collect();
        let mut found = list(&archive, &filter, page);
        found.reverse();
        (found == expected)
            .then_some(())
            .ok_or_else(|| TestCaseError::fail(format!("{filter:?}: {found:?}, not {expected:?}")))
    });
    result.unwrap();
    for (sequence, event) in (1..).zip(&events) {
        let found = archive.find(event.id).unwrap().unwrap();
        assert_eq!((found.sequence, &found.event), (sequence, event));
    }
    assert_eq!(archive.find(DecisionId::from_bytes([9; 16])).unwrap(), None);
}

/// That the index is whole again after something was done to it.
fn rebuilt(fixture: &Fixture) {
    let archive = fixture.archive();
    archive.catch_up().unwrap();
    let index = fixture.store.search_index(Chain::default()).unwrap();
    assert_eq!(index.state().unwrap().0.place, 512);
    for place in [0, 255, 256, 511, 512, 599] {
        let row = &fixture.rows()[place];
        assert_eq!(archive.find(row.id).unwrap().unwrap().sequence, row.sequence);
    }
    let filter = Filter { registry: Some("dev".parse().unwrap()), ..Filter::default() };
    let expected =
        (1..=600).rev().filter(|place| (place - 1) % 251 % 2 == 1 && (place - 1) % 251 % 4 != 3);
    assert_eq!(list(&archive, &filter, 50), expected.collect::<Vec<u64>>());
}

#[tokio::test]
async fn a_damaged_index_is_made_anew() {
    let fixture = with_numbered(600).await;
    let file = fixture.store.index_file();
    rebuilt(&fixture);
    for suffix in ["-wal", "-shm"] {
        let mut name = file.clone().into_os_string();
        name.push(suffix);
        // the last connection may have removed it
        std::fs::remove_file(name).ok();
    }
    std::fs::write(&file, vec![0x55; 8192]).unwrap();
    rebuilt(&fixture);
}

#[tokio::test]
async fn the_index_of_another_journal_is_made_anew() {
    let fixture = with_numbered(600).await;
    rebuilt(&fixture);
    let index = rusqlite::Connection::open(fixture.store.index_file()).unwrap();
    index.execute_batch("DELETE FROM chunk; UPDATE progress SET hash = randomblob(32)").unwrap();
    drop(index);
    rebuilt(&fixture);
}

async fn an_index_that_is_behind_catches_up(fixture: Fixture) {
    append(&fixture, &numbered(300));
    fixture.archive().catch_up().unwrap();
    let later = (300..600_u32)
        .map(|number| event([u8::try_from(number % 251).unwrap(); 4], number))
        .collect::<Vec<_>>();
    append(&fixture, &later);
    rebuilt(&fixture);
}

async fn what_was_pruned_is_not_found_and_the_rest_is(fixture: Fixture) {
    append(&fixture, &numbered(900));
    let archive = fixture.archive();
    archive.catch_up().unwrap();
    // a checkpoint of the last event lets a prune go that far
    fixture.journal().await.close().await;
    let rows = fixture.rows();
    archive
        .prune(
            rows[640].time - SignedDuration::from_secs(300),
            "admin",
            &fixture.key_file(),
            &fixture.clock,
        )
        .await
        .unwrap();
    let start = only(&archive.verify(None).unwrap()).start;
    assert!((200..640).contains(&start), "{start}");
    assert_eq!(archive.find(rows[usize::try_from(start).unwrap() - 1].id).unwrap(), None);
    assert_eq!(
        archive.find(rows[usize::try_from(start).unwrap()].id).unwrap().unwrap().sequence,
        start + 1
    );
    let kept: Vec<u64> = (start + 1..=901).rev().collect();
    assert_eq!(list(&archive, &Filter::default(), 70), kept);
    // the same from an index that begins after the prune
    fixture.store.search_index(Chain::default()).unwrap().reset().unwrap();
    archive.catch_up().unwrap();
    assert_eq!(list(&archive, &Filter::default(), 70), kept);
}

#[tokio::test]
async fn a_damaged_event_is_found_by_its_id_and_time() {
    let fixture = with_numbered(300).await;
    fixture.tamper("UPDATE audit_journal SET open = 'x' WHERE sequence = 7");
    let archive = fixture.archive();
    archive.catch_up().unwrap();
    let row = &fixture.rows()[6];
    let problem = archive.find(row.id).unwrap_err().to_string();
    assert!(problem.contains("event 7 is damaged"), "{problem}");
    let at = Filter {
        since: Some(row.time),
        until: Some(row.time + SignedDuration::from_nanos(1)),
        ..Filter::default()
    };
    assert!(archive.list(&at, None, 10).is_err());
    let others = Filter { kind: Some(Kind::Issue), ..Filter::default() };
    assert!(!list(&archive, &others, 10).contains(&7));
}
