//! The audit trail through the API: who may see what of it.

use dockpass::pb;
use tonic::Code;

use crate::evidence::review;
use crate::support::{Running, Site, bearer, decision_id, pull, push};

/// A site with a viewer of all registries, and operators of one.
pub(crate) async fn site() -> Site {
    Site::new().await.with_operators()
}

pub(crate) fn everything() -> pb::ListAuditEventsRequest {
    pb::ListAuditEventsRequest::default()
}

pub(crate) async fn list(
    broker: &Running<'_>,
    identity: &str,
    request: pb::ListAuditEventsRequest,
) -> Vec<pb::AuditEvent> {
    let listed = broker.audit().list_audit_events(bearer(identity, request)).await.unwrap();
    listed.into_inner().audit_events
}

fn get(id: &str) -> pb::GetAuditEventRequest {
    pb::GetAuditEventRequest { id: id.to_owned() }
}

fn explain(id: &str) -> pb::ExplainDecisionRequest {
    pb::ExplainDecisionRequest { decision_id: id.to_owned() }
}

/// The decision that the caller of a refusal was told.
pub(crate) async fn refused(site: &Site, broker: &Running<'_>) -> String {
    let refusal = broker.issue(&site.identity("job"), push("servers/apache")).await.unwrap_err();
    assert!(!refusal.message().contains("nginx-ci"), "{refusal:?}");
    let told = format!("{} {}", refusal.message(), String::from_utf8_lossy(refusal.details()));
    for trace in ["servers-push", "main-branch", "nginx-ci"] {
        assert!(!told.contains(trace), "the caller was told of {trace}: {told}");
    }
    decision_id(&refusal)
}

#[tokio::test]
async fn g6_a_viewer_of_one_registry_sees_its_events_and_no_others() {
    let site = site().await;
    let broker = site.start().await;
    let id = refused(&site, &broker).await;
    let [all, own, other] =
        ["viewer", "local-token-editor", "other-editor"].map(|subject| site.identity(subject));
    let seen = list(&broker, &all, everything()).await;
    assert!(seen.iter().any(|event| event.kind == "start"));
    let seen = list(&broker, &own, everything()).await;
    assert!(!seen.is_empty() && seen.iter().all(|event| event.kind == "issue"), "{seen:#?}");
    assert_eq!(list(&broker, &other, everything()).await, []);
    // one that is asked for by its id, or by another registry's name
    for identity in [&all, &own] {
        let event = broker.audit().get_audit_event(bearer(identity, get(&id))).await.unwrap();
        assert_eq!(event.into_inner().audit_event.unwrap().reason, "ACCESS_DENIED");
    }
    let start = list(&broker, &all, everything()).await.pop().unwrap();
    for (identity, id) in [(&other, &id), (&own, &start.id)] {
        let hidden = broker.audit().get_audit_event(bearer(identity, get(id))).await.unwrap_err();
        site.refused(&hidden, Code::NotFound, "NOT_FOUND");
        let hidden = broker.audit().explain_decision(bearer(identity, explain(id))).await;
        site.refused(&hidden.unwrap_err(), Code::NotFound, "NOT_FOUND");
    }
    let filter = Some(pb::AuditFilter { registry: "local".to_owned(), ..Default::default() });
    let request = pb::ListAuditEventsRequest { filter, ..everything() };
    let hidden = broker.audit().list_audit_events(bearer(&other, request)).await.unwrap_err();
    site.refused(&hidden, Code::PermissionDenied, "ROLE_REQUIRED");
    // the chain is of all registries
    let verify = pb::VerifyAuditLogRequest::default();
    let hidden = broker.audit().verify_audit_log(bearer(&own, verify.clone())).await.unwrap_err();
    site.refused(&hidden, Code::PermissionDenied, "ROLE_REQUIRED");
    let verified = broker.audit().verify_audit_log(bearer(&all, verify)).await.unwrap();
    let verified = verified.into_inner();
    assert!(verified.intact && verified.events > 3, "{verified:?}");
    broker.stop().await;
}

#[tokio::test]
async fn g6_whoever_has_no_role_learns_nothing_from_the_trail() {
    let site = site().await;
    let broker = site.start().await;
    let id = refused(&site, &broker).await;
    let job = site.identity("job");
    let mut audit = broker.audit();
    let refusals = [
        audit.list_audit_events(bearer(&job, everything())).await.unwrap_err(),
        audit.get_audit_event(bearer(&job, get(&id))).await.unwrap_err(),
        audit.explain_decision(bearer(&job, explain(&id))).await.unwrap_err(),
        audit
            .watch_audit_events(bearer(&job, pb::WatchAuditEventsRequest::default()))
            .await
            .unwrap_err(),
        audit
            .verify_audit_log(bearer(&job, pb::VerifyAuditLogRequest::default()))
            .await
            .unwrap_err(),
        audit.review_access(bearer(&job, review("local"))).await.unwrap_err(),
        audit.review_access(bearer(&job, review("nowhere"))).await.unwrap_err(),
    ];
    for refusal in &refusals {
        site.refused(refusal, Code::PermissionDenied, "ROLE_REQUIRED");
    }
    let anonymous = audit.list_audit_events(everything()).await.unwrap_err();
    site.refused(&anonymous, Code::Unauthenticated, "IDENTITY_MISSING");
    broker.stop().await;
}

