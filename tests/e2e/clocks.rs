//! Time: expiry, and clocks that do not agree.

use std::sync::Arc;

use dockpass::model::{Clock, ManualClock, OffsetClock, SystemClock};
use dockpass::pb::Action::{ContentRead, ContentWrite};
use jiff::SignedDuration;

use crate::support::{AUDIENCE, World, github};

const PUSH: &[(&str, &[dockpass::pb::Action])] = &[("servers/nginx", &[ContentRead, ContentWrite])];

/// The identity token of the CI job, by a clock that the issuer shares with the broker.
fn job_by(world: &World, clock: &dyn Clock) -> String {
    let claims = github("123456", "refs/heads/main");
    world.issuer.token_at(clock.now().as_second(), AUDIENCE, &claims)
}

#[tokio::test]
async fn a_bearer_token_stops_when_it_expires() {
    // its five minutes are over before the registry, whose clock is right, sees it
    let past = OffsetClock(SignedDuration::from_mins(-10));
    let world = World::with_clock(Arc::new(past)).await;
    let token = world.broker.issue(&job_by(&world, &past), PUSH).await.unwrap();
    let credential = format!("--dest-registry-token={}", token.bearer_token);
    let to = world.image_in("servers/nginx");
    world.clients.push(&world.image.reference(), &credential, &to).await.refused("unauthorized");
}

#[tokio::test]
async fn a_password_stops_when_the_access_token_expires() {
    let clock = ManualClock::at(SystemClock.now());
    let world = World::with_clock(Arc::new(clock.clone())).await;
    let token = world.broker.issue(&job_by(&world, &clock), PUSH).await.unwrap();
    let credential = format!("--dest-creds={}:{}", token.username, token.password);
    let to = world.image_in("servers/nginx");
    world.clients.push(&world.image.reference(), &credential, &to).await.succeeded();
    clock.advance(SignedDuration::from_mins(15));
    world.clients.push(&world.image.reference(), &credential, &to).await.refused("unauthorized");
}

#[tokio::test]
async fn clocks_of_registry_and_broker_may_be_twenty_seconds_apart() {
    for seconds in [-20, 20] {
        let clock = OffsetClock(SignedDuration::from_secs(seconds));
        let world = World::with_clock(Arc::new(clock)).await;
        let token = world.broker.issue(&job_by(&world, &clock), PUSH).await.unwrap();
        let to = world.image_in("servers/nginx");
        for credential in [
            format!("--dest-creds={}:{}", token.username, token.password),
            format!("--dest-registry-token={}", token.bearer_token),
        ] {
            world.clients.push(&world.image.reference(), &credential, &to).await.succeeded();
        }
    }
}
