use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};

use super::*;
use crate::model::{ActionSet, ManualClock, PasswordSecret, Permission};
use crate::registry::{KeyReference, KeysConfig};

fn now() -> Timestamp {
    "2026-08-01T12:00:00.7Z".parse().unwrap()
}

fn driver(key_reference: KeyReference) -> Distribution {
    let folder = tempfile::tempdir().unwrap();
    let keys = KeysConfig::for_test(folder.path(), 2);
    let config = Config { key_reference, ..Config::for_test() };
    let signer = match key_reference {
        KeyReference::Kid => Signer::kid(&keys),
        KeyReference::X5c => Signer::x5c(&keys, config.jwt_lifetime(), now()),
    };
    let deps = Dependencies::for_test(ManualClock::at(now()));
    Distribution { config, signer: signer.unwrap(), deps, signing: Arc::default() }
}

fn permissions(entries: &[(&str, &str)]) -> Permissions {
    let permission = |(repository, actions): &(&str, &str)| Permission {
        repository: repository.parse().unwrap(),
        actions: ActionSet::parse(actions.split(',')).unwrap(),
    };
    entries.iter().map(permission).collect()
}

fn permit(entries: &[(&str, &str)], seconds: u64, form: Form) -> Permit<'static> {
    let lifetime = Lifetime::new(Duration::from_secs(seconds)).unwrap();
    Permit::for_test(permissions(entries), now(), lifetime, form)
}

async fn issue(driver: &Distribution, permit: &Permit<'_>) -> Result<AccessToken, Error> {
    driver.issue(permit, AccessTokenId::new(now())).await
}

