//! The front: which proof is accepted where.
#![expect(clippy::string_slice, reason = "tokens and secrets are ASCII")]

use std::sync::Arc;

use jiff::SignedDuration;

use super::*;
use crate::model::{
    Clock as _, CredentialRef, ManualClock, PasswordSecret, PasswordSlot, RegistryUid, TokenUid,
};
use crate::seal::{Ceiling, KeyRing};

struct Front {
    verifiers: Verifiers,
    passwords: PasswordIndex,
    clock: ManualClock,
    ring: Arc<KeyRing>,
}

impl Front {
    fn new() -> Self {
        let clock = ManualClock::at("2026-09-01T12:00:00Z".parse().unwrap());
        let ring = Arc::new(KeyRing::ephemeral().unwrap());
        let verifiers =
            Verifiers::build(Vec::new(), Arc::clone(&ring), Arc::new(clock.clone())).unwrap();
        let entry = PasswordEntry {
            registry: "local".parse().unwrap(),
            token: TokenUid::new(clock.now()),
            token_name: "nginx-ci".parse().unwrap(),
            slot: PasswordSlot::Password1,
            generation: 3,
            expire_time: Some("2026-09-02T12:00:00Z".parse().unwrap()),
        };
        let passwords = PasswordIndex([(secret().hash(), entry)].into_iter().collect());
        Self { verifiers, passwords, clock, ring }
    }

    fn sealed(&self) -> String {
        let session = Session {
            id: crate::model::AccessTokenId::new(self.clock.now()),
            registry: RegistryUid([7; 16]),
            token: TokenUid::new(self.clock.now()),
            credential: CredentialRef::Anonymous,
            holder: "nobody".to_owned(),
            ceiling: Ceiling::ScopeMap,
            expire_time: self.clock.now(),
        };
        session.seal(&self.ring).unwrap().expose().to_owned()
    }

    async fn caller(&self, presented: &Presented) -> Result<Identity, Error> {
        self.verifiers.verify_caller(presented, &self.passwords).await
    }

    async fn docker(&self, presented: &Presented) -> Result<Identity, Error> {
        self.verifiers.verify_docker_client(presented, &self.passwords).await
    }
}

fn secret() -> PasswordSecret {
    PasswordSecret::from_random(&[7; 32])
}

fn basic(username: &str, password: &str) -> Presented {
    Presented::Basic { username: username.to_owned(), password: Secret::new(password) }
}

fn bearer(text: &str) -> Presented {
    Presented::Bearer(Bearer::new(Secret::new(text)))
}

fn check(result: Result<Identity, Error>) -> Check {
    match result {
        Err(Error::Invalid { check, .. }) => check,
        other => panic!("not a failed check: {other:?}"),
    }
}

