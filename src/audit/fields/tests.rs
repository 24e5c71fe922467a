//! Whatever event is written, serde reads the same one back.

use std::time::Duration;

use proptest::option;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::model::{
    AccessTokenId, Action, ActionSet, Lifetime, PasswordSlot, Permission, TokenUid,
};

fn row(event: &Event) -> JournalRow {
    let Fields { id, time, body, claims } = Fields::of(event);
    JournalRow { sequence: 1, id, time, salt: [0; 16], body, claims, hash: [0; 32] }
}

fn time() -> impl Strategy<Value = Timestamp> {
    any::<i64>().prop_map(|time| Timestamp::from_nanosecond(time.into()).unwrap())
}

fn permissions() -> impl Strategy<Value = Permissions> {
    let actions = prop::sample::subsequence(Action::ALL.to_vec(), 0..=Action::ALL.len());
    let permission =
        ("[a-z0-9]{1,8}(/[a-z0-9]{1,8}){0,3}", actions).prop_map(|(name, actions)| Permission {
            repository: name.parse().unwrap(),
            actions: actions.into_iter().collect::<ActionSet>(),
        });
    prop::collection::vec(permission, 0..4).prop_map(Permissions::from)
}

fn request() -> impl Strategy<Value = RequestRecord> {
    let lifetime = (60..1_000_000_u64)
        .prop_map(|seconds| Lifetime::new(Duration::from_secs(seconds)).unwrap());
    let token_name = "[A-Za-z0-9-]{5,50}".prop_map(|name| name.parse().unwrap());
    (permissions(), option::of(lifetime), option::of(token_name), any::<[bool; 2]>()).prop_map(
        |(permissions, lifetime, token_name, [with_bearer_token, fresh])| RequestRecord {
            registry: "local".parse().unwrap(),
            permissions,
            lifetime,
            token_name,
            with_bearer_token,
            fresh,
        },
    )
}

fn credential() -> impl Strategy<Value = CredentialRef> {
    prop_oneof![
        Just(CredentialRef::Anonymous),
        ("[A-Za-z0-9_-]{1,64}", any::<u64>()).prop_map(|(name, revision)| {
            CredentialRef::Federated { name: name.parse().unwrap(), revision }
        }),
        any::<u64>().prop_map(|generation| CredentialRef::Password {
            slot: PasswordSlot::Password2,
            generation
        }),
    ]
}

fn grant() -> impl Strategy<Value = Grant> {
    (any::<[u8; 16]>(), credential(), permissions(), time(), any::<bool>()).prop_map(
        |(id, credential, permissions, expire_time, reused)| Grant {
            access_token: AccessTokenId::from_bytes(id),
            token: TokenUid::from_bytes(id),
            token_name: "nginx-ci".parse().unwrap(),
            scope_map: "_repositories_pull".parse().unwrap(),
            credential,
            permissions,
            expire_time,
            reused,
        },
    )
}

prop_compose! {
    fn event()(
        id in any::<[u8; 16]>(),
        time in time(),
        texts in any::<[Option<String>; 4]>(),
        reason in option::of(prop::sample::select(Reason::ALL)),
        request in option::of(request()),
        grant in option::of(grant()),
        supersedes in option::of(any::<[u8; 16]>()),
        numbers in any::<[Option<u64>; 2]>(),
    ) -> Event {
        let [detail, peer, trace, subject] = texts;
        let object = subject.map(|subject| json!({ "sub": subject, "n": 9_007_199_254_740_993_i64 }));
        Event {
            reason,
            detail,
            peer,
            trace,
            identity: object.as_ref().and_then(JsonObject::of),
            claims: object.as_ref().and_then(Value::as_object).map(Claims::of),
            supersedes: supersedes.map(DecisionId::from_bytes),
            request,
            policy_revision: numbers[0],
            grant,
            change: object,
            count: numbers[1],
            ..Event::new(DecisionId::from_bytes(id), time, Kind::Exchange)
        }
    }
}

proptest! {
    #[test]
    fn an_event_is_read_back_as_it_was_written(event in event()) {
        let row = row(&event);
        prop_assert_eq!(event_of(&row).unwrap(), event);
    }
}

#[test]
fn who_called_is_apart_from_what_everybody_may_see() {
    let peer = Some("192.0.2.7".to_owned());
    let identity = JsonObject::of(&json!({"kind": "anonymous"}));
    let event = Event::new(DecisionId::from_bytes([1; 16]), Timestamp::UNIX_EPOCH, Kind::Check);
    let row = row(&Event { peer, identity, ..event });
    assert_eq!(row.body.open(), r#"{"kind":"check"}"#);
    assert_eq!(row.body.personal(), r#"{"identity":{"kind":"anonymous"},"peer":"192.0.2.7"}"#);
}
