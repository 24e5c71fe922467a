//! Promise 3: while the audit journal cannot be written nothing is handed out; then all recovers by itself.

use dockpass::audit::Archive;
use rusqlite::Connection;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt;

use crate::support::{Running, Site, decision_id, eventually, push};

/// Keeps everybody else from writing.
fn lock(site: &Site) -> Connection {
    let connection = Connection::open(site.folder.path().join("dockpass.db")).unwrap();
    connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    connection
}

async fn health(broker: &Running<'_>, service: &str) -> ServingStatus {
    let request = HealthCheckRequest { service: service.to_owned() };
    let answer = HealthClient::new(broker.channel.clone()).check(request).await.unwrap();
    answer.into_inner().status()
}

/// Waits until readiness and health, of the server and of the service, say so.
async fn readiness(broker: &Running<'_>, ready: bool) {
    let wanted = if ready { ServingStatus::Serving } else { ServingStatus::NotServing };
    eventually("readiness and health", async || {
        let healthy = health(broker, "").await == wanted
            && health(broker, "dockpass.v1.AccessService").await == wanted;
        (healthy && broker.is_ready().await == ready).then_some(())
    })
    .await;
}

#[tokio::test]
async fn g5_promise_3_what_cannot_be_recorded_is_not_handed_out_now_or_later() {
    let site = Site::embedded().await;
    let broker = site.start().await;
    readiness(&broker, true).await;
    let locked = lock(&site);
    let identity = site.identity("job");
    let refusal = broker.issue(&identity, push("servers/nginx")).await.unwrap_err();
    assert_eq!(refusal.code(), Code::Unavailable, "{refusal:?}");
    let details = refusal.get_error_details();
    assert_eq!(details.error_info().unwrap().reason, "AUDIT_UNAVAILABLE");
    assert!(details.retry_info().is_some());
    readiness(&broker, false).await;
    let answer = broker.login(Some(("oidc", &identity)), &[], &[]).await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.body["errors"][0]["detail"]["reason"], "AUDIT_UNAVAILABLE");
    assert_eq!(answer.body.get("token"), None);

    drop(locked);
    readiness(&broker, true).await;
    let issued = broker.issue(&identity, push("servers/nginx")).await.unwrap();
    // the one that was made before and not recorded is nobody's
    assert!(!issued.reused);
    assert_ne!(issued.id, decision_id(&refusal));
    assert_eq!(site.event(&issued.id).grant.unwrap().access_token.to_string(), issued.id);
    broker.stop().await;
    Archive::open(&site.store).verify(None).unwrap();
    let unrecorded = Archive::open(&site.store).find(decision_id(&refusal).parse().unwrap());
    assert_eq!(unrecorded.unwrap(), None);
}

#[tokio::test]
async fn promise_3_what_cannot_be_recorded_is_not_revoked_either_and_the_caller_knows() {
    let site = Site::embedded().await;
    let broker = site.start().await;
    let identity = site.identity("job");
    let issued = broker.issue(&identity, push("servers/nginx")).await.unwrap();
    let locked = lock(&site);
    let refusal = broker.revoke(&identity, &issued.id).await.unwrap_err();
    assert_eq!(refusal.code(), Code::Unavailable, "{refusal:?}");
    drop(locked);
    readiness(&broker, true).await;
    broker.revoke(&identity, &issued.id).await.unwrap();
}
