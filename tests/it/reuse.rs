//! G2: an access token is handed out again to the same identity for the same thing, and to nobody else.

use dockpass::audit::Kind;
use dockpass::pb::{AccessToken, IssueAccessTokenRequest};
use futures_util::future::join_all;
use jiff::SignedDuration;
use serde_json::json;
use tonic::Code;

use crate::support::{Running, Site, pull, push};

async fn issue(broker: &Running<'_>, identity: &str) -> AccessToken {
    broker.issue(identity, push("servers/nginx")).await.unwrap()
}

#[tokio::test]
async fn g2_the_same_identity_gets_the_same_access_token() {
    let site = Site::new().await;
    let broker = site.start().await;
    let first = issue(&broker, &site.identity("job")).await;
    // another identity token: `jti`, and what no credential tests, do not matter
    let again = site.identity_with(&json!({"sub": "job", "run": 2}));
    let second = issue(&broker, &again).await;
    assert!(!first.reused && second.reused);
    assert_eq!((first.id, first.password), (second.id, second.password));
    let grants: Vec<_> = site.events().into_iter().filter_map(|event| event.grant).collect();
    assert_eq!(grants.iter().map(|grant| grant.reused).collect::<Vec<_>>(), [false, true]);
}

#[tokio::test]
async fn g2_callers_that_share_a_connection_are_told_apart() {
    let site = Site::new().await;
    let broker = site.start().await;
    let [one, other] =
        ["one", "other"].map(|sub| site.identity_with(&json!({"sub": sub, "team": "web"})));
    let (first, second) = (issue(&broker, &one).await, issue(&broker, &other).await);
    assert_ne!((&first.id, &first.password), (&second.id, &second.password));
    for (identity, wanted) in [(&other, &second), (&one, &first), (&one, &first), (&other, &second)]
    {
        let again = issue(&broker, identity).await;
        assert_eq!((&again.id, again.reused), (&wanted.id, true));
    }
    for nearly in
        [format!("{other}A"), other.split_at(other.len() - 1).0.to_owned(), other.to_lowercase()]
    {
        // strangers' refusals but the first are counted together, not recorded each
        let status = broker.issue(&nearly, push("servers/nginx")).await.unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated);
    }
    assert_eq!(issue(&broker, &other).await.id, second.id);
}

#[tokio::test]
async fn a_token_that_was_verified_on_a_connection_ends_there_too() {
    let site = Site::new().await;
    let broker = site.start().await;
    let identity = site.identity("job");
    issue(&broker, &identity).await;
    site.clock.advance(SignedDuration::from_hours(24));
    let status = broker.issue(&identity, push("servers/nginx")).await.unwrap_err();
    site.refused(&status, Code::Unauthenticated, "IDENTITY_INVALID");
}

#[tokio::test]
async fn g2_what_is_asked_for_fresh_is_never_shared() {
    let site = Site::new().await;
    let broker = site.start().await;
    let fresh = IssueAccessTokenRequest { fresh: true, ..push("servers/nginx") };
    let identity = site.identity("job");
    let first = broker.issue(&identity, fresh.clone()).await.unwrap();
    let common = issue(&broker, &identity).await;
    let second = broker.issue(&identity, fresh).await.unwrap();
    assert!(!first.reused && !common.reused && !second.reused);
    assert!(first.id != common.id && first.id != second.id && common.id != second.id);
}

#[tokio::test]
async fn a_reused_access_token_has_the_time_left_that_is_asked_for() {
    let site = Site::new().await;
    let broker = site.start().await;
    let first = issue(&broker, &site.identity("job")).await;
    site.clock.advance(SignedDuration::from_mins(6));
    let identity = site.identity("job");
    let ten_minutes = Some(prost_types::Duration { seconds: 600, nanos: 0 });
    let asked = IssueAccessTokenRequest { minimum_remaining: ten_minutes, ..push("servers/nginx") };
    assert_eq!(issue(&broker, &identity).await.id, first.id);
    let longer = broker.issue(&identity, asked).await.unwrap();
    assert!(!longer.reused && longer.id != first.id);
    assert_eq!(issue(&broker, &identity).await.id, longer.id);
}

#[tokio::test]
async fn g2_another_identity_claim_form_or_wish_is_never_served_by_reuse() {
    let site = Site::new().await;
    let broker = site.start().await;
    let with =
        |subject: &str, team: &str| site.identity_with(&json!({"sub": subject, "team": team}));
    let bearer = IssueAccessTokenRequest { with_bearer_token: true, ..push("servers/nginx") };
    let cases = [
        (with("a", "web"), push("servers/nginx")),
        (with("b", "web"), push("servers/nginx")),
        (with("a", "data"), push("servers/nginx")),
        (with("a", "web"), pull("servers/nginx")),
        (with("a", "web"), bearer),
        (site.identity("job"), push("servers/nginx")),
        (site.identity("all-of-it"), push("servers/nginx")),
    ];
    let mut ids = std::collections::BTreeSet::new();
    for (identity, request) in cases {
        let issued = broker.issue(&identity, request).await.unwrap();
        assert!(!issued.reused, "{issued:?}");
        assert!(ids.insert(issued.id));
    }
}

#[tokio::test]
async fn g2_a_changed_scope_map_ends_the_reuse() {
    let site = Site::new().await;
    let broker = site.start().await;
    let first = issue(&broker, &site.identity("job")).await;
    site.apply_with("max_lifetime = \"30m\"", "max_lifetime = \"29m\"").await;
    let second = issue(&broker, &site.identity("job")).await;
    assert!(!second.reused && second.id != first.id);
}

#[tokio::test]
async fn two_hundred_at_once_get_one_access_token() {
    let site = Site::new().await;
    let broker = site.start().await;
    let identity = site.identity("job");
    let all = join_all((0..200).map(|_| issue(&broker, &identity))).await;
    assert!(all.iter().all(|issued| issued.id == all[0].id));
    assert_eq!(all.iter().filter(|issued| !issued.reused).count(), 1);
    assert_eq!(site.count(Kind::Issue), 200);
}

#[tokio::test]
async fn what_was_revoked_is_not_handed_out_again() {
    let site = Site::new().await;
    let broker = site.start().await;
    let identity = site.identity("job");
    let first = issue(&broker, &identity).await;
    broker.revoke(&identity, &first.id).await.unwrap();
    let second = issue(&broker, &identity).await;
    assert!(!second.reused && second.id != first.id);
    assert_eq!(issue(&broker, &identity).await.id, second.id);
}
