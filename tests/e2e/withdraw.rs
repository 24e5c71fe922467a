//! What was taken away stops at the next exchange.

use dockpass::pb::Action::{ContentRead, ContentWrite};
use reqwest::StatusCode;

use crate::support::{World, http, with_query};

/// Exchanges the password of an access token for a registry's JWT.
async fn exchange(world: &World, username: &str, password: &str) -> StatusCode {
    let host = world.registry.host();
    let query = [("service", host.as_str()), ("scope", "repository:servers/nginx:pull,push")];
    let request = http().get(with_query(&world.broker.url("/token"), &query));
    request.basic_auth(username, Some(password)).send().await.unwrap().status()
}

#[tokio::test]
async fn a_disabled_token_stops_at_the_next_exchange() {
    let world = World::start().await;
    let push: &[_] = &[("servers/nginx", [ContentRead, ContentWrite].as_slice())];
    let token = world.broker.issue(&world.job(), push).await.unwrap();
    assert_eq!(exchange(&world, &token.username, &token.password).await, StatusCode::OK);

    world.set_nginx_ci("disabled").await;
    let status = exchange(&world, &token.username, &token.password).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let refusal = world.broker.issue(&world.job(), push).await.unwrap_err();
    assert_eq!(refusal.code(), tonic::Code::PermissionDenied, "{refusal:?}");
    let credential = format!("--dest-creds={}:{}", token.username, token.password);
    let to = world.image_in("servers/nginx");
    world.clients.push(&world.image.reference(), &credential, &to).await.refused("unauthorized");

    world.set_nginx_ci("enabled").await;
    world.broker.issue(&world.job(), push).await.unwrap();
}

#[tokio::test]
async fn a_revoked_access_token_stops_at_the_next_exchange_and_others_go_on() {
    let world = World::start().await;
    let push: &[_] = &[("servers/nginx", [ContentRead, ContentWrite].as_slice())];
    let revoked = world.broker.issue(&world.job(), push).await.unwrap();
    let other = world.broker.issue(&world.job(), push).await.unwrap();
    // by the identity that it was issued to, and by no other
    let refusal = world.broker.revoke(&world.puller(), &revoked.id).await.unwrap_err();
    assert_ne!(refusal.code(), tonic::Code::Internal, "{refusal:?}");
    assert_eq!(exchange(&world, &revoked.username, &revoked.password).await, StatusCode::OK);

    world.broker.revoke(&world.job(), &revoked.id).await.unwrap();
    let status = exchange(&world, &revoked.username, &revoked.password).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(exchange(&world, &other.username, &other.password).await, StatusCode::OK);
}
