use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::audit::{Deed, Grant, RequestRecord};
use crate::model::{ActionSet, CredentialRef, Permission, TokenUid};

fn noon() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

fn local() -> RegistryName {
    "local".parse().unwrap()
}

/// The decision that gave an access token to push to `servers/nginx` until a quarter past twelve.
fn decision(id: AccessTokenId) -> Event {
    let permission =
        Permission { repository: "servers/nginx".parse().unwrap(), actions: ActionSet::PUSH };
    let permissions = crate::model::Permissions::from_iter([permission]);
    let mut event = Event::new(id.into(), noon(), Kind::Issue);
    event.request = Some(RequestRecord {
        registry: local(),
        permissions: permissions.clone(),
        lifetime: None,
        token_name: None,
        with_bearer_token: false,
        fresh: false,
    });
    event.grant = Some(Grant {
        access_token: id,
        token: TokenUid::new(noon()),
        token_name: "nginx-ci".parse().unwrap(),
        scope_map: "servers-push".parse().unwrap(),
        credential: CredentialRef::Anonymous,
        permissions,
        expire_time: noon() + SignedDuration::from_mins(15),
        reused: false,
    });
    event
}

fn report(deed: Deed, repository: &str, minutes: i64) -> Report {
    Report {
        id: None,
        deed,
        repository: repository.parse().unwrap(),
        from_repository: None,
        tag: None,
        digest: None,
        media_type: None,
        size: None,
        time: noon() + SignedDuration::from_mins(minutes),
        actor: None,
        client: None,
        request_id: None,
        user_agent: None,
    }
}

#[test]
fn a_decision_explains_what_it_gave_until_its_end_and_the_leeway_of_the_registry() {
    let id = AccessTokenId::new(noon());
    let event = decision(id);
    let explained = |deed, repository, minutes| {
        explain(&event, id, &local(), &report(deed, repository, minutes))
    };
    for (deed, minutes) in [(Deed::Push, 1), (Deed::Pull, 15), (Deed::Mount, 16)] {
        let by = explained(deed, "servers/nginx", minutes).unwrap();
        assert_eq!((by.decision, by.token_name.as_str()), (event.id, "nginx-ci"));
    }
    for (deed, repository, minutes, why) in [
        (Deed::Delete, "servers/nginx", 1, Bypass::NotGiven),
        (Deed::Push, "servers/apache", 1, Bypass::NotGiven),
        (Deed::Push, "servers/nginx", 17, Bypass::Ended),
    ] {
        assert_eq!(explained(deed, repository, minutes), Err(why), "{deed:?} {repository}");
    }
}

#[test]
fn a_decision_explains_nothing_of_another_registry_or_access_token() {
    let id = AccessTokenId::new(noon());
    let (event, push) = (decision(id), report(Deed::Push, "servers/nginx", 1));
    let other = "other".parse().unwrap();
    assert_eq!(explain(&event, id, &other, &push), Err(Bypass::OtherRegistry));
    let another = AccessTokenId::new(noon());
    assert_eq!(explain(&event, another, &local(), &push), Err(Bypass::Unknown));
    let refused = Event { grant: None, ..event };
    assert_eq!(explain(&refused, id, &local(), &push), Err(Bypass::Unknown));
}

#[test]
fn the_reason_that_says_most_is_told() {
    assert_eq!(nearer(Bypass::Unknown, Bypass::Ended), Bypass::Ended);
    assert_eq!(nearer(Bypass::Ended, Bypass::Unknown), Bypass::Ended);
}
