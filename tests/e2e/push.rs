//! A push, by each form of credential: allowed on one repository, refused on every other.

use dockpass::pb::Action::{ContentRead, ContentWrite};

use crate::support::{Outcome, World};

/// Pushes with one form of credential to a repository that the CI job may write, then to one that it may not.
async fn allowed_and_refused(world: &World, credential: &str) {
    push(world, credential, "servers/nginx").await.succeeded();
    push(world, credential, "servers/apache").await.refused("denied");
}

async fn push(world: &World, credential: &str, repository: &str) -> Outcome {
    let to = world.image_in(repository);
    world.clients.push(&world.image.reference(), credential, &to).await
}

#[tokio::test]
async fn with_username_and_password_of_an_access_token() {
    let world = World::start().await;
    let token = world
        .broker
        .issue(&world.job(), &[("servers/nginx", &[ContentRead, ContentWrite])])
        .await
        .unwrap();
    assert_eq!(token.registry_host, world.registry.host());
    let credential = format!("--dest-creds={}:{}", token.username, token.password);
    allowed_and_refused(&world, &credential).await;
    // the registry's own log names the access token
    assert!(world.registry.log().contains(&token.id), "{}", world.registry.log());
}

#[tokio::test]
async fn with_the_bearer_token_of_an_access_token() {
    let world = World::start().await;
    let token = world
        .broker
        .issue(&world.job(), &[("servers/nginx", &[ContentRead, ContentWrite])])
        .await
        .unwrap();
    let credential = format!("--dest-registry-token={}", token.bearer_token);
    allowed_and_refused(&world, &credential).await;
}

#[tokio::test]
async fn with_the_password_of_a_token() {
    let world = World::start().await;
    let secret = world.password_of("field-vendor").await;
    allowed_and_refused(&world, &format!("--dest-creds=field-vendor:{secret}")).await;
    let wrong = format!("--dest-creds=field-vendor:{}", secret.replacen("dpk_", "dpk_A", 1));
    push(&world, &wrong, "servers/nginx").await.refused("unauthorized");
}

#[tokio::test]
async fn with_the_identity_token_itself_as_password() {
    let world = World::start().await;
    allowed_and_refused(&world, &format!("--dest-creds=oidc:{}", world.job())).await;
}

#[tokio::test]
async fn by_the_command_that_a_ci_job_runs() {
    let world = World::start().await;
    let job = world.job();
    let identity = [("DOCKPASS_IDENTITY_TOKEN", job.as_str())];
    let issue = |repository| {
        [
            "issue",
            "--registry",
            "local",
            "--repository",
            repository,
            "--action",
            "push",
            "--output",
            "json",
        ]
    };
    let out = world.broker.dockpass(&issue("servers/nginx"), &identity, "").await.succeeded();
    let token: serde_json::Value = serde_json::from_str(&out).unwrap();
    let (username, password) = (token["username"].as_str(), token["password"].as_str());
    let credential = format!("--dest-creds={}:{}", username.unwrap(), password.unwrap());
    allowed_and_refused(&world, &credential).await;

    let refusal = world.broker.dockpass(&issue("servers/apache"), &identity, "").await;
    assert_eq!(refusal.code, Some(3), "{refusal:#?}");
    let message = refusal.refused("ACCESS_DENIED");
    // both decisions are in the trail, and the refusal can be explained
    let trail = world.broker.offline(&["audit", "list", "--output", "json"]).await.succeeded();
    assert!(trail.contains(token["id"].as_str().unwrap()), "{trail}");
    let decision = decision_id(&message).expect("the refusal names its decision");
    let explained = world.broker.offline(&["explain", decision]).await.succeeded();
    assert!(explained.contains("servers/apache"), "{explained}");
}

/// The first UUID of a text.
fn decision_id(text: &str) -> Option<&str> {
    text.split(|c: char| !c.is_ascii_hexdigit() && c != '-')
        .find(|word| uuid::Uuid::try_parse(word).is_ok())
}
