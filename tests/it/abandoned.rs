//! A caller that hangs up: what began is finished and recorded.

use dockpass::audit::Kind;

use crate::support::{Held, SERVICE, bearer, http, push};

#[tokio::test]
async fn a_grpc_caller_that_hangs_up_does_not_lose_the_event() {
    let held = Held::start().await;
    let site = held.site("").await;
    let broker = site.start().await;
    let (mut client, identity) = (broker.another_client().await, held.token("held"));
    let call = tokio::task::JoinSet::from_iter([async move {
        client.issue_access_token(bearer(&identity, push("servers/nginx"))).await
    }]);
    held.arrived().await;
    drop(call);
    held.release();
    broker.stop().await;
    let events = site.events();
    let [event] = events.iter().filter(|event| event.kind == Kind::Issue).collect::<Vec<_>>()[..]
    else {
        panic!("{events:?}")
    };
    assert_eq!(event.reason, None);
    assert_eq!(event.grant.as_ref().unwrap().token_name.as_str(), "held-job");
}

#[tokio::test]
async fn a_docker_client_that_hangs_up_does_not_lose_the_event() {
    let held = Held::start().await;
    let site = held.site("").await;
    let broker = site.start().await;
    let url = broker.url(&format!("/token?service={SERVICE}"));
    let request = http().get(url).basic_auth("oidc", Some(held.token("held")));
    let call = tokio::task::JoinSet::from_iter([request.send()]);
    held.arrived().await;
    drop(call);
    held.release();
    broker.stop().await;
    assert_eq!(site.count(Kind::Exchange), 1);
}