#[tokio::test]
async fn a_decision_is_explained_to_an_operator_with_everything_that_was_looked_at() {
    let site = site().await;
    let broker = site.start().await;
    let id = refused(&site, &broker).await;
    let viewer = site.identity("viewer");
    let explained = broker.audit().explain_decision(bearer(&viewer, explain(&id))).await.unwrap();
    let explained = explained.into_inner();
    assert_eq!(explained.audit_event.unwrap().id, id);
    assert!(!explained.trace.unwrap().fields.is_empty());
    for words in ["does not allow", "servers/apache", "main-branch: admits the identity"] {
        assert!(explained.text.contains(words), "{words} is not in {}", explained.text);
    }
    broker.stop().await;
}

#[tokio::test]
async fn lists_page_through_what_fits() {
    let site = site().await;
    let broker = site.start().await;
    for _ in 0..5 {
        broker.issue(&site.identity("job"), pull("servers/nginx")).await.unwrap();
    }
    refused(&site, &broker).await;
    let viewer = site.identity("viewer");
    let filter = Some(pb::AuditFilter {
        repository: "servers/nginx".to_owned(),
        outcome: "ALLOWED".to_owned(),
        ..Default::default()
    });
    let (mut token, mut places) = (String::new(), Vec::new());
    loop {
        let request =
            pb::ListAuditEventsRequest { filter: filter.clone(), page_size: 2, page_token: token };
        let page = broker.audit().list_audit_events(bearer(&viewer, request)).await.unwrap();
        let page = page.into_inner();
        assert!(page.audit_events.len() <= 2);
        places.extend(page.audit_events.iter().map(|event| event.sequence));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(places.len(), 5);
    assert!(places.is_sorted_by(|a, b| a > b), "{places:?}");
    for (filter, page_token) in [
        (pb::AuditFilter { kind: "nonsense".to_owned(), ..Default::default() }, ""),
        (pb::AuditFilter { outcome: "PERHAPS".to_owned(), ..Default::default() }, ""),
        (pb::AuditFilter::default(), "AAAA"),
    ] {
        let request = pb::ListAuditEventsRequest {
            filter: Some(filter),
            page_size: 2,
            page_token: page_token.to_owned(),
        };
        let refusal = broker.audit().list_audit_events(bearer(&viewer, request)).await;
        assert_eq!(refusal.unwrap_err().code(), Code::InvalidArgument);
    }
    broker.stop().await;
}

#[tokio::test]
async fn events_are_watched_as_they_are_recorded_until_the_broker_ends() {
    let site = site().await;
    let broker = site.start().await;
    let own = site.identity("local-token-editor");
    let filter = Some(pb::AuditFilter { registry: "local".to_owned(), ..Default::default() });
    let request = pb::WatchAuditEventsRequest { filter, ..Default::default() };
    let watched = broker.audit().watch_audit_events(bearer(&own, request)).await.unwrap();
    let mut watched = watched.into_inner();
    let issued = broker.issue(&site.identity("job"), pull("servers/nginx")).await.unwrap();
    let first = watched.message().await.unwrap().unwrap();
    let event = first.audit_event.unwrap();
    assert_eq!((event.kind.as_str(), &event.id), ("issue", &issued.id));
    // what was recorded before can be had again by its place
    let again = async |request| {
        let watched = broker.audit().watch_audit_events(bearer(&own, request)).await.unwrap();
        watched.into_inner().message().await.unwrap().unwrap().audit_event.unwrap()
    };
    let after_sequence = event.sequence - 1;
    let request = pb::WatchAuditEventsRequest { after_sequence, ..Default::default() };
    assert_eq!(again(request).await.id, issued.id);
    // and what came after it by the place that stands beside it
    broker.issue(&site.identity("job"), pull("servers/nginx")).await.unwrap();
    let later = watched.message().await.unwrap().unwrap().audit_event.unwrap();
    assert_eq!((later.chain, later.sequence), (event.chain, event.sequence + 1));
    let request = pb::WatchAuditEventsRequest { after: first.place, ..Default::default() };
    assert_eq!(again(request).await.id, later.id);
    for (after, after_sequence) in [("nowhere", 0), ("1", 1)] {
        let after = after.to_owned();
        let request = pb::WatchAuditEventsRequest { after, after_sequence, filter: None };
        let refusal = broker.audit().watch_audit_events(bearer(&own, request)).await;
        assert_eq!(refusal.unwrap_err().code(), Code::InvalidArgument);
    }
    broker.begin_to_stop();
    assert_eq!(watched.message().await.unwrap(), None);
    broker.stop().await;
}
