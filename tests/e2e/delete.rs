//! Deleting an image.

use dockpass::pb::Action::{ContentDelete, ContentRead, ContentWrite};

use crate::support::World;

#[tokio::test]
async fn needs_its_own_action() {
    let world = World::start().await;
    let there = world.image_in("servers/nginx");
    let push: &[_] = &[("servers/nginx", [ContentRead, ContentWrite].as_slice())];
    let token = world.broker.issue(&world.job(), push).await.unwrap();
    let credential = format!("--dest-creds={}:{}", token.username, token.password);
    world.clients.push(&world.image.reference(), &credential, &there).await.succeeded();

    let delete = async |credential: String| {
        let image = format!("docker://{there}");
        world.clients.skopeo(&["delete", "--tls-verify=false", &credential, &image]).await
    };
    // a push is not a delete, though the scope map would allow one
    delete(format!("--creds={}:{}", token.username, token.password)).await.refused("");
    world.clients.pull(&format!("--src-creds=oidc:{}", world.puller()), &there).await.succeeded();

    let with_delete: &[_] = &[("servers/nginx", [ContentRead, ContentDelete].as_slice())];
    let token = world.broker.issue(&world.job(), with_delete).await.unwrap();
    delete(format!("--creds={}:{}", token.username, token.password)).await.succeeded();
    let pull = format!("--src-creds=oidc:{}", world.puller());
    world.clients.pull(&pull, &there).await.refused("manifest unknown");
}
