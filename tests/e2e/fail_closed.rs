//! Promise 3: while audit cannot be written nothing is handed out, `/readyz` says so, and all recovers by itself.

use std::process::Command;

use dockpass::pb::Action::ContentRead;
use rustix::process::{Resource, Rlimit, prlimit};
use tonic::Code;
use tonic_types::StatusExt;

use crate::support::{AUDIENCE, Broker, Issuer, KeyMode, eventually, github, http, policy};

/// A broker that serves, and an identity that may pull from it.
async fn serving() -> (Issuer, Broker, String) {
    let issuer = Issuer::start().await;
    let mut broker = Broker::configure(issuer.url(), AUDIENCE, "localhost:5000", KeyMode::X5c);
    broker.apply(&policy(issuer.url(), "enabled")).await;
    // a write over the limit is to be an error, as on a full disk, and not the end of the program; its log has to go on
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\" >/dev/null 2>&1"]);
    shell.arg(env!("CARGO_BIN_EXE_dockpass"));
    broker.serve_as(shell).await;
    let identity = issuer.token(AUDIENCE, &github("123456", "refs/heads/main"));
    (issuer, broker, identity)
}

/// Whether a credential is handed out; else the reason, which has to come with UNAVAILABLE.
async fn issue(broker: &Broker, identity: &str) -> Result<(), String> {
    match broker.issue(identity, &[("servers/nginx", &[ContentRead])]).await {
        Ok(_) => Ok(()),
        Err(refusal) => {
            assert_eq!(refusal.code(), Code::Unavailable, "{refusal:?}");
            let details = refusal.get_error_details();
            assert!(details.retry_info().is_some(), "{details:?}");
            Err(details.error_info().unwrap().reason.clone())
        }
    }
}

async fn is_ready(broker: &Broker) -> bool {
    http().get(broker.ops_url("/readyz")).send().await.unwrap().status().is_success()
}

/// Waits until the broker is ready, or is not.
async fn readiness(broker: &Broker, wanted: bool) {
    let what = if wanted { "readiness" } else { "the end of readiness" };
    eventually(what, async || (is_ready(broker).await == wanted).then_some(())).await;
}

#[tokio::test]
async fn promise_3_on_a_full_disk_nothing_is_handed_out_until_there_is_room() {
    let (_issuer, broker, identity) = serving().await;
    assert_eq!(issue(&broker, &identity).await, Ok(()));
    assert!(is_ready(&broker).await);

    let before =
        prlimit(Some(broker.pid()), Resource::Fsize, Rlimit { current: Some(0), maximum: None });
    for _ in 0..3 {
        assert_eq!(issue(&broker, &identity).await, Err("AUDIT_UNAVAILABLE".to_owned()));
    }
    readiness(&broker, false).await;

    prlimit(Some(broker.pid()), Resource::Fsize, before.unwrap()).unwrap();
    readiness(&broker, true).await;
    assert_eq!(issue(&broker, &identity).await, Ok(()));
    broker.offline(&["audit", "verify"]).await.succeeded();
}

#[tokio::test]
async fn g5_promise_3_a_credential_whose_event_cannot_be_written_is_not_handed_out() {
    let (_issuer, broker, identity) = serving().await;
    let store = rusqlite::Connection::open(broker.folder().join("dockpass.db")).unwrap();
    store.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refusal = issue(&broker, &identity).await.unwrap_err();
    assert_eq!(refusal, "AUDIT_UNAVAILABLE");
    readiness(&broker, false).await;

    store.execute_batch("ROLLBACK").unwrap();
    readiness(&broker, true).await;
    assert_eq!(issue(&broker, &identity).await, Ok(()));
}
