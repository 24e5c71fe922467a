//! Promise 7: the end of one replica. Nothing that began fails, and nothing new is taken.

use dockpass::audit::Kind;
use tokio::net::TcpStream;

use crate::support::{Held, Site, bearer, eventually, push};

#[tokio::test]
async fn promise_7_what_began_is_finished_and_nothing_new_is_taken() {
    let held = Held::start().await;
    let site = held.site("").await;
    let broker = site.start().await;
    let (mut client, identity) = (broker.another_client().await, held.token("held"));
    let mut call = tokio::task::JoinSet::from_iter([async move {
        client.issue_access_token(bearer(&identity, push("servers/nginx"))).await
    }]);
    held.arrived().await;

    broker.begin_to_stop();
    let address = broker.grpc;
    eventually("the end of the listener", async || TcpStream::connect(address).await.err()).await;
    let late = broker.issue(&site.identity("job"), push("servers/nginx")).await.unwrap_err();
    assert_eq!(late.code(), tonic::Code::Unavailable, "{late:?}");

    held.release();
    let issued = call.join_next().await.unwrap().unwrap().unwrap();
    assert!(!issued.into_inner().access_token.unwrap().password.is_empty());
    broker.stop().await;
    assert_eq!(site.count(Kind::Issue), 1);
}

#[tokio::test]
async fn start_and_stop_are_in_the_trail() {
    let site = Site::new().await;
    site.start().await.stop().await;
    let kinds: Vec<_> = site.events().iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [Kind::PolicyChange, Kind::Start, Kind::Stop]);
    let start = &site.events()[1];
    assert_eq!(start.policy_revision, Some(1));
    assert!(start.detail.as_deref().unwrap().starts_with("dockpass "));
}
