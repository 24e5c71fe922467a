//! Uses that a registry reported, and what allowed them.

use super::*;

pub(super) fn scope_map(number: u8) -> ScopeMapName {
    ["servers", "everything"][usize::from(number % 2)].parse().unwrap()
}

pub(super) fn credential(number: u8) -> CredentialRef {
    match number % 3 {
        0 => CredentialRef::Anonymous,
        1 => CredentialRef::Federated { name: "main".parse().unwrap(), revision: number.into() },
        _ => CredentialRef::Password { slot: PasswordSlot::Password2, generation: 7 },
    }
}

/// A use that a registry reported.
pub(super) fn reported(event: Event, facts: [u8; 4], access_token: AccessTokenId) -> Event {
    let [who, what, how, _] = facts;
    let by = (how % 2 == 0).then(|| By {
        decision: event.id,
        token: TokenUid::from_bytes([1; 16]),
        token_name: format!("token-{}", how % 5).parse().unwrap(),
        scope_map: scope_map(who),
        credential: credential(what),
    });
    let usage = Use {
        registry: "prod".parse().unwrap(),
        repository: format!("app-{}", what % 6).parse().unwrap(),
        from_repository: None,
        tag: None,
        digest: None,
        media_type: None,
        size: None,
        time: event.time,
        request_id: None,
        user_agent: None,
        access_token: (who % 3 > 0).then_some(access_token),
        bypass: by.is_none().then_some(Bypass::Unknown),
        by,
    };
    Event { kind: Kind::RegistryPush, reason: None, usage: Some(usage), ..event }
}
