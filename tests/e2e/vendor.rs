//! Two stories of people with passwords, told with the command line, skopeo and a real registry.

use std::sync::Arc;

use dockpass::model::{Clock, ManualClock, SystemClock};
use jiff::SignedDuration;
use serde_json::Value;

use crate::support::World;

impl World {
    /// Runs a line of the operator, over the admin socket.
    async fn operator(&self, line: &str) -> String {
        let socket = format!("unix:{}", self.broker.folder().join("admin/admin.sock").display());
        let arguments: Vec<&str> = line.split_whitespace().skip(1).collect();
        let variables = [("DOCKPASS_SERVER", socket.as_str())];
        self.broker.dockpass(&arguments, &variables, "").await.succeeded()
    }

    /// The secret of a slot in the JSON of what generated it.
    fn secret(generated: &str, slot: &str) -> String {
        let answer: Value = serde_json::from_str(generated).unwrap();
        let passwords = answer["credentials"]["passwords"].as_array();
        let mut passwords = passwords.or_else(|| answer["passwords"].as_array()).unwrap().iter();
        let own = passwords.find(|own| own["name"] == slot).unwrap();
        own["value"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn the_vendors_story() {
    let world = World::start().await;
    let agent = world.image_in("servers/nginx");
    let own = format!("--dest-creds=oidc:{}", world.job());
    world.clients.push(&world.image.reference(), &own, &agent).await.succeeded();

    // a map and a token on one repository, with two passwords that end by themselves
    world
        .operator("dockpass scope-map create -r local -n agent-readers --repository servers/nginx content/read --owner team-field")
        .await;
    let made = world
        .operator("dockpass token create -r local -n agent-vendor --scope-map agent-readers --expiration-in-days 90 -o json")
        .await;
    let (first, second) = (World::secret(&made, "password1"), World::secret(&made, "password2"));
    let pull = |secret: &str| format!("--src-creds=agent-vendor:{secret}");
    world.clients.pull(&pull(&first), &agent).await.succeeded();
    let push = format!("--dest-creds=agent-vendor:{first}");
    let elsewhere = agent.replace(":1", ":2");
    world.clients.push(&world.image.reference(), &push, &elsewhere).await.refused("denied");

    // rotating one leaves the other
    let rotated = world
        .operator("dockpass token credential generate -r local -n agent-vendor --password1 --expiration-in-days 90 -o json")
        .await;
    let rotated = World::secret(&rotated, "password1");
    world.clients.pull(&pull(&first), &agent).await.refused("unauthorized");
    world.clients.pull(&pull(&second), &agent).await.succeeded();
    world.clients.pull(&pull(&rotated), &agent).await.succeeded();

    world.operator("dockpass token update -r local -n agent-vendor --status disabled").await;
    for secret in [&second, &rotated] {
        world.clients.pull(&pull(secret), &agent).await.refused("unauthorized");
    }
}

#[tokio::test]
async fn the_contractors_story() {
    let clock = ManualClock::at(SystemClock.now());
    let world = World::with_clock(Arc::new(clock.clone())).await;
    let there = world.image_in("servers/nginx");
    let own = format!("--dest-creds=oidc:{}", world.job());
    world.clients.push(&world.image.reference(), &own, &there).await.succeeded();

    // access until tomorrow, whatever the password says
    let end =
        jiff::Timestamp::from_second((clock.now() + SignedDuration::from_hours(24)).as_second());
    let line = format!(
        "dockpass token create -r local -n contractor --repository servers/nginx pull --token-expiration {} -o json",
        end.unwrap()
    );
    let secret = World::secret(&world.operator(&line).await, "password1");
    let pull = format!("--src-creds=contractor:{secret}");
    world.clients.pull(&pull, &there).await.succeeded();
    clock.advance(SignedDuration::from_hours(25));
    world.clients.pull(&pull, &there).await.refused("unauthorized");
}
