//! A credential that only pulls.

use dockpass::pb::Action::{ContentRead, ContentWrite};

use crate::support::World;

#[tokio::test]
async fn f1_a_pull_only_credential_pulls_and_does_not_push() {
    let world = World::start().await;
    let there = world.image_in("servers/nginx");
    let own = format!("--dest-creds=oidc:{}", world.job());
    world.clients.push(&world.image.reference(), &own, &there).await.succeeded();

    let only_pull: &[_] = &[("servers/nginx", [ContentRead].as_slice())];
    // even to one whose scope map would let it push
    for identity in [world.puller(), world.job()] {
        let token = world.broker.issue(&identity, only_pull).await.unwrap();
        for (option, credential) in [
            ("creds", format!("{}:{}", token.username, token.password)),
            ("registry-token", token.bearer_token),
        ] {
            let pull = format!("--src-{option}={credential}");
            world.clients.pull(&pull, &there).await.succeeded();
            let push = format!("--dest-{option}={credential}");
            let to = there.replace(":1", ":2");
            world.clients.push(&world.image.reference(), &push, &to).await.refused("denied");
        }
    }
}

#[tokio::test]
async fn who_may_only_pull_gets_no_push() {
    let world = World::start().await;
    let refusal = world
        .broker
        .issue(&world.puller(), &[("servers/nginx", &[ContentRead, ContentWrite])])
        .await
        .unwrap_err();
    assert_eq!(refusal.code(), tonic::Code::PermissionDenied, "{refusal:?}");
    let credential = format!("--dest-creds=oidc:{}", world.puller());
    let to = world.image_in("servers/nginx");
    world.clients.push(&world.image.reference(), &credential, &to).await.refused("denied");
}
