//! F10: what becomes of a refresh token.

use futures_util::future::join_all;
use jiff::SignedDuration;
use reqwest::StatusCode;

use crate::support::{Answer, Running, SERVICE, Site};

const SCOPE: &str = "repository:servers/nginx:pull,push";

/// Logs in with an identity token, and returns the refresh token.
async fn refresh_token(broker: &Running<'_>) -> String {
    let identity = broker.site.identity("job");
    let login = broker.login(Some(("oidc", &identity)), &[], &[("offline_token", "true")]).await;
    login.refresh_token().unwrap().to_owned()
}

async fn refresh(broker: &Running<'_>, token: &str) -> Answer {
    let form = [
        ("grant_type", "refresh_token"),
        ("service", SERVICE),
        ("scope", SCOPE),
        ("client_id", "docker"),
        ("refresh_token", token),
    ];
    broker.post(&form).await
}

#[tokio::test]
async fn f10_a_refresh_token_serves_a_hundred_at_once_and_stays_the_same() {
    let site = Site::new().await;
    let broker = site.start().await;
    let token = refresh_token(&broker).await;
    assert!(token.starts_with("dps_"));
    for answer in join_all((0..100).map(|_| refresh(&broker, &token))).await {
        assert_eq!(answer.access(), ["servers/nginx:pull,push"]);
        assert_eq!(answer.refresh_token(), Some(token.as_str()));
    }
}

#[tokio::test]
async fn a_password_is_never_traded_for_a_refresh_token() {
    let site = Site::new().await;
    let password = site.password_of("field-vendor").await;
    let broker = site.start().await;
    let credentials = Some(("field-vendor", password.as_str()));
    let login = broker.login(credentials, &[], &[("offline_token", "true")]).await;
    assert_eq!((login.status, login.refresh_token()), (StatusCode::OK, None));
}

#[tokio::test]
async fn f10_a_refresh_token_stops_when_its_token_is_disabled_and_goes_on_after() {
    let site = Site::new().await;
    let broker = site.start().await;
    let token = refresh_token(&broker).await;
    site.change_token("nginx-ci", |token| token.status = dockpass::model::Status::Disabled).await;
    let answer = refresh(&broker, &token).await;
    site.refused_login(&answer, StatusCode::UNAUTHORIZED, "IDENTITY_INVALID");
    site.change_token("nginx-ci", |token| token.status = dockpass::model::Status::Enabled).await;
    assert_eq!(refresh(&broker, &token).await.access(), ["servers/nginx:pull,push"]);
}

#[tokio::test]
async fn f10_a_refresh_token_is_not_that_of_a_token_made_again_under_its_name() {
    let site = Site::new().await;
    let broker = site.start().await;
    let token = refresh_token(&broker).await;
    site.change(|definitions| {
        definitions.tokens.retain(|token| token.name.as_str() != "nginx-ci");
    })
    .await;
    let answer = refresh(&broker, &token).await;
    site.refused_login(&answer, StatusCode::UNAUTHORIZED, "IDENTITY_INVALID");
    site.apply(&site.policy()).await;
    let answer = refresh(&broker, &token).await;
    site.refused_login(&answer, StatusCode::UNAUTHORIZED, "IDENTITY_INVALID");
    let token = refresh_token(&broker).await;
    assert_eq!(refresh(&broker, &token).await.access(), ["servers/nginx:pull,push"]);
}

#[tokio::test]
async fn f10_a_refresh_token_stops_when_its_login_is_revoked() {
    let site = Site::new().await;
    let broker = site.start().await;
    let token = refresh_token(&broker).await;
    let answer = refresh(&broker, &token).await;
    let id = answer.jwt()["sub"].as_str().unwrap().to_owned();
    broker.revoke(&site.identity("job"), &id).await.unwrap();
    let answer = refresh(&broker, &token).await;
    site.refused_login(&answer, StatusCode::UNAUTHORIZED, "IDENTITY_INVALID");
}

#[tokio::test]
async fn f7_a_session_with_less_than_a_minute_left_says_that_it_expired() {
    let site = Site::new().await;
    let broker = site.start().await;
    let token = refresh_token(&broker).await;
    site.clock.advance(SignedDuration::from_mins(14));
    assert_eq!(refresh(&broker, &token).await.status, StatusCode::OK);
    site.clock.advance(SignedDuration::from_secs(1));
    let answer = refresh(&broker, &token).await;
    site.refused_login(&answer, StatusCode::UNAUTHORIZED, "IDENTITY_INVALID");
    let message = answer.body["errors"][0]["message"].as_str().unwrap();
    assert!(message.starts_with("session expired"), "{message}");
}

#[tokio::test]
async fn a12_a_refresh_token_with_one_character_changed_is_none() {
    let site = Site::new().await;
    let broker = site.start().await;
    let token = refresh_token(&broker).await;
    let end = if token.ends_with('A') { 'B' } else { 'A' };
    let changed = format!("{}{end}", token.split_at(token.len() - 1).0);
    let answer = refresh(&broker, &changed).await;
    site.refused_login(&answer, StatusCode::UNAUTHORIZED, "IDENTITY_INVALID");
}
