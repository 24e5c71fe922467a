//! Mounting a layer from another repository.

use dockpass::pb::Action::{ContentRead, ContentWrite};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{World, http, with_query};

/// A world in which `servers/base/alpine` and `secret/keys` hold the image.
async fn with_sources() -> World {
    let world = World::start().await;
    for (subject, repository) in
        [("base-images", "servers/base/alpine"), ("secrets", "secret/keys")]
    {
        let credential = format!("--dest-creds=oidc:{}", world.identity(&json!({"sub": subject})));
        let to = world.image_in(repository);
        world.clients.push(&world.image.reference(), &credential, &to).await.succeeded();
    }
    world
}

/// Asks to mount the layer from `source` into `servers/nginx`.
async fn mount(world: &World, bearer: &str, source: &str) -> StatusCode {
    let digest = world.image.layer_digest();
    let path = format!("servers/nginx/blobs/uploads/?mount={digest}&from={source}");
    let request = http().post(world.registry.url(&path)).bearer_auth(bearer);
    request.send().await.unwrap().status()
}

#[tokio::test]
async fn with_a_pull_on_the_source_the_layer_is_there_at_once() {
    let world = with_sources().await;
    let push: &[_] = &[ContentRead, ContentWrite];
    let both = [("servers/nginx", push), ("servers/base/alpine", &[ContentRead])];
    let token = world.broker.issue(&world.job(), &both).await.unwrap();
    let status = mount(&world, &token.bearer_token, "servers/base/alpine").await;
    assert_eq!(status, StatusCode::CREATED);
}

#[tokio::test]
async fn f3_without_a_pull_on_the_source_it_is_refused() {
    let world = with_sources().await;
    let push: &[_] = &[ContentRead, ContentWrite];
    let token = world.broker.issue(&world.job(), &[("servers/nginx", push)]).await.unwrap();
    for source in ["servers/base/alpine", "secret/keys"] {
        let status = mount(&world, &token.bearer_token, source).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{source}");
    }
    let both = [("servers/nginx", push), ("secret/keys", &[ContentRead])];
    let refusal = world.broker.issue(&world.job(), &both).await.unwrap_err();
    assert_eq!(refusal.code(), tonic::Code::PermissionDenied);
}

#[tokio::test]
async fn f3_the_token_endpoint_leaves_out_a_source_that_is_not_allowed() {
    let world = with_sources().await;
    let ask = async |source: &str| {
        let (host, from) = (world.registry.host(), format!("repository:{source}:pull"));
        let target = ("scope", "repository:servers/nginx:pull,push");
        let query = [("service", host.as_str()), target, ("scope", &from)];
        let request = http().get(with_query(&world.broker.url("/token"), &query));
        let response = request.basic_auth("oidc", Some(world.job())).send().await.unwrap();
        let body: Value = response.error_for_status().unwrap().json().await.unwrap();
        body["token"].as_str().unwrap().to_owned()
    };
    let allowed = ask("servers/base/alpine").await;
    assert_eq!(mount(&world, &allowed, "servers/base/alpine").await, StatusCode::CREATED);
    let denied = ask("secret/keys").await;
    assert_eq!(mount(&world, &denied, "secret/keys").await, StatusCode::UNAUTHORIZED);
    // the rest of what it asked for was granted: an upload without a mount begins
    let upload =
        http().post(world.registry.url("servers/nginx/blobs/uploads/")).bearer_auth(denied);
    assert_eq!(upload.send().await.unwrap().status(), StatusCode::ACCEPTED);
}
