//! The docker command line, which needs no daemon for these. Where it is not installed, `tests/run` leaves these tests out and says so.

use dockpass::pb::Action::ContentRead;

use crate::support::World;

/// A world with an image in `servers/nginx`.
async fn with_image() -> World {
    let world = World::start().await;
    let (credential, to) =
        (format!("--dest-creds=oidc:{}", world.job()), world.image_in("servers/nginx"));
    world.clients.push(&world.image.reference(), &credential, &to).await.succeeded();
    world
}

/// Logs docker in, and looks at an image that may be pulled and at one that may not.
async fn login_and_inspect(world: &World, username: &str, password: &str) {
    let host = world.registry.host();
    let login = ["login", "--username", username, "--password-stdin", &host];
    world.clients.docker(&login, password).await.succeeded();
    let inspect = async |repository: &str| {
        let image = world.image_in(repository);
        world.clients.docker(&["manifest", "inspect", "--insecure", &image], "").await
    };
    let manifest = inspect("servers/nginx").await.succeeded();
    assert!(manifest.contains(&world.image.layer_digest()), "{manifest}");
    inspect("servers/apache").await.refused("");
    world.clients.docker(&["logout", &host], "").await.succeeded();
}

#[tokio::test]
async fn docker_cli_with_the_password_of_an_access_token() {
    let world = with_image().await;
    let token =
        world.broker.issue(&world.puller(), &[("servers/nginx", &[ContentRead])]).await.unwrap();
    login_and_inspect(&world, &token.username, &token.password).await;
}

#[tokio::test]
async fn docker_cli_with_an_identity_token() {
    let world = with_image().await;
    login_and_inspect(&world, "oidc", &world.puller()).await;
}

#[tokio::test]
async fn docker_cli_with_the_password_of_a_token_keeps_that_password() {
    let world = with_image().await;
    let secret = world.password_of("field-vendor").await;
    login_and_inspect(&world, "field-vendor", &secret).await;
}

#[tokio::test]
async fn docker_cli_with_a_wrong_password_is_told_so() {
    let world = with_image().await;
    let host = world.registry.host();
    let login = ["login", "--username", "field-vendor", "--password-stdin", &host];
    world.clients.docker(&login, "dpk_wrong").await.refused("unauthorized");
}
