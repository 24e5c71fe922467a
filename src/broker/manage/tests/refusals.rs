//! Each refusal has its reason word, and an event that says what was asked.

use crate::audit::Kind;
use crate::broker::manage::for_test::{
    ISSUER, Office, local_user, new_map, new_token, permissions, the_token,
};
use crate::broker::manage::{
    AddFederatedCredential, DeletePassword, DeleteScopeMap, DeleteToken, Edit, Expiry,
    GeneratePassword, NewCredential, Optional, PermissionsUpdate, RemoveFederatedCredential, Tied,
    UpdateScopeMap, UpdateToken,
};
use crate::model::{PasswordSlot, Reason};

/// Makes a change that is refused: with a reason, a word of its text, and an event that names the method.
async fn refused<E: Edit>(office: &Office, edit: E, reason: Reason, word: &str) {
    let method = edit.target().method;
    let before = office.store().await.definitions().await.unwrap();
    let Err(refusal) = office.change(local_user(), edit).await else {
        panic!("{method} is not refused")
    };
    let text = match &refusal.error {
        crate::broker::Error::InvalidRequest(violations) => format!("{violations:?}"),
        error => error.to_string(),
    };
    assert_eq!(refusal.error.reason(), reason, "{method}: {text}");
    assert!(text.contains(word), "{method}: {text}");
    let event = office.broker.journal.find(refusal.decision_id).await.unwrap().unwrap();
    assert_eq!((event.kind, event.reason), (Kind::PolicyChange, Some(reason)));
    let change = event.change.unwrap();
    assert_eq!(change["method"], method);
    assert!(change["asked"].is_object(), "{change}");
    assert!(event.policy_revision.is_some_and(|revision| revision <= before.revision), "{change}");
    assert_eq!(office.store().await.definitions().await.unwrap(), before);
}

fn update(name: &str, update: PermissionsUpdate) -> UpdateScopeMap {
    UpdateScopeMap {
        registry: "local".parse().unwrap(),
        name: name.parse().unwrap(),
        etag: None,
        description: None,
        owner: None,
        permissions: update,
        max_lifetime: Optional::Keep,
    }
}

fn delete(name: &str, tied: Tied) -> DeleteScopeMap {
    let registry = "local".parse().unwrap();
    DeleteScopeMap { registry, name: name.parse().unwrap(), etag: None, tied }
}

fn credential(name: &str, subject: &str) -> NewCredential {
    NewCredential {
        name: name.parse().unwrap(),
        issuer: ISSUER.parse().unwrap(),
        subject: Some(crate::model::SubjectRule(subject.parse().unwrap())),
        claims: Vec::new(),
        max_lifetime: None,
        bind_to_identity_expiry: false,
    }
}

async fn office() -> Office {
    let office = Office::open().await;
    office.by_editor(new_map("servers", &[("servers/*", "pull")])).await;
    office.by_editor(new_token("nginx-ci", "servers")).await;
    office
}

#[tokio::test]
async fn scope_maps_that_are_not_there_or_there_already() {
    let office = office().await;
    let keep = || PermissionsUpdate::Keep;
    refused(&office, update("missing", keep()), Reason::NotFound, "`missing`").await;
    refused(&office, delete("missing", Tied::Refuse), Reason::NotFound, "`missing`").await;
    refused(&office, new_map("servers", &[("a", "pull")]), Reason::AlreadyExists, "`servers`")
        .await;
    let mut elsewhere = new_map("servers", &[("a", "pull")]);
    elsewhere.registry = "nowhere".parse().unwrap();
    refused(&office, elsewhere, Reason::NotFound, "no registry `nowhere`").await;
    let mut elsewhere = update("servers", keep());
    elsewhere.registry = "other".parse().unwrap();
    refused(&office, elsewhere, Reason::NotFound, "registry `other` has no scope map").await;
}

#[tokio::test]
async fn scope_maps_that_do_not_compile_or_are_too_large() {
    let office = office().await;
    refused(&office, new_map("empty", &[]), Reason::InvalidRequest, "no permissions").await;
    let kept = new_map("_repositories_mine", &[("a", "pull")]);
    refused(&office, kept, Reason::InvalidRequest, "kept for the scope maps of the system").await;
    let nothing = PermissionsUpdate::Adjust {
        add: permissions(&[]),
        remove: permissions(&[("servers/*", "pull")]),
    };
    refused(&office, update("servers", nothing), Reason::InvalidRequest, "no permissions").await;
    let both = permissions(&[("servers/*", "pull,metadata/read")]);
    let both = PermissionsUpdate::Adjust { add: both.clone(), remove: both };
    refused(&office, update("servers", both), Reason::InvalidRequest, "added and removed").await;
    let names: Vec<String> = (0..10_001).map(|n| format!("r{n}")).collect();
    let many: Vec<_> = names.iter().map(|name| (name.as_str(), "pull")).collect();
    refused(&office, new_map("large", &many), Reason::LimitReached, "10001 actions").await;
    let mut wordy = new_map("wordy", &[("a", "pull")]);
    wordy.description = "ä".repeat(257);
    refused(&office, wordy.clone(), Reason::LimitReached, "257 characters").await;
    wordy.description = "ä".repeat(256);
    office.by_editor(wordy).await;
}

