//! What is minted outlives the broker that minted it, on Redis, and nothing else does.

use std::collections::BTreeMap;
use std::sync::Arc;

use dockpass::app::App;
use dockpass::pb::{AccessToken, IssueAccessTokenRequest};

use crate::support::{Running, Site, eventually, http, push};

#[expect(clippy::disallowed_methods, reason = "only the run of the tests knows where Redis is")]
fn redis() -> String {
    std::env::var("DOCKPASS_TEST_REDIS").unwrap_or_else(|_| {
        panic!("DOCKPASS_TEST_REDIS names no Redis: start the tests with tests/run")
    })
}

/// A site whose seal keys are there, and whose cache is on Redis.
async fn site() -> Site {
    let mut site = Site::embedded().await;
    site.start().await.stop().await;
    site.reconfigure("[[registries]]", &format!("[cache]\nurl = \"{}\"\n[[registries]]", redis()));
    site
}

/// A broker that Redis answers.
async fn connected(site: &Site) -> Running<'_> {
    let broker = site.start().await;
    eventually("Redis", async || {
        let answer = http().get(broker.ops_url("/readyz")).send().await.unwrap();
        let body: serde_json::Value = answer.json().await.unwrap();
        let dependencies = body["dependencies"].as_array().unwrap();
        let cache = dependencies.iter().find(|one| one["name"] == "cache").unwrap();
        (cache["state"] == "up").then_some(())
    })
    .await;
    broker
}

/// An access token for each of several callers: on a busy machine Redis is late for one or the other.
async fn issue(broker: &Running<'_>, site: &Site) -> BTreeMap<i64, AccessToken> {
    let mut issued = BTreeMap::new();
    for number in 0..12 {
        let lifetime = Some(prost_types::Duration { seconds: 600 + number, nanos: 0 });
        let request = IssueAccessTokenRequest { lifetime, ..push("servers/nginx") };
        let token = broker.issue(&site.identity("job"), request).await.unwrap();
        issued.insert(number, token);
    }
    issued
}

#[tokio::test]
async fn a_broker_that_is_started_again_hands_out_what_it_minted_and_recorded_before() {
    let site = site().await;
    let broker = connected(&site).await;
    let first = issue(&broker, &site).await;
    assert!(first.values().all(|token| !token.reused));
    broker.stop().await;
    let broker = connected(&site).await;
    let second = issue(&broker, &site).await;
    let reused = second.iter().filter(|(_, token)| token.reused).collect::<Vec<_>>();
    assert!(!reused.is_empty(), "nothing was found on Redis");
    for (number, token) in reused {
        let before = &first[number];
        assert_eq!((&token.id, &token.password), (&before.id, &before.password));
        assert_eq!(token.expire_time, before.expire_time);
    }
    broker.stop().await;
    let given: Vec<_> = site.events().into_iter().filter_map(|event| event.grant).collect();
    assert_eq!(given.len(), 24, "what is reused is recorded as well");
}

#[tokio::test]
async fn g4_what_was_revoked_is_not_found_again_after_a_restart() {
    let site = site().await;
    let broker = connected(&site).await;
    let first = issue(&broker, &site).await;
    for token in first.values() {
        broker.revoke(&site.identity("job"), &token.id).await.unwrap();
    }
    broker.stop().await;
    let broker = connected(&site).await;
    let second = issue(&broker, &site).await;
    assert!(second.values().all(|token| !token.reused));
}

#[tokio::test]
async fn what_is_local_only_is_forgotten_with_the_broker() {
    let mut site = site().await;
    site.reconfigure("[[registries]]\n", "[[registries]]\nlocal_only = true\n");
    let broker = connected(&site).await;
    issue(&broker, &site).await;
    broker.stop().await;
    let broker = connected(&site).await;
    assert!(issue(&broker, &site).await.values().all(|token| !token.reused));
    assert!(issue(&broker, &site).await.values().all(|token| token.reused));
}

#[tokio::test]
async fn a_shared_cache_needs_seal_keys_that_were_made_before() {
    let mut site = Site::embedded().await;
    site.reconfigure("[[registries]]", &format!("[cache]\nurl = \"{}\"\n[[registries]]", redis()));
    let built = App::build(&site.config(), Arc::new(site.clock.clone())).await;
    let problem = format!("{:#}", built.unwrap_err());
    assert!(problem.contains("seal.keys") && problem.contains("share"), "{problem}");
}

#[tokio::test]
async fn promise_5_a_broker_starts_and_answers_without_its_redis() {
    let mut site = Site::embedded().await;
    site.start().await.stop().await;
    // nobody listens there
    let cache = "[cache]\nurl = \"redis://:canary@127.0.0.1:1\"\n[[registries]]";
    site.reconfigure("[[registries]]", cache);
    let broker = site.start().await;
    assert!(issue(&broker, &site).await.values().all(|token| !token.reused));
    assert!(issue(&broker, &site).await.values().all(|token| token.reused));
    let answer = http().get(broker.ops_url("/readyz")).send().await.unwrap();
    assert!(answer.status().is_success());
    let body = answer.text().await.unwrap();
    assert!(body.contains("\"degraded\"") && !body.contains("canary"), "{body}");
}
