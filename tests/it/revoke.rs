//! Taking an access token back.

use dockpass::audit::{Archive, Filter, Kind};
use tonic::Code;

use crate::support::{Site, bearer, push};
use dockpass::pb::RevokeAccessTokenRequest;

const SCOPE: &str = "repository:servers/nginx:pull,push";

#[tokio::test]
async fn f10_an_access_token_that_is_revoked_stops_at_its_next_exchange() {
    let site = Site::new().await;
    let broker = site.start().await;
    let identity = site.identity("job");
    let issued = broker.issue(&identity, push("servers/nginx")).await.unwrap();
    let credentials = Some((issued.username.as_str(), issued.password.as_str()));
    let before = broker.login(credentials, &[SCOPE], &[]).await;
    assert_eq!(before.access(), ["servers/nginx:pull,push"]);
    assert_eq!(before.jwt()["sub"], issued.id.as_str());

    let request = RevokeAccessTokenRequest { access_token_id: issued.id.clone() };
    let revoked = broker.client().revoke_access_token(bearer(&identity, request)).await.unwrap();
    assert_eq!(revoked.into_inner().expire_time, issued.expire_time);
    let after = broker.login(credentials, &[SCOPE], &[]).await;
    let event = site.refused_login(&after, reqwest::StatusCode::UNAUTHORIZED, "IDENTITY_INVALID");
    assert_eq!(event.reason.unwrap().as_str(), "ACCESS_DENIED");
    assert!(event.detail.unwrap().contains("revoked"));
}

#[tokio::test]
async fn the_event_of_a_revocation_names_the_access_token() {
    let site = Site::new().await;
    let broker = site.start().await;
    let identity = site.identity("job");
    let issued = broker.issue(&identity, push("servers/nginx")).await.unwrap();
    broker.revoke(&identity, &issued.id).await.unwrap();
    // a second time is fine, and changes nothing
    broker.revoke(&identity, &issued.id).await.unwrap();
    let revision = site.store.policy_revision().await.unwrap();
    assert_eq!(revision, 2, "of the policy and of one revocation");
    let filter = Filter { access_token: Some(issued.id.parse().unwrap()), ..Filter::default() };
    let page = Archive::open(&site.store).list(&filter, None, 10).unwrap();
    let kinds: Vec<_> = page.events.iter().map(|found| found.event.kind).collect();
    assert_eq!(kinds, [Kind::Revoke, Kind::Revoke, Kind::Issue]);
    for found in &page.events[..2] {
        let change = found.event.change.as_ref().unwrap();
        assert_eq!(change["accessToken"], issued.id.as_str());
        assert_eq!(found.event.identity.as_ref().unwrap().members()["subject"], "job");
    }
}

#[tokio::test]
async fn what_is_somebody_elses_or_unknown_is_denied_and_goes_on_working() {
    let site = Site::new().await;
    let broker = site.start().await;
    let issued = broker.issue(&site.identity("job"), push("servers/nginx")).await.unwrap();
    let refused = broker.issue(&site.identity("nobody"), push("servers/nginx")).await.unwrap_err();
    let decision = crate::support::decision_id(&refused);
    for (subject, id) in [
        ("all-of-it", issued.id.as_str()),
        ("job", "01890a5d-ac96-774b-bcce-b302099a8057"),
        // the id of a decision that gave nothing
        ("nobody", &decision),
    ] {
        let refusal = broker.revoke(&site.identity(subject), id).await.unwrap_err();
        let event = site.refused(&refusal, Code::PermissionDenied, "ACCESS_DENIED");
        assert_eq!(event.change.unwrap()["accessToken"], id);
    }
    let credentials = Some((issued.username.as_str(), issued.password.as_str()));
    assert_eq!(broker.login(credentials, &[SCOPE], &[]).await.status, 200);
}
