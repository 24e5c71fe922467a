//! Promise 8: a flood of refusals does not fill the disk, and nothing that matters is left out of the trail.

use dockpass::audit::Kind;
use dockpass::model::Reason;
use futures_util::future::join_all;

use crate::support::{Running, Site, pull};

/// How many refusals the trail tells of for a reason, and in how many events.
async fn told(broker: Running<'_>, reason: Reason) -> (u64, usize) {
    let site = broker.site;
    broker.stop().await;
    let events = site.events();
    let told = events.iter().filter(|event| event.reason == Some(reason));
    let counts: Vec<_> = told.map(|event| event.count.unwrap_or(1)).collect();
    (counts.iter().sum(), counts.len())
}

#[tokio::test]
async fn promise_8_five_hundred_bad_tokens_are_a_few_events_with_their_number() {
    let site = Site::new().await;
    let broker = site.start().await;
    let bad = (0..500).map(|n| {
        let broker = &broker;
        async move { broker.issue(&format!("nonsense-{n}"), pull("servers/nginx")).await }
    });
    assert!(join_all(bad).await.iter().all(Result::is_err));
    assert_eq!(told(broker, Reason::IdentityInvalid).await, (500, 2));
    assert_eq!(site.count(Kind::Refusals), 1);
}

#[tokio::test]
async fn promise_8_a_flood_of_wrong_passwords_is_counted_as_well() {
    let site = Site::new().await;
    let broker = site.start().await;
    let wrong = Some(("field-vendor", "dpk_wrong"));
    for answer in join_all((0..100).map(|_| broker.login(wrong, &[], &[]))).await {
        assert_eq!(answer.status, 401);
    }
    assert_eq!(told(broker, Reason::IdentityInvalid).await, (100, 2));
}

#[tokio::test]
async fn promise_8_a_flood_of_nobody_is_counted_also_where_nobody_is_an_identity() {
    let site = Site::with("anonymous = true\n").await;
    let broker = site.start().await;
    for answer in join_all((0..100).map(|_| broker.login(None, &[], &[]))).await {
        assert_eq!(answer.status, 401);
    }
    assert_eq!(told(broker, Reason::AccessDenied).await, (100, 2));
}

#[tokio::test]
async fn promise_8_successes_and_refusals_of_known_callers_are_an_event_each() {
    let site = Site::new().await;
    let broker = site.start().await;
    let identity = site.identity("job");
    let asked = (0..100).map(|n| {
        let repository = if n % 2 == 0 { "servers/nginx" } else { "secret/nginx" };
        broker.issue(&identity, pull(repository))
    });
    let answers = join_all(asked).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 50);
    assert_eq!(told(broker, Reason::AccessDenied).await, (50, 50));
    assert_eq!(site.count(Kind::Issue), 100);
    assert_eq!(site.count(Kind::Refusals), 0);
}
