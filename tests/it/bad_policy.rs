//! Promise 10: a policy that does not compile never replaces one that does.

use std::sync::Arc;

use dockpass::app::App;
use tonic::Code;

use crate::support::{Site, push};

#[tokio::test]
async fn promise_10_a_stored_policy_that_does_not_compile_leaves_the_one_before_in_force() {
    let site = Site::new().await;
    let broker = site.start().await;
    let identity = site.identity("job");
    // every token is left without its scope map
    site.change(|definitions| definitions.scope_maps.clear()).await;
    let issued = broker.issue(&identity, push("servers/nginx")).await.unwrap();
    assert_eq!(site.event(&issued.id).policy_revision, Some(1), "the one that is in force");

    // what is revoked meanwhile is revoked
    broker.revoke(&identity, &issued.id).await.unwrap();
    let scope = ["repository:servers/nginx:pull"];
    let answer = broker.login(Some(("nginx-ci", &issued.password)), &scope, &[]).await;
    site.refused_login(&answer, reqwest::StatusCode::UNAUTHORIZED, "IDENTITY_INVALID");

    // and the next that compiles is in force at once
    site.change_token("nginx-ci", |token| token.status = dockpass::model::Status::Disabled).await;
    site.apply(&site.policy()).await;
    let refusal = broker.issue(&identity, push("servers/nginx")).await.unwrap_err();
    site.refused(&refusal, Code::PermissionDenied, "ACCESS_DENIED");
}

#[tokio::test]
async fn promise_10_a_broker_does_not_start_with_a_policy_that_does_not_compile() {
    let site = Site::new().await;
    site.change(|definitions| definitions.scope_maps.clear()).await;
    let problem = App::build(&site.config(), Arc::new(site.clock.clone())).await.unwrap_err();
    let problem = format!("{problem:#}");
    assert!(problem.contains("nginx-ci") && problem.contains("servers-push"), "{problem}");
}