#[tokio::test]
async fn the_scope_maps_of_the_system_are_read_only() {
    let office = office().await;
    for name in ["_repositories_pull", "_repositories_admin"] {
        let keep = update(name, PermissionsUpdate::Keep);
        refused(&office, keep, Reason::ReadOnly, "nobody can change it").await;
        refused(&office, delete(name, Tied::Disable), Reason::ReadOnly, "nobody can").await;
        refused(&office, new_map(name, &[("a", "pull")]), Reason::AlreadyExists, name).await;
    }
}

#[tokio::test]
async fn a_scope_map_in_use_is_refused_with_the_names_of_its_tokens() {
    let office = office().await;
    office.by_editor(new_token("second", "servers")).await;
    let both = "the tokens `nginx-ci`, `second`:";
    refused(&office, delete("servers", Tied::Refuse), Reason::InUse, both).await;
    for number in 0..60 {
        office.by_editor(new_token(&format!("token-{number}"), "servers")).await;
    }
    refused(&office, delete("servers", Tied::Refuse), Reason::InUse, "and 12 more").await;
}

#[tokio::test]
async fn the_event_of_a_refused_change_has_what_was_there_before() {
    let office = office().await;
    let there = office.scope_map("servers").await;
    let refusal = office.change(local_user(), delete("servers", Tied::Refuse)).await.unwrap_err();
    let event = office.broker.journal.find(refusal.decision_id).await.unwrap().unwrap();
    let change = event.change.unwrap();
    assert_eq!(change["before"]["revision"], there.revision, "{change}");
    assert!(change["before"]["permissions"].get("servers/*").is_some(), "{change}");

    let (token, slot) = (the_token("nginx-ci"), PasswordSlot::Password1);
    let expiry = Expiry::After(std::time::Duration::from_hours(24));
    office.by_editor(GeneratePassword { token: token.clone(), slot, expiry }).await;
    let past = UpdateToken { expire_time: Optional::Set(office.now()), ..UpdateToken::none(token) };
    let refusal = office.change(local_user(), past).await.unwrap_err();
    let event = office.broker.journal.find(refusal.decision_id).await.unwrap().unwrap();
    let password = event.change.unwrap()["before"]["passwords"][0].clone();
    assert!(password["slot"].is_string() && password.get("hash").is_none(), "{password}");
}

#[tokio::test]
async fn tokens_that_cannot_be() {
    let office = office().await;
    let token = || the_token("nginx-ci");
    refused(&office, new_token("nginx-ci", "servers"), Reason::AlreadyExists, "`nginx-ci`").await;
    refused(&office, new_token("second", "missing"), Reason::InvalidRequest, "`missing`").await;
    refused(&office, DeleteToken { token: the_token("second") }, Reason::NotFound, "`second`")
        .await;
    let repoint =
        UpdateToken { scope_map: Some("missing".parse().unwrap()), ..UpdateToken::none(token()) };
    refused(&office, repoint, Reason::InvalidRequest, "`missing`").await;
    let past =
        UpdateToken { expire_time: Optional::Set(office.now()), ..UpdateToken::none(token()) };
    refused(&office, past, Reason::InvalidRequest, "is over already").await;
}

#[tokio::test]
async fn credentials_that_cannot_be() {
    let office = office().await;
    let token = || the_token("nginx-ci");
    let slot = PasswordSlot::Password1;
    let password = |expiry| GeneratePassword { token: token(), slot, expiry };
    let now = office.now();
    refused(&office, password(Expiry::At(now)), Reason::InvalidRequest, "over already").await;
    let nothing = password(Expiry::After(std::time::Duration::ZERO));
    refused(&office, nothing, Reason::InvalidRequest, "longer than nothing").await;
    let for_ever = password(Expiry::After(std::time::Duration::MAX));
    refused(&office, for_ever, Reason::InvalidRequest, "after the year 9999").await;
    refused(&office, DeletePassword { token: token(), slot }, Reason::NotFound, "password1").await;
    let add = |credential| AddFederatedCredential { token: token(), credential };
    refused(&office, add(credential("ci", "*")), Reason::InvalidRequest, "open to everybody").await;
    let mut stranger = credential("ci", "job");
    stranger.issuer = "https://stranger.example".parse().unwrap();
    refused(&office, add(stranger), Reason::InvalidRequest, "is not configured").await;
    office.by_editor(add(credential("ci", "job"))).await;
    refused(&office, add(credential("ci", "other")), Reason::AlreadyExists, "`ci`").await;
    let remove = RemoveFederatedCredential { token: token(), name: "main".parse().unwrap() };
    refused(&office, remove, Reason::NotFound, "`main`").await;
    for number in 1..50 {
        office.by_editor(add(credential(&format!("ci-{number}"), "job"))).await;
    }
    refused(&office, add(credential("one-more", "job")), Reason::LimitReached, "at most 50").await;
}
