//! How the registry knows who signed.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dockpass::model::{Clock, ManualClock, SystemClock};
use dockpass::pb::Action::{ContentRead, ContentWrite};
use jiff::SignedDuration;
use serde_json::Value;

use crate::support::{AUDIENCE, Broker, KeyMode, World, github};

const PUSH: &[(&str, &[dockpass::pb::Action])] = &[("servers/nginx", &[ContentRead, ContentWrite])];

/// The header of a JWT.
fn header(jwt: &str) -> Value {
    let encoded = jwt.split('.').next().unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(encoded).unwrap()).unwrap()
}

#[tokio::test]
async fn by_a_certificate_chain() {
    let world = World::with_keys(KeyMode::X5c).await;
    let token = world.broker.issue(&world.job(), PUSH).await.unwrap();
    assert!(header(&token.bearer_token)["x5c"].is_array());
    let credential = format!("--dest-registry-token={}", token.bearer_token);
    let to = world.image_in("servers/nginx");
    world.clients.push(&world.image.reference(), &credential, &to).await.succeeded();
}

#[tokio::test]
async fn by_a_key_id() {
    let world = World::with_keys(KeyMode::Kid).await;
    let token = world.broker.issue(&world.job(), PUSH).await.unwrap();
    let header = header(&token.bearer_token);
    assert!(header["kid"].is_string() && header["x5c"].is_null(), "{header}");
    let to = world.image_in("servers/nginx");
    for credential in [
        format!("--dest-registry-token={}", token.bearer_token),
        format!("--dest-creds={}:{}", token.username, token.password),
    ] {
        world.clients.push(&world.image.reference(), &credential, &to).await.succeeded();
    }
}

#[tokio::test]
async fn a_leaf_is_replaced_under_a_running_registry() {
    // a day ago the broker made a leaf, which is over by now; the registry is not restarted
    let clock = ManualClock::at(SystemClock.now() - SignedDuration::from_hours(26));
    let world = World::with_clock(Arc::new(clock.clone())).await;
    let job = || {
        let claims = github("123456", "refs/heads/main");
        world.issuer.token_at(clock.now().as_second(), AUDIENCE, &claims)
    };
    let before = world.broker.issue(&job(), PUSH).await.unwrap();
    clock.advance(SignedDuration::from_hours(26));
    let after = world.broker.issue(&job(), PUSH).await.unwrap();
    assert_ne!(header(&before.bearer_token)["x5c"][0], header(&after.bearer_token)["x5c"][0]);
    let to = world.image_in("servers/nginx");
    for credential in [
        format!("--dest-registry-token={}", after.bearer_token),
        format!("--dest-creds={}:{}", after.username, after.password),
    ] {
        world.clients.push(&world.image.reference(), &credential, &to).await.succeeded();
    }
}

#[tokio::test]
async fn a_registry_that_trusts_another_root_refuses() {
    let world = World::start().await;
    let mut other =
        Broker::configure(world.issuer.url(), AUDIENCE, &world.registry.host(), KeyMode::X5c);
    other.apply(&world.policy()).await;
    other.serve().await;
    let token = other.issue(&world.job(), PUSH).await.unwrap();
    let credential = format!("--dest-registry-token={}", token.bearer_token);
    let to = world.image_in("servers/nginx");
    world.clients.push(&world.image.reference(), &credential, &to).await.refused("unauthorized");
}

#[tokio::test]
async fn registry_check_finds_the_registry_in_order() {
    let world = World::start().await;
    let checked = world.broker.offline(&["registry", "check", "local"]).await;
    checked.succeeded();
}
