//! Promise 10: a policy that does not compile never replaces one that does.

use std::sync::Arc;

use dockpass::app::App;
use dockpass::model::{ScopeMap, Status};
use tonic::Code;

use crate::support::{Site, push};

#[tokio::test]
async fn promise_10_a_stored_policy_that_does_not_compile_leaves_the_one_before_in_force() {
    let site = Site::new().await;
    let broker = site.start().await;
    let [touched, other] = ["job", "all-of-it"].map(|subject| site.identity(subject));
    let before = broker.issue(&touched, push("servers/nginx")).await.unwrap();
    // some tokens are left without their scope map
    let remove = |map: &ScopeMap| map.name.as_str() != "servers-push";
    site.change(|definitions| definitions.scope_maps.retain(remove)).await;
    let issued = broker.issue(&other, push("servers/nginx")).await.unwrap();
    assert_eq!(site.event(&issued.id).policy_revision, Some(1), "the one that is in force");

    // promise 4: what was changed may have been taken away, and nobody can tell
    let refusal = broker.issue(&touched, push("servers/nginx")).await.unwrap_err();
    site.refused(&refusal, Code::Unavailable, "STORE_UNAVAILABLE");
    let refusal = broker.check(&touched, push("servers/nginx")).await.unwrap_err();
    assert_eq!(refusal.code(), Code::Unavailable);
    let scope = ["repository:servers/nginx:pull"];
    let answer = broker.login(Some(("nginx-ci", &before.password)), &scope, &[]).await;
    assert_eq!(answer.status, reqwest::StatusCode::SERVICE_UNAVAILABLE);

    // what is revoked meanwhile is revoked
    broker.revoke(&other, &issued.id).await.unwrap();
    let answer = broker.login(Some(("all-of-it", &issued.password)), &scope, &[]).await;
    site.refused_login(&answer, reqwest::StatusCode::UNAUTHORIZED, "IDENTITY_INVALID");
    // and so is what is disabled
    site.change_token("all-of-it", |token| token.status = Status::Disabled).await;
    let refusal = broker.issue(&other, push("servers/nginx")).await.unwrap_err();
    site.refused(&refusal, Code::Unavailable, "STORE_UNAVAILABLE");

    // and the next that compiles is in force at once
    site.apply(&site.policy()).await;
    broker.issue(&touched, push("servers/nginx")).await.unwrap();
    broker.stop().await;
}

#[tokio::test]
async fn promise_10_a_broker_does_not_start_with_a_policy_that_does_not_compile() {
    let site = Site::new().await;
    site.change(|definitions| definitions.scope_maps.clear()).await;
    let problem = App::build(&site.config(), Arc::new(site.clock.clone())).await.unwrap_err();
    let problem = format!("{problem:#}");
    assert!(problem.contains("nginx-ci") && problem.contains("servers-push"), "{problem}");
}
