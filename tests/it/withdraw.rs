//! Promise 4: what is taken away in the store, by another process, is gone for the very next request.

use dockpass::audit::Kind;
use dockpass::model::{Definitions, Status};
use tonic::Code;

use crate::support::{Held, Site, bearer, pull, push};

const SCOPE: &str = "repository:servers/nginx:pull,push";

fn without_push(definitions: &mut Definitions) {
    let revision = definitions.revision + 1;
    for map in definitions.scope_maps.iter_mut().filter(|map| map.name.as_str() == "servers-push") {
        map.revision = revision;
        for actions in map.permissions.values_mut() {
            *actions = "pull".parse().unwrap();
        }
    }
}

#[tokio::test]
async fn promise_4_a_disabled_token_gets_nothing_from_the_next_request_on() {
    let site = Site::new().await;
    let password = site.password_of("nginx-ci").await;
    let broker = site.start().await;
    let issued = broker.issue(&site.identity("job"), push("servers/nginx")).await.unwrap();
    site.change_token("nginx-ci", |token| token.status = Status::Disabled).await;
    let refusal = broker.issue(&site.identity("job"), push("servers/nginx")).await.unwrap_err();
    site.refused(&refusal, Code::PermissionDenied, "ACCESS_DENIED");
    for password in [&issued.password, &password, &site.identity("job")] {
        let answer = broker.login(Some(("nginx-ci", password)), &[SCOPE], &[]).await;
        site.refused_login(&answer, reqwest::StatusCode::UNAUTHORIZED, "IDENTITY_INVALID");
    }
}

#[tokio::test]
async fn promise_4_a_narrowed_scope_map_narrows_the_next_request_and_every_session() {
    let site = Site::new().await;
    let broker = site.start().await;
    let issued = broker.issue(&site.identity("job"), push("servers/nginx")).await.unwrap();
    site.change(without_push).await;
    let answer = broker.login(Some((&issued.username, &issued.password)), &[SCOPE], &[]).await;
    assert_eq!(answer.access(), ["servers/nginx:pull"]);
    let refusal = broker.issue(&site.identity("job"), push("servers/nginx")).await.unwrap_err();
    site.refused(&refusal, Code::PermissionDenied, "ACCESS_DENIED");
    broker.issue(&site.identity("job"), pull("servers/nginx")).await.unwrap();
}

#[tokio::test]
async fn promise_4_a_deleted_password_ends_with_what_rests_on_it() {
    let site = Site::new().await;
    let password = site.password_of("field-vendor").await;
    let broker = site.start().await;
    let mut request = tonic::Request::new(push("servers/nginx"));
    let value = crate::support::basic("field-vendor", &password).parse().unwrap();
    request.metadata_mut().insert("authorization", value);
    let issued = broker.client().issue_access_token(request).await.unwrap().into_inner();
    let session = issued.access_token.unwrap().password;
    site.change_token("field-vendor", |token| token.passwords.clear()).await;
    for password in [&password, &session] {
        let answer = broker.login(Some(("field-vendor", password)), &[SCOPE], &[]).await;
        site.refused_login(&answer, reqwest::StatusCode::UNAUTHORIZED, "IDENTITY_INVALID");
    }
}

#[tokio::test]
async fn promise_4_a_removed_federated_credential_ends_with_what_rests_on_it() {
    let site = Site::new().await;
    let broker = site.start().await;
    let issued = broker.issue(&site.identity("job"), push("servers/nginx")).await.unwrap();
    site.change_token("nginx-ci", |token| {
        token.federated_credentials.retain(|credential| credential.name.as_str() != "main-branch");
    })
    .await;
    let answer = broker.login(Some(("nginx-ci", &issued.password)), &[SCOPE], &[]).await;
    site.refused_login(&answer, reqwest::StatusCode::UNAUTHORIZED, "IDENTITY_INVALID");
    let refusal = broker.issue(&site.identity("job"), push("servers/nginx")).await.unwrap_err();
    site.refused(&refusal, Code::PermissionDenied, "ACCESS_DENIED");
}

#[tokio::test]
async fn promise_4_a_request_that_began_before_the_change_is_decided_again() {
    let held = Held::start().await;
    let site = held.site("").await;
    let broker = site.start().await;
    let (mut client, identity) = (broker.another_client().await, held.token("held"));
    let mut call = tokio::task::JoinSet::from_iter([async move {
        client.issue_access_token(bearer(&identity, push("servers/nginx"))).await
    }]);
    held.arrived().await;
    site.change(without_push).await;
    held.release();
    let refusal = call.join_next().await.unwrap().unwrap().unwrap_err();
    let second = site.refused(&refusal, Code::PermissionDenied, "ACCESS_DENIED");

    // what was decided first stands in the trail, by the policy that decided it
    let issues: Vec<_> =
        site.events().into_iter().filter(|event| event.kind == Kind::Issue).collect();
    let [first, last] = issues.as_slice() else { panic!("{issues:?}") };
    assert!(first.grant.is_some() && first.reason.is_none());
    assert_eq!(last.id, second.id);
    assert_eq!(last.supersedes, Some(first.id));
    assert!(first.policy_revision < last.policy_revision, "{issues:?}");
}

#[tokio::test]
async fn promise_8_what_others_revoke_meanwhile_does_not_make_a_decision_again() {
    let held = Held::start().await;
    let site = held.site("").await;
    let broker = site.start().await;
    let theirs = broker.issue(&site.identity("job"), push("servers/nginx")).await.unwrap();
    let (mut client, identity) = (broker.another_client().await, held.token("held"));
    let mut call = tokio::task::JoinSet::from_iter([async move {
        client.issue_access_token(bearer(&identity, push("servers/nginx"))).await
    }]);
    held.arrived().await;
    broker.revoke(&site.identity("job"), &theirs.id).await.unwrap();
    held.release();
    let issued = call.join_next().await.unwrap().unwrap().unwrap().into_inner();
    let id = issued.access_token.unwrap().id;

    let issues: Vec<_> =
        site.events().into_iter().filter(|event| event.kind == Kind::Issue).collect();
    let [_, own] = issues.as_slice() else { panic!("decided more than once: {issues:?}") };
    assert_eq!(own.id.to_string(), id);
}

#[tokio::test]
async fn an_identity_token_of_single_use_is_used_once_also_when_the_decision_is_made_again() {
    let held = Held::start().await;
    let site = held.site("single_use = true").await;
    let broker = site.start().await;
    let identity = held.token("held");
    let (mut client, message) = (broker.another_client().await, pull("servers/nginx"));
    let request = bearer(&identity, message.clone());
    let mut call =
        tokio::task::JoinSet::from_iter([async move { client.issue_access_token(request).await }]);
    held.arrived().await;
    site.change(without_push).await;
    held.release();
    call.join_next().await.unwrap().unwrap().unwrap();
    let refusal = broker.issue(&identity, message).await.unwrap_err();
    site.refused(&refusal, Code::Unauthenticated, "IDENTITY_INVALID");
}
