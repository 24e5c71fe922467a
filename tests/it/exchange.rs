//! The docker token endpoint: who gets a registry's JWT, in which form.

use reqwest::StatusCode;
use serde_json::json;

use crate::support::{SERVICE, Site, http, push};

const PULL: &str = "repository:servers/nginx:pull";
const PUSH: &str = "repository:servers/nginx:pull,push";
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

#[tokio::test]
async fn f1_whoever_asks_to_pull_gets_to_pull_and_no_more() {
    let site = Site::new().await;
    let password = site.password_of("field-vendor").await;
    let broker = site.start().await;
    let issued = broker.issue(&site.identity("job"), push("servers/nginx")).await.unwrap();
    for credentials in [
        ("field-vendor", password.as_str()),
        ("nginx-ci", issued.password.as_str()),
        ("oidc", &site.identity("job")),
        ("<token>", &site.identity("job")),
        ("nginx-ci", &site.identity("job")),
    ] {
        let answer = broker.login(Some(credentials), &[PULL], &[]).await;
        assert_eq!(answer.access(), ["servers/nginx:pull"], "{}", credentials.0);
    }
}

#[tokio::test]
async fn f7_f11_the_answer_lasts_for_whole_seconds_and_is_kept_by_no_cache() {
    let site = Site::new().await;
    let broker = site.start().await;
    let issued = broker.issue(&site.identity("job"), push("servers/nginx")).await.unwrap();
    let answer = broker.login(Some((&issued.username, &issued.password)), &[PUSH], &[]).await;
    let (jwt, life) = (answer.jwt(), answer.body["expires_in"].as_u64().unwrap());
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(answer.body["token"], answer.body["access_token"]);
    assert!((60..=300).contains(&life), "{life}");
    assert_eq!(jwt["aud"], SERVICE);
    assert_eq!(jwt["iss"], "dockpass-test");
    // when little remains of the session, the JWT ends with it
    site.clock.advance(jiff::SignedDuration::from_mins(13));
    let answer = broker.login(Some((&issued.username, &issued.password)), &[PUSH], &[]).await;
    assert!((60..=120).contains(&answer.body["expires_in"].as_u64().unwrap()), "{answer:?}");
}

#[tokio::test]
async fn f5_a_wrong_service_and_a_disagreeing_account_are_refused() {
    let site = Site::new().await;
    let password = site.password_of("field-vendor").await;
    let broker = site.start().await;
    let credentials = Some(("field-vendor", password.as_str()));
    let answer = broker.get(credentials, &[("service", "registry.example.com")]).await;
    site.refused_login(&answer, StatusCode::UNAUTHORIZED, "IDENTITY_INVALID");
    let answer = broker.login(credentials, &[PULL], &[("account", "nginx-ci")]).await;
    site.refused_login(&answer, StatusCode::BAD_REQUEST, "INVALID_REQUEST");
    let answer = broker.login(credentials, &[PULL], &[("account", "field-vendor")]).await;
    assert_eq!(answer.access(), ["servers/nginx:pull"]);
    // alone it is no identity
    let answer = broker.login(None, &[PULL], &[("account", "field-vendor")]).await;
    site.refused_login(&answer, StatusCode::UNAUTHORIZED, "IDENTITY_MISSING");
}

#[tokio::test]
async fn f6_a_wrong_password_is_a_401_and_never_an_empty_token() {
    let site = Site::new().await;
    let broker = site.start().await;
    for scopes in [&[][..], &[PULL]] {
        let answer = broker.login(Some(("field-vendor", "dpk_wrong")), scopes, &[]).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert!(answer.headers["www-authenticate"].to_str().unwrap().starts_with("Basic"));
        assert_eq!(answer.body.get("token"), None);
    }
}

#[tokio::test]
async fn a_form_with_a_password_is_answered_as_oauth_does() {
    let site = Site::new().await;
    let password = site.password_of("field-vendor").await;
    let broker = site.start().await;
    let form = [
        ("grant_type", "password"),
        ("service", SERVICE),
        ("client_id", "containerd-client"),
        ("scope", PULL),
        ("username", "field-vendor"),
    ];
    let answer = broker.post(&[&form[..], &[("password", &password)]].concat()).await;
    assert_eq!(answer.access(), ["servers/nginx:pull"]);
    assert_eq!(answer.body["scope"], PULL);
    assert_eq!(answer.body["token_type"], "Bearer");
    let answer = broker.post(&[&form[..], &[("password", "dpk_wrong")]].concat()).await;
    site.refused_login(&answer, StatusCode::UNAUTHORIZED, "IDENTITY_INVALID");
}

#[tokio::test]
async fn an_identity_token_is_exchanged_as_rfc_8693_says() {
    let site = Site::new().await;
    let broker = site.start().await;
    let identity = site.identity("job");
    let form = [
        ("grant_type", EXCHANGE),
        ("audience", SERVICE),
        ("scope", PUSH),
        ("subject_token_type", JWT),
    ];
    let answer = broker.post(&[&form[..], &[("subject_token", &identity)]].concat()).await;
    assert_eq!(answer.access(), ["servers/nginx:pull,push"]);
    let access_token = "urn:ietf:params:oauth:token-type:access_token";
    assert_eq!(answer.body["issued_token_type"], json!(access_token));
    let answer = broker.post(&[&form[..], &[("subject_token", "nonsense")]].concat()).await;
    site.refused_login(&answer, StatusCode::UNAUTHORIZED, "IDENTITY_INVALID");
}

#[tokio::test]
async fn what_cannot_be_understood_is_recorded_too() {
    let site = Site::new().await;
    let broker = site.start().await;
    let answer = broker.post(&[("grant_type", "implicit")]).await;
    let event = site.refused_login(&answer, StatusCode::BAD_REQUEST, "INVALID_REQUEST");
    assert_eq!(event.kind, dockpass::audit::Kind::Unreadable);
    assert_eq!(answer.body["error"], "unsupported_grant_type");
}

#[tokio::test]
async fn a11_what_the_registry_is_given_is_no_credential_here() {
    let site = Site::new().await;
    let broker = site.start().await;
    let login = broker.login(Some(("oidc", &site.identity("job"))), &[PULL], &[]).await;
    let jwt = login.body["token"].as_str().unwrap();
    let answer = broker.login(Some(("oidc", jwt)), &[PULL], &[]).await;
    site.refused_login(&answer, StatusCode::UNAUTHORIZED, "IDENTITY_INVALID");
    let url = broker.url(&format!("/token?service={SERVICE}"));
    let bearer = http().get(url).bearer_auth(jwt).send().await.unwrap();
    assert_eq!(bearer.status(), StatusCode::BAD_REQUEST);
}