#[tokio::test]
async fn a_password_with_its_tokens_name_is_an_identity_at_both_doors() {
    let front = Front::new();
    let presented = basic("nginx-ci", secret().expose());
    for identity in [front.caller(&presented).await, front.docker(&presented).await] {
        match identity.unwrap().evidence() {
            Evidence::Password { token_name, credential, .. } => {
                assert_eq!(token_name.as_str(), "nginx-ci");
                let slot = PasswordSlot::Password1;
                assert_eq!(credential, CredentialRef::Password { slot, generation: 3 });
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_password_with_another_name_unknown_or_expired_is_refused() {
    let front = Front::new();
    for name in ["", "nginx-CI", "other-ci", "nginx-ci ", "oidc"] {
        assert_eq!(check(front.caller(&basic(name, secret().expose())).await), Check::Username);
    }
    let unknown = PasswordSecret::from_random(&[8; 32]);
    assert_eq!(
        check(front.docker(&basic("nginx-ci", unknown.expose())).await),
        Check::PasswordUnknown
    );
    front.clock.advance(SignedDuration::from_hours(24));
    let expired = front.docker(&basic("nginx-ci", secret().expose())).await;
    assert_eq!(check(expired), Check::PasswordExpired);
}

#[tokio::test]
async fn a_session_is_an_identity_at_the_docker_endpoint_also_when_it_has_ended() {
    let front = Front::new();
    let sealed = front.sealed();
    front.clock.advance(SignedDuration::from_hours(1));
    for presented in [basic("whoever", &sealed), bearer(&sealed)] {
        let identity = front.docker(&presented).await.unwrap();
        assert!(matches!(identity.evidence(), Evidence::Session { .. }));
    }
}

#[tokio::test]
async fn a11_a_session_is_no_identity_at_the_apis() {
    let front = Front::new();
    let sealed = front.sealed();
    for presented in [basic("nginx-ci", &sealed), bearer(&sealed)] {
        assert_eq!(check(front.caller(&presented).await), Check::SessionMisplaced);
    }
}

#[tokio::test]
async fn a11_a_password_is_no_bearer_token() {
    let front = Front::new();
    let presented = bearer(secret().expose());
    assert_eq!(check(front.caller(&presented).await), Check::PasswordMisplaced);
    assert_eq!(check(front.docker(&presented).await), Check::PasswordMisplaced);
}

#[tokio::test]
async fn a11_an_identity_token_is_no_password_at_the_apis() {
    let front = Front::new();
    let token = "eyJhbGciOiJSUzI1NiJ9.e30.AAAA";
    assert_eq!(check(front.caller(&basic("oidc", token)).await), Check::PasswordMalformed);
    // at the docker endpoint it is looked at, and is nobody's here
    assert_eq!(check(front.docker(&basic("oidc", token)).await), Check::UnknownIssuer);
}

#[tokio::test]
async fn a11_the_jwt_of_a_registry_is_no_identity() {
    let front = Front::new();
    // its issuer is the broker's own name there, which is no configured issuer
    let claims = r#"{"iss":"dockpass","sub":"id","aud":"localhost:5000","access":[]}"#;
    let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let encode = |text: &str| Engine::encode(&engine, text);
    let token =
        format!("{}.{}.{}", encode(r#"{"alg":"ES256","typ":"JWT"}"#), encode(claims), encode("s"));
    assert_eq!(check(front.caller(&bearer(&token)).await), Check::UnknownIssuer);
    assert_eq!(check(front.docker(&bearer(&token)).await), Check::UnknownIssuer);
    let with_chain = token.replacen(
        &encode(r#"{"alg":"ES256","typ":"JWT"}"#),
        &encode(r#"{"alg":"ES256","x5c":[]}"#),
        1,
    );
    assert_eq!(check(front.docker(&bearer(&with_chain)).await), Check::Header);
}

#[tokio::test]
async fn a12_cut_changed_and_padded_secrets_are_refused() {
    let front = Front::new();
    let (password, session) = (secret().expose().to_owned(), front.sealed());
    for text in [password, session] {
        for changed in [
            text[..text.len() - 1].to_owned(),
            text[1..].to_owned(),
            text[..4].to_owned(),
            format!("{text}="),
            format!("{text}\n"),
            format!(" {text}"),
            text.to_uppercase(),
            format!("{}{}", &text[..text.len() - 1], if text.ends_with('0') { '1' } else { '0' }),
        ] {
            assert!(front.docker(&basic("nginx-ci", &changed)).await.is_err(), "{changed:?}");
        }
    }
}

#[tokio::test]
async fn a12_a_session_of_another_key_ring_is_refused() {
    let (front, other) = (Front::new(), Front::new());
    assert_eq!(check(front.docker(&bearer(&other.sealed())).await), Check::SessionSeal);
}

#[tokio::test]
async fn nothing_is_missing_and_rubbish_is_invalid() {
    let front = Front::new();
    assert!(matches!(front.caller(&Presented::Nothing).await, Err(Error::Missing)));
    assert!(matches!(front.docker(&Presented::Nothing).await, Err(Error::Missing)));
    for text in ["", "x", "hunter2", "Bearer x", "dpk", "dps"] {
        assert!(front.caller(&bearer(text)).await.is_err());
        assert!(front.docker(&bearer(text)).await.is_err());
        assert!(front.caller(&basic("", text)).await.is_err());
        assert!(front.docker(&basic("", text)).await.is_err());
    }
    assert!(matches!(front.verifiers.anonymous().evidence(), Evidence::Anonymous));
}

#[tokio::test]
async fn nothing_secret_is_in_errors_or_debug() {
    let front = Front::new();
    let canary = format!("{}canary", secret().expose());
    for presented in [basic("nginx-ci", &canary), bearer(&canary), bearer("canary.canary.canary")] {
        let error = front.docker(&presented).await.unwrap_err();
        let printed = format!("{error} {error:?} {presented:?}");
        assert!(!printed.contains("canary"), "{printed}");
    }
}
