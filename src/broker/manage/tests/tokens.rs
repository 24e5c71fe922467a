//! Tokens and their credentials.

use std::time::Duration;

use jiff::SignedDuration;

use crate::broker::manage::for_test::{Office, new_map, new_token, the_token};
use crate::broker::manage::{
    DeletePassword, DeleteToken, Expiry, GeneratePassword, Optional, UpdateToken,
};
use crate::model::{PasswordSlot, Status};

async fn office() -> Office {
    let office = Office::open().await;
    office.by_editor(new_map("servers", &[("servers/*", "pull")])).await;
    office.by_editor(new_map("wider", &[("*", "push")])).await;
    office.by_editor(new_token("nginx-ci", "servers")).await;
    office
}

fn update() -> UpdateToken {
    UpdateToken::none(the_token("nginx-ci"))
}

fn password(slot: PasswordSlot, expiry: Expiry) -> GeneratePassword {
    GeneratePassword { token: the_token("nginx-ci"), slot, expiry }
}

#[tokio::test]
async fn re_pointing_never_enables() {
    let office = office().await;
    office.by_editor(UpdateToken { status: Some(Status::Disabled), ..update() }).await;
    for map in ["wider", "_repositories_admin", "servers"] {
        let repointed = UpdateToken { scope_map: Some(map.parse().unwrap()), ..update() };
        let token = office.by_editor(repointed).await;
        assert_eq!((token.scope_map.as_str(), token.status), (map, Status::Disabled));
    }
    let token = office.by_editor(UpdateToken { status: Some(Status::Enabled), ..update() }).await;
    assert_eq!((token.scope_map.as_str(), token.status), ("servers", Status::Enabled));
}

#[tokio::test]
async fn regenerating_one_password_leaves_the_other() {
    let office = office().await;
    let (one, two) = (PasswordSlot::Password1, PasswordSlot::Password2);
    let first = office.by_editor(password(two, Expiry::Never)).await;
    let second = office.by_editor(password(one, Expiry::After(Duration::from_hours(24)))).await;
    assert_eq!(second.token.passwords, [second.password.clone(), first.password.clone()]);
    let end = office.now() + SignedDuration::from_hours(24);
    assert_eq!(second.password.expire_time, Some(end));
    let third = office.by_editor(password(one, Expiry::Never)).await;
    assert_eq!(third.token.passwords, [third.password.clone(), first.password.clone()]);
    assert!(third.password.generation > second.password.generation);
    let in_force = office.broker.policies.in_force();
    let known = |secret: &crate::model::PasswordSecret| {
        in_force.snapshot.passwords().0.find(&secret.hash()).is_some()
    };
    assert!(known(&first.secret) && known(&third.secret) && !known(&second.secret));
    let deleted = DeletePassword { token: the_token("nginx-ci"), slot: two };
    assert_eq!(office.by_editor(deleted).await.passwords, [third.password]);
}

#[tokio::test]
async fn promise_9_no_event_of_a_password_has_its_secret_or_hash() {
    let office = office().await;
    let made = office.by_editor(password(PasswordSlot::Password1, Expiry::Never)).await;
    let printed = format!("{made:?}");
    for event in office.events(crate::audit::Kind::PolicyChange).await {
        let text = format!("{printed} {}", event.change.unwrap());
        let hash = String::from(made.secret.hash());
        assert!(!text.contains(made.secret.expose()) && !text.contains(&hash), "{text}");
    }
}

#[tokio::test]
async fn a_token_that_is_made_again_has_another_uid_and_no_credentials() {
    let office = office().await;
    let first = office.by_editor(password(PasswordSlot::Password1, Expiry::Never)).await.token;
    office.by_editor(DeleteToken { token: the_token("nginx-ci") }).await;
    let again = office.by_editor(new_token("nginx-ci", "servers")).await;
    assert_ne!(again.uid, first.uid);
    assert!(again.passwords.is_empty());
}

#[tokio::test]
async fn an_end_can_be_set_moved_and_taken_away() {
    let office = office().await;
    let end = office.now() + SignedDuration::from_mins(1);
    let token = office.by_editor(UpdateToken { expire_time: Optional::Set(end), ..update() }).await;
    assert_eq!(token.expire_time, Some(end));
    let owner = office.by_editor(UpdateToken { owner: Some("us".to_owned()), ..update() }).await;
    assert_eq!((owner.expire_time, owner.owner.as_str()), (Some(end), "us"));
    let token = office.by_editor(UpdateToken { expire_time: Optional::Clear, ..update() }).await;
    assert_eq!(token.expire_time, None);
}
