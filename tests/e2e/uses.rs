//! What a registry reports: pushes and pulls are joined to the access tokens that allowed them, and what none explains is a bypass.

use dockpass::audit::{Bypass, Event, Kind};
use dockpass::pb::Action::{ContentRead, ContentWrite};
use reqwest::StatusCode;
use serde_json::json;

use crate::support::{NOTIFICATIONS_TOKEN, World, eventually, http};

/// The uses of a kind that are in the trail by now; waits for the first.
async fn reported(world: &World, kind: Kind) -> Vec<Event> {
    eventually("the registry's report", async || {
        let events = world.broker.events().await;
        let uses: Vec<Event> = events.into_iter().filter(|event| event.kind == kind).collect();
        (!uses.is_empty()).then_some(uses)
    })
    .await
}

#[tokio::test]
async fn a_push_and_a_pull_are_joined_to_their_access_tokens() {
    let world = World::with_notifications().await;
    let push: &[_] = &[("servers/nginx", [ContentRead, ContentWrite].as_slice())];
    let token = world.broker.issue(&world.job(), push).await.unwrap();
    let credential = format!("--dest-creds={}:{}", token.username, token.password);
    let image = world.image_in("servers/nginx");
    world.clients.push(&world.image.reference(), &credential, &image).await.succeeded();

    let uses = reported(&world, Kind::RegistryPush).await;
    let [event] = uses.as_slice() else { panic!("one manifest was pushed: {uses:#?}") };
    let used = event.usage.as_ref().unwrap();
    assert_eq!(used.repository.as_str(), "servers/nginx");
    assert_eq!(used.tag.as_deref(), Some("1"));
    assert!(used.digest.as_ref().unwrap().starts_with("sha256:"), "{used:?}");
    assert!(used.user_agent.as_ref().unwrap().contains("skopeo"), "{used:?}");
    assert_eq!(used.access_token.unwrap().to_string(), token.id);
    assert_eq!(used.bypass, None, "{used:?}");
    assert!(event.peer.as_ref().is_some_and(|peer| peer.contains("127.0.0.1") || peer == "::1"));
    let by = used.by.as_ref().unwrap();
    assert_eq!((by.token_name.as_str(), by.scope_map.as_str()), ("nginx-ci", "servers-push"));
    // who pushed is found by its identity, as every decision is
    let identity = event.identity.as_ref().unwrap().members();
    assert_eq!(identity["kind"], "workload");

    let secret = world.password_of("field-vendor").await;
    let credential = format!("--src-creds=field-vendor:{secret}");
    world.clients.pull(&credential, &image).await.succeeded();
    for event in reported(&world, Kind::RegistryPull).await {
        let used = event.usage.unwrap();
        assert_eq!(used.bypass, None, "{used:?}");
        assert_eq!(used.by.unwrap().token_name.as_str(), "field-vendor");
    }
}

#[tokio::test]
async fn a_push_with_a_token_that_another_broker_signed_is_a_bypass() {
    let world = World::with_notifications().await;
    // with the keys of this broker, and without its trail: whoever holds a copy of them
    let thief = world.thief().await;
    let push: &[_] = &[("servers/nginx", [ContentRead, ContentWrite].as_slice())];
    let token = thief.issue(&world.job(), push).await.unwrap();
    let credential = format!("--dest-registry-token={}", token.bearer_token);
    let image = world.image_in("servers/nginx");
    world.clients.push(&world.image.reference(), &credential, &image).await.succeeded();
    for event in reported(&world, Kind::RegistryPush).await {
        let used = event.usage.unwrap();
        assert_eq!((used.bypass, used.by), (Some(Bypass::Unknown), None));
    }
    let metrics = http().get(world.broker.ops_url("/metrics")).send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    assert!(metrics.contains(r#"dockpass_bypasses_total{why="unknown"} "#), "{metrics}");
}

/// A notification of a push, as a registry sends it.
fn notification(actor: &str) -> String {
    json!({"events": [{
        "id": "320678d8-ca14-430f-8bb6-4ca139cd83f7",
        "timestamp": "2026-11-22T10:00:00Z",
        "action": "push",
        "target": {"repository": "servers/nginx", "tag": "1", "digest": "sha256:0"},
        "request": {"addr": "192.0.2.9:4711"},
        "actor": {"name": actor},
    }]})
    .to_string()
}

#[tokio::test]
async fn forged_notifications_are_refused_and_leave_no_use() {
    let world = World::with_notifications().await;
    let send = async |path: &str, secret: Option<&str>| {
        let mut request = http().post(world.broker.url(path)).body(notification("nobody"));
        if let Some(secret) = secret {
            request = request.bearer_auth(secret);
        }
        request.send().await.unwrap().status()
    };
    let secret = NOTIFICATIONS_TOKEN;
    let wrong = format!("{secret}x");
    for (path, secret) in [
        ("/notifications/local", None),
        ("/notifications/local", Some(wrong.as_str())),
        ("/notifications/other", Some(secret)),
    ] {
        assert_eq!(send(path, secret).await, StatusCode::UNAUTHORIZED, "{path}");
    }
    assert!(world.broker.events().await.iter().all(|event| event.usage.is_none()));
    // the right secret; what comes twice is recorded once
    for _ in 0..2 {
        assert_eq!(send("/notifications/local", Some(secret)).await, StatusCode::OK);
    }
    let uses = reported(&world, Kind::RegistryPush).await;
    assert_eq!(uses.len(), 1, "{uses:#?}");
    let used = uses[0].usage.as_ref().unwrap();
    assert_eq!(used.bypass, Some(Bypass::NoAccessToken));
    assert_eq!(uses[0].identity.as_ref().unwrap().members()["subject"], "nobody");
}

#[tokio::test]
async fn without_a_secret_there_is_no_such_endpoint() {
    let world = World::start().await;
    let url = world.broker.url("/notifications/local");
    let status = http().post(url).body(notification("x")).bearer_auth("x").send().await.unwrap();
    assert_eq!(status.status(), StatusCode::NOT_FOUND);
}