fn part(jwt: &Secret, number: usize) -> Value {
    let part = jwt.expose().split('.').nth(number).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[tokio::test]
async fn the_password_is_a_session_for_exactly_the_permit() {
    let driver = driver(KeyReference::X5c);
    let permit = permit(&[("servers/nginx", "push")], 900, Form::Password);
    let token = issue(&driver, &permit).await.unwrap();
    let session = Session::open(token.password().expose(), &driver.deps.ring).unwrap();
    let expected = Session {
        id: token.id(),
        registry: permit.registry_uid(),
        token: permit.token(),
        credential: permit.credential(),
        holder: permit.holder(),
        ceiling: Ceiling::Permissions(permit.permissions().clone()),
        expire_time: permit.expire_time(),
    };
    assert_eq!(session, expected);
    assert_eq!((token.username(), token.registry_host()), ("nginx-ci", "localhost:5000"));
    assert!(token.bearer_token().is_none(), "nobody asked for one");
    assert_eq!(crate::cache::Expires::expire_time(&token), permit.expire_time());
}

#[tokio::test]
async fn the_bearer_token_has_the_claims_that_every_registry_takes() {
    let driver = driver(KeyReference::Kid);
    let entries = [("servers/nginx", "push,metadata/read"), ("servers/base", "pull")];
    let permit = permit(&entries, 900, Form::PasswordAndBearer);
    let token = issue(&driver, &permit).await.unwrap();
    let mut claims = part(token.bearer_token().unwrap(), 1);
    let jti = claims.as_object_mut().unwrap().remove("jti").unwrap();
    assert_eq!(jti.as_str().unwrap().len(), 36);
    let second = now().as_second();
    let expected = json!({
        "iss": "dockpass",
        "sub": token.id().to_string(),
        "aud": "registry.test",
        "iat": second,
        "nbf": second,
        "exp": second + 300,
        "access": [
            {"type": "repository", "name": "servers/base", "actions": ["pull"]},
            {"type": "repository", "name": "servers/nginx", "actions": ["pull", "push"]},
        ],
    });
    assert_eq!(claims, expected);
}

#[tokio::test]
async fn the_jwt_of_kid_mode_is_signed_by_the_first_key_under_its_id() {
    let driver = driver(KeyReference::Kid);
    let Signer::Kid(keys) = &driver.signer else { panic!("kid mode") };
    let permit = permit(&[("servers/nginx", "pull")], 900, Form::Password);
    let token = driver.registry_token(&permit, AccessTokenId::new(now())).unwrap();
    let header = json!({"typ": "JWT", "alg": "ES256", "kid": keys[0].kid});
    assert_eq!(part(&token.jwt, 0), header);
    let mut validation = Validation::new(Algorithm::ES256);
    (validation.validate_exp, validation.validate_aud) = (false, false);
    let verified = |key: &Value| {
        let jwk: Jwk = serde_json::from_value(key.clone()).unwrap();
        let key = DecodingKey::from_jwk(&jwk).unwrap();
        jsonwebtoken::decode::<Value>(token.jwt.expose(), &key, &validation).is_ok()
    };
    assert!(verified(&keys[0].jwk) && !verified(&keys[1].jwk));
}

#[tokio::test]
async fn the_jwt_of_x5c_mode_carries_its_leaf_alone_and_names_no_key() {
    let driver = driver(KeyReference::X5c);
    let permit = permit(&[("servers/nginx", "pull")], 900, Form::Password);
    let token = driver.registry_token(&permit, AccessTokenId::new(now())).unwrap();
    let header = part(&token.jwt, 0);
    assert_eq!(header["x5c"].as_array().unwrap().len(), 1);
    assert_eq!(header.as_object().unwrap().keys().collect::<Vec<_>>(), ["alg", "typ", "x5c"]);
}

#[tokio::test]
async fn g1_with_a_bearer_token_all_of_it_ends_with_the_jwt() {
    let driver = driver(KeyReference::X5c);
    for (lifetime, expected) in [(900, 300), (300, 300), (299, 299), (60, 60)] {
        let permit = permit(&[("a", "pull")], lifetime, Form::PasswordAndBearer);
        let token = issue(&driver, &permit).await.unwrap();
        let end = Timestamp::from_second(now().as_second() + expected).unwrap();
        assert_eq!(token.expire_time, end);
        assert_eq!(part(token.bearer_token().unwrap(), 1)["exp"], end.as_second());
        let session = Session::open(token.password().expose(), &driver.deps.ring).unwrap();
        assert_eq!(session.expire_time, end);
        assert!(end <= permit.expire_time());
    }
}

#[tokio::test]
async fn what_the_registry_cannot_enforce_is_refused_with_a_hint_and_nothing_is_minted() {
    let driver = driver(KeyReference::X5c);
    for (actions, hint) in [
        ("content/write", "ask for push"),
        ("metadata/read", "ask for pull"),
        ("metadata/read,metadata/write", "leave it out"),
        ("push,metadata/write", "leave it out"),
    ] {
        let permit = permit(&[("a", "pull"), ("b", actions)], 900, Form::PasswordAndBearer);
        let error = issue(&driver, &permit).await.unwrap_err();
        let Error::NotEnforceable { hint: found } = error else { panic!("{actions}: {error}") };
        assert!(found.contains(hint) && found.contains("`b`"), "{found}");
        assert!(driver.enforceable(&permit).is_err());
    }
}

#[tokio::test]
async fn permissions_that_fit_into_no_session_are_refused() {
    let driver = driver(KeyReference::X5c);
    let names: Vec<_> = (0..100).map(|n| format!("{}/{n}", "a".repeat(200))).collect();
    let entries: Vec<_> = names.iter().map(|name| (name.as_str(), "pull")).collect();
    let error = issue(&driver, &permit(&entries, 900, Form::Password)).await.unwrap_err();
    assert!(matches!(&error, Error::NotEnforceable { hint } if hint.contains("fewer")), "{error}");
}

#[test]
fn f1_the_token_endpoint_leaves_out_what_cannot_be_enforced() {
    let driver = driver(KeyReference::X5c);
    let entries = [("a", "pull"), ("b", "content/write"), ("c", "push,metadata/write")];
    let permit = permit(&entries, 900, Form::Password);
    let token = driver.registry_token(&permit, AccessTokenId::new(now())).unwrap();
    assert_eq!(token.granted, permissions(&[("a", "pull"), ("c", "push")]));
    let access = part(&token.jwt, 1)["access"].clone();
    assert_eq!(access.as_array().unwrap().len(), 2);
}

#[test]
fn a_login_is_a_jwt_for_nothing() {
    let driver = driver(KeyReference::X5c);
    let token = driver.registry_token(&permit(&[], 900, Form::Password), AccessTokenId::new(now()));
    assert_eq!(part(&token.unwrap().jwt, 1)["access"], json!([]));
}

#[test]
fn f7_expires_in_is_between_a_minute_and_what_remains() {
    let driver = driver(KeyReference::X5c);
    for (lifetime, expected) in
        [(60, 60), (61, 61), (299, 299), (300, 300), (301, 300), (9000, 300)]
    {
        let permit = permit(&[("a", "pull")], lifetime, Form::Password);
        let token = driver.registry_token(&permit, AccessTokenId::new(now())).unwrap();
        assert_eq!(token.expires_in, expected);
        let end = token.issue_time + Duration::from_secs(token.expires_in);
        assert!(end <= permit.expire_time() && token.issue_time <= now());
        assert_eq!(part(&token.jwt, 1)["exp"], end.as_second());
    }
}

#[test]
fn a_refresh_token_follows_the_scope_map_and_ends_with_the_permit() {
    let driver = driver(KeyReference::X5c);
    let permit = permit(&[], 900, Form::Password);
    let id = AccessTokenId::new(now());
    let text = driver.refresh_token(&permit, id).unwrap();
    let session = Session::open(text.expose(), &driver.deps.ring).unwrap();
    assert_eq!((session.ceiling, session.id), (Ceiling::ScopeMap, id));
    assert_eq!(session.expire_time, permit.expire_time());
}

#[tokio::test]
async fn a11_a_registry_jwt_is_neither_a_session_nor_a_password() {
    let driver = driver(KeyReference::Kid);
    let permit = permit(&[("a", "pull")], 900, Form::PasswordAndBearer);
    let token = issue(&driver, &permit).await.unwrap();
    let jwt = token.bearer_token().unwrap().expose();
    assert!(Session::open(jwt, &driver.deps.ring).is_err());
    assert!(PasswordSecret::parse(jwt).is_none());
    assert!(PasswordSecret::parse(token.password().expose()).is_none());
}

#[tokio::test]
async fn neither_the_driver_nor_what_it_mints_prints_a_secret() {
    for mode in [KeyReference::Kid, KeyReference::X5c] {
        let driver = driver(mode);
        let permit = permit(&[("a", "pull")], 900, Form::PasswordAndBearer);
        let token = issue(&driver, &permit).await.unwrap();
        let printed = format!("{driver:?} {token:?}");
        assert!(!printed.contains("dps_") && !printed.contains("eyJ"), "{printed}");
        assert!(!printed.contains("PRIVATE"), "{printed}");
    }
}
