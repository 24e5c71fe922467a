use proptest::prelude::*;

use super::*;
use crate::model::{ActionSet, PasswordSecret, PasswordSlot, Permission};

fn now() -> Timestamp {
    "2026-08-01T12:00:00.123456789Z".parse().unwrap()
}

fn permissions(count: usize, name: impl Fn(usize) -> String) -> Permissions {
    let permission =
        |n| Permission { repository: name(n).parse().unwrap(), actions: ActionSet::PUSH };
    (0..count).map(permission).collect()
}

fn session(ceiling: Ceiling) -> Session {
    Session {
        id: AccessTokenId::new(now()),
        registry: RegistryUid([3; 16]),
        token: TokenUid::new(now()),
        credential: CredentialRef::Federated { name: "main-branch".parse().unwrap(), revision: 12 },
        holder: "https://token.actions.githubusercontent.com repo:acme/web:ref:refs/heads/main"
            .into(),
        ceiling,
        expire_time: now(),
    }
}

#[test]
fn what_was_sealed_opens_as_it_was() {
    let ring = KeyRing::ephemeral().unwrap();
    let credentials = [
        CredentialRef::Anonymous,
        CredentialRef::Password { slot: PasswordSlot::Password2, generation: u64::MAX },
        session(Ceiling::ScopeMap).credential,
    ];
    let mixed = Permissions::from_iter([
        Permission { repository: "a/b".parse().unwrap(), actions: ActionSet::PULL },
        Permission {
            repository: "c".parse().unwrap(),
            actions: ActionSet::parse(["content/delete", "metadata/write"]).unwrap(),
        },
    ]);
    for credential in credentials {
        for ceiling in [Ceiling::ScopeMap, Ceiling::Permissions(mixed.clone())] {
            let session = Session { credential: credential.clone(), ..session(ceiling) };
            let text = session.seal(&ring).unwrap();
            assert!(text.expose().starts_with("dps_"));
            assert_eq!(Session::open(text.expose(), &ring), Ok(session));
        }
    }
}

#[test]
fn a_session_for_no_repository_is_not_one_for_the_scope_map() {
    let ring = KeyRing::ephemeral().unwrap();
    let nothing = session(Ceiling::Permissions(Permissions::default()));
    let opened = Session::open(nothing.seal(&ring).unwrap().expose(), &ring).unwrap();
    assert_eq!(opened.ceiling, Ceiling::Permissions(Permissions::default()));
}

#[test]
fn a_hundred_short_repositories_fit_and_a_hundred_long_ones_are_refused() {
    let ring = KeyRing::ephemeral().unwrap();
    let short = permissions(100, |n| format!("servers/nginx-modules-{n}"));
    let text = session(Ceiling::Permissions(short)).seal(&ring).unwrap();
    assert!(text.expose().len() <= Session::MAX_LEN, "{}", text.expose().len());
    let long = permissions(100, |n| format!("{}/{n}", "a".repeat(200)));
    let refused = session(Ceiling::Permissions(long)).seal(&ring).unwrap_err();
    assert_eq!(refused, InvalidSession::TooLarge);
}

#[test]
fn nothing_in_a_session_can_be_read_outside() {
    let ring = KeyRing::ephemeral().unwrap();
    let text =
        session(Ceiling::Permissions(permissions(1, |_| "analytics/model".into()))).seal(&ring);
    let text = text.unwrap();
    let body = strip_checksum(Session::PREFIX, text.expose()).unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(body).unwrap();
    for word in [&b"analytics"[..], b"main-branch", b"acme"] {
        assert!(!bytes.windows(word.len()).any(|window| window == word));
    }
}

#[test]
fn g3_a_session_of_another_ring_does_not_open() {
    let text = session(Ceiling::ScopeMap).seal(&KeyRing::ephemeral().unwrap()).unwrap();
    let other = KeyRing::ephemeral().unwrap();
    assert_eq!(Session::open(text.expose(), &other), Err(InvalidSession::Seal));
}

#[test]
fn a11_what_the_ring_sealed_for_another_purpose_is_no_session() {
    let ring = KeyRing::ephemeral().unwrap();
    let plain = wire::encode(&session(Ceiling::ScopeMap)).unwrap();
    for context in [&b"cache"[..], b"", b"dockpass session 2"] {
        let sealed = ring.seal(context, &plain).unwrap();
        let text = checksummed(Session::PREFIX, &URL_SAFE_NO_PAD.encode(sealed));
        assert_eq!(Session::open(&text, &ring), Err(InvalidSession::Seal));
    }
}

#[test]
fn a11_a_password_or_a_jwt_is_no_session() {
    let ring = KeyRing::ephemeral().unwrap();
    let password = PasswordSecret::from_random(&[7; 32]);
    let body = strip_checksum(PasswordSecret::PREFIX, password.expose()).unwrap();
    let sealed = session(Ceiling::ScopeMap).seal(&ring).unwrap();
    let as_password = sealed.expose().replacen("dps_", "dpk_", 1);
    for text in [password.expose(), &as_password, "eyJhbGciOiJFUzI1NiJ9.e30.c2ln", "", "dps_"] {
        assert_eq!(Session::open(text, &ring), Err(InvalidSession::Malformed), "{text}");
    }
    let renamed = checksummed(Session::PREFIX, body);
    assert_eq!(Session::open(&renamed, &ring), Err(InvalidSession::Seal));
}

#[test]
fn a12_padded_extended_and_respelled_sessions_are_refused() {
    let ring = KeyRing::ephemeral().unwrap();
    let sealed = session(Ceiling::ScopeMap).seal(&ring).unwrap();
    let text = sealed.expose();
    let body = strip_checksum(Session::PREFIX, text).unwrap();
    let again = |body: &str| checksummed(Session::PREFIX, body);
    for changed in [
        format!("{text}="),
        format!(" {text}"),
        format!("{text}\n"),
        text.to_uppercase(),
        again(&format!("{body}=")),
        again(&format!("{body}==")),
        again(&format!("{body}A")),
        again(&format!("{body}AAAA")),
        again(&format!("+{}", body.get(1..).unwrap())),
        again(body.get(..body.len() - 4).unwrap()),
        again(""),
    ] {
        assert!(Session::open(&changed, &ring).is_err(), "{changed}");
    }
    let long = again(&"A".repeat(1 << 20));
    assert_eq!(Session::open(&long, &ring), Err(InvalidSession::Malformed));
}

proptest! {
    #[test]
    fn a12_a_truncated_or_changed_session_is_refused(
        position in any::<prop::sample::Index>(),
        flip in 1_u8..,
        rechecked in any::<bool>(),
    ) {
        let ring = KeyRing::ephemeral().unwrap();
        let sealed = session(Ceiling::ScopeMap).seal(&ring).unwrap();
        let text = sealed.expose();
        prop_assert!(Session::open(text.get(..position.index(text.len())).unwrap(), &ring).is_err());
        // the checksum is no secret: an attacker makes it fit
        let body = strip_checksum(Session::PREFIX, text).unwrap();
        let mut bytes = if rechecked { URL_SAFE_NO_PAD.decode(body).unwrap() } else { text.into() };
        let position = position.index(bytes.len());
        bytes[position] ^= flip;
        let changed = if rechecked {
            Some(checksummed(Session::PREFIX, &URL_SAFE_NO_PAD.encode(bytes)))
        } else {
            String::from_utf8(bytes).ok()
        };
        prop_assert!(changed.is_none_or(|changed| Session::open(&changed, &ring).is_err()));
    }
}
