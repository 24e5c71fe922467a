//! How the program starts and ends.

use dockpass::pb::Action::ContentRead;

use crate::support::{World, http};

#[tokio::test]
async fn an_orderly_end_loses_nothing_and_a_restart_goes_on() {
    let mut world = World::start().await;
    let pull: &[_] = &[("servers/nginx", [ContentRead].as_slice())];
    let token = world.broker.issue(&world.job(), pull).await.unwrap();
    let ready = http().get(world.broker.ops_url("/readyz")).send().await.unwrap();
    assert!(ready.status().is_success(), "{ready:?}");

    world.broker.stop().await;
    let trail = world.broker.offline(&["audit", "list", "--output", "json"]).await.succeeded();
    assert!(trail.contains(&token.id), "{trail}");

    world.broker.serve().await;
    // sessions outlive a restart: the keys that seal them do
    let there = world.image_in("servers/nginx");
    let own = format!("--dest-creds=oidc:{}", world.job());
    world.clients.push(&world.image.reference(), &own, &there).await.succeeded();
    let pull = format!("--src-creds={}:{}", token.username, token.password);
    world.clients.pull(&pull, &there).await.succeeded();
    world.broker.offline(&["audit", "verify"]).await.succeeded();
}
