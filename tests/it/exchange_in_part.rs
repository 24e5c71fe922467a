//! The token endpoint gives the part that is allowed, as its specification says; the audit trail says what was not.

use dockpass::audit::{Event, Kind};

use crate::support::{Answer, Running, Site, push};

async fn ask(broker: &Running<'_>, scopes: &[&str]) -> (Answer, Event) {
    let identity = broker.site.identity("job");
    let answer = broker.login(Some(("oidc", &identity)), scopes, &[]).await;
    let event = broker.site.events().pop().unwrap();
    assert_eq!((event.kind, event.reason), (Kind::Exchange, None));
    (answer, event)
}

#[tokio::test]
async fn f2_of_several_scopes_the_allowed_ones_are_given() {
    let site = Site::new().await;
    let broker = site.start().await;
    let scopes = ["repository:servers/nginx:pull,push", "repository:secret/nginx:pull"];
    let (answer, event) = ask(&broker, &scopes).await;
    assert_eq!(answer.access(), ["servers/nginx:pull,push"]);
    let detail = event.detail.unwrap();
    assert_eq!(detail, "granted in part: servers/nginx:content/read,content/write");
    assert_eq!(event.request.unwrap().permissions.len(), 2);
}

#[tokio::test]
async fn f3_a_mount_needs_a_pull_on_its_source() {
    let site = Site::new().await;
    let broker = site.start().await;
    let target = "repository:servers/nginx:pull,push";
    let (answer, event) = ask(&broker, &[target, "repository:servers/base/os:pull"]).await;
    assert_eq!(answer.access(), ["servers/base/os:pull", "servers/nginx:pull,push"]);
    assert_eq!(event.detail, None);
    let (answer, _) = ask(&broker, &[target, "repository:secret/base:pull"]).await;
    assert_eq!(answer.access(), ["servers/nginx:pull,push"]);
}

#[tokio::test]
async fn nothing_of_it_is_an_empty_token_for_whom_is_known_and_the_trail_says_so() {
    let site = Site::new().await;
    let broker = site.start().await;
    let (answer, event) = ask(&broker, &["repository:secret/nginx:pull"]).await;
    assert!(answer.access().is_empty());
    assert_eq!(event.detail.as_deref(), Some("nothing of it is allowed"));
    assert!(event.grant.unwrap().permissions.is_empty());
    // a login asks for nothing, and gets all of it
    let (answer, event) = ask(&broker, &[]).await;
    assert!(answer.access().is_empty());
    assert_eq!(event.detail, None);
}

#[tokio::test]
async fn f4_what_is_no_repository_of_ours_is_left_out() {
    let site = Site::new().await;
    let broker = site.start().await;
    let identity = site.identity("all-of-it");
    // a class in brackets says what is in the repository, not which one it is
    let scopes =
        ["registry:catalog:*", "repository(plugin):servers/nginx:pull", "artifact:servers/x:pull"];
    let answer = broker.login(Some(("oidc", &identity)), &scopes, &[]).await;
    assert_eq!(answer.access(), ["servers/nginx:pull"]);
}

#[tokio::test]
async fn an_access_token_gives_what_it_was_issued_for_and_not_all_of_its_scope_map() {
    let site = Site::new().await;
    let broker = site.start().await;
    let issued = broker.issue(&site.identity("job"), push("servers/nginx")).await.unwrap();
    let scopes = ["repository:servers/nginx:pull,push,delete", "repository:servers/base/os:pull"];
    let answer = broker.login(Some((&issued.username, &issued.password)), &scopes, &[]).await;
    assert_eq!(answer.access(), ["servers/nginx:pull,push"]);
}

#[tokio::test]
async fn f9_too_many_scopes_are_a_400() {
    let site = Site::new().await;
    let broker = site.start().await;
    let scopes: Vec<_> = (0..101).map(|n| format!("repository:servers/n{n}:pull")).collect();
    let scopes: Vec<_> = scopes.iter().map(String::as_str).collect();
    let answer = broker.login(Some(("oidc", &site.identity("job"))), &scopes, &[]).await;
    site.refused_login(&answer, reqwest::StatusCode::BAD_REQUEST, "INVALID_REQUEST");
}
