//! Promise 8: more than a caller may ask for, and more than the broker can do.

use dockpass::model::Reason;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::support::{Held, Running, Site, bearer, pull};

/// Asks until it is refused, which has to be soon.
async fn until_refused(broker: &Running<'_>, identity: &str) -> Status {
    for _ in 0..50 {
        if let Err(refusal) = broker.issue(identity, pull("servers/nginx")).await {
            return refusal;
        }
    }
    panic!("nothing is refused")
}

fn quota(refusal: &Status) -> String {
    let details = refusal.get_error_details();
    details.quota_failure().unwrap().violations[0].subject.clone()
}

#[tokio::test]
async fn an_address_that_asks_too_often_is_told_when_to_come_again() {
    let site = Site::with("[limits]\nper_address = 1\n").await;
    let broker = site.start().await;
    let refusal = until_refused(&broker, &site.identity("job")).await;
    let event = site.refused(&refusal, Code::ResourceExhausted, "RATE_LIMITED");
    assert_eq!(event.identity, None, "nothing was verified");
    assert_eq!(quota(&refusal), "address");
}

#[tokio::test]
async fn malformed_requests_count_as_well() {
    let site = Site::with("[limits]\nper_address = 1\n").await;
    let broker = site.start().await;
    let mut last = None;
    for _ in 0..50 {
        last = Some(broker.issue("", pull("UPPER")).await.unwrap_err());
        if last.as_ref().is_some_and(|refusal| refusal.code() == Code::ResourceExhausted) {
            break;
        }
    }
    site.refused(&last.unwrap(), Code::ResourceExhausted, "RATE_LIMITED");
}

#[tokio::test]
async fn an_identity_that_asks_too_often_does_not_keep_others_waiting() {
    let site = Site::with("[limits]\nper_identity = 1\n").await;
    let broker = site.start().await;
    let refusal = until_refused(&broker, &site.identity("job")).await;
    site.refused(&refusal, Code::ResourceExhausted, "RATE_LIMITED");
    assert_eq!(quota(&refusal), "identity");
    broker.issue(&site.identity("all-of-it"), pull("servers/nginx")).await.unwrap();
}

#[tokio::test]
async fn more_at_once_than_fits_is_refused_at_once() {
    let held = Held::start().await;
    let site = held.site("[limits]\nin_flight = 1\n").await;
    let broker = site.start().await;
    let (mut client, identity) = (broker.another_client().await, held.token("held"));
    let mut first = tokio::task::JoinSet::from_iter([async move {
        client.issue_access_token(bearer(&identity, pull("servers/nginx"))).await
    }]);
    held.arrived().await;
    let identity = site.identity("job");
    let refusal = broker.issue(&identity, pull("servers/nginx")).await.unwrap_err();
    site.refused(&refusal, Code::ResourceExhausted, "OVERLOADED");
    held.release();
    first.join_next().await.unwrap().unwrap().unwrap();
    broker.issue(&identity, pull("servers/nginx")).await.unwrap();
}

#[tokio::test]
async fn the_broker_has_a_deadline_of_its_own() {
    let held = Held::start().await;
    let site = held.site("[limits]\ndeadline_seconds = 1\n").await;
    let broker = site.start().await;
    let refusal = broker.issue(&held.token("held"), pull("servers/nginx")).await.unwrap_err();
    site.refused(&refusal, Code::DeadlineExceeded, "DEADLINE_EXCEEDED");
}

#[tokio::test]
async fn the_deadline_of_the_caller_holds() {
    let held = Held::start().await;
    let site = held.site("").await;
    let broker = site.start().await;
    let mut request = bearer(&held.token("held"), pull("servers/nginx"));
    // the client gives up by it too, so the trail alone tells that the broker did
    request.metadata_mut().insert("grpc-timeout", "300m".parse().unwrap());
    broker.client().issue_access_token(request).await.unwrap_err();
    broker.stop().await;
    let events = site.events();
    let refused = events.iter().any(|event| event.reason == Some(Reason::DeadlineExceeded));
    assert!(refused, "{events:?}");
}
