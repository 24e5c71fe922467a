//! `issue` and `revoke` against the emulated broker.

use super::broker::{DECISION, IDENTITY};
use super::{broker, dockpass};

const PUSH: &str = "issue --registry local --repository Servers/nginx --action push";

#[tokio::test]
async fn the_credential_goes_to_standard_output_and_nothing_else_does() {
    let url = broker::start().await;
    let server = ("DOCKPASS_SERVER", url.as_str());
    let outcome = dockpass(PUSH, &[IDENTITY, server], "").await;
    assert_eq!((outcome.code, outcome.err.as_str()), (0, ""));
    assert!(outcome.out.contains("servers/nginx: content/read, content/write"), "{}", outcome.out);
    assert!(outcome.out.contains("2026-08-01T12:15:00Z (in 15m)"), "{}", outcome.out);
    assert!(outcome.out.contains("dps_canary"));
    assert!(!outcome.out.contains("bearer"));

    let outcome = dockpass(&format!("{PUSH} --bearer -o json"), &[IDENTITY, server], "").await;
    let json: serde_json::Value = serde_json::from_str(&outcome.out).unwrap();
    assert_eq!(
        (&json["bearerToken"], &json["tokenName"]),
        (&"jwt-canary".into(), &"nginx-ci".into())
    );
}

#[tokio::test]
async fn a_refusal_by_policy_exits_with_three_and_every_other_with_one() {
    let url = broker::start().await;
    for (repository, code, reason) in [
        ("denied", 3, "ACCESS_DENIED"),
        ("impossible", 3, "NOT_ENFORCEABLE"),
        ("later", 1, "REGISTRY_UNAVAILABLE"),
    ] {
        let arguments = format!(
            "issue --server {url} --registry local --repository {repository} --action pull"
        );
        let outcome = dockpass(&arguments, &[IDENTITY], "").await;
        assert_eq!((outcome.code, outcome.out.as_str()), (code, ""), "{}", outcome.err);
        assert!(
            outcome.err.starts_with(&format!("dockpass: refused: {reason}")),
            "{}",
            outcome.err
        );
        assert!(outcome.err.contains(&format!("dockpass explain {DECISION}")), "{}", outcome.err);
    }
}

#[tokio::test]
async fn who_is_calling_comes_from_flags_files_and_standard_input() {
    let url = broker::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "identity-canary\n").unwrap();
    let file = format!("{PUSH} --server {url} --identity-token-file {}", file.display());
    let stdin = format!("{PUSH} --server {url} --identity-token-file -");
    let password = format!("{PUSH} --server {url} --username vendor --password-stdin");
    for (arguments, input, code) in [
        (&file, "", 0),
        (&stdin, "identity-canary\n", 0),
        (&stdin, "other", 1),
        (&password, "dpk_x\n", 0),
        (&password, "dpk_y\n", 1),
        (&password, "", 1),
    ] {
        let outcome = dockpass(arguments, &[], input).await;
        assert_eq!(outcome.code, code, "{arguments} {input:?}: {}", outcome.err);
        assert!(!outcome.err.contains("dpk_"), "{}", outcome.err);
    }
}

#[tokio::test]
async fn a_broker_that_is_not_there_is_told_with_what_to_do() {
    // a port that was free a moment ago, on an address that nothing else takes
    let free = std::net::TcpListener::bind("127.0.0.9:0").unwrap().local_addr().unwrap();
    let outcome = dockpass(&format!("{PUSH} --server http://{free}"), &[IDENTITY], "").await;
    assert_eq!(outcome.code, 1);
    let expected = format!("cannot reach the broker at http://{free}: Connection refused");
    assert!(outcome.err.contains(&expected) && outcome.err.contains("--server"), "{}", outcome.err);
}

#[tokio::test]
async fn an_identity_is_never_sent_in_the_clear_nor_shown() {
    let outcome = dockpass(&format!("{PUSH} --server http://example.com"), &[IDENTITY], "").await;
    assert_eq!(outcome.code, 2);
    assert!(outcome.err.contains("use https"), "{}", outcome.err);
    assert!(!outcome.err.contains("identity-canary"));
}

#[tokio::test]
async fn revoking_tells_when_it_would_have_ended() {
    let url = broker::start().await;
    let outcome = dockpass(&format!("revoke {DECISION} --server {url}"), &[IDENTITY], "").await;
    assert_eq!(outcome.code, 0, "{}", outcome.err);
    assert_eq!(
        outcome.out,
        format!("{DECISION} is taken back; it would have ended at 2026-08-01T12:15:00Z\n")
    );

    let outcome =
        dockpass(&format!("revoke {DECISION} --server {url} --output json"), &[IDENTITY], "").await;
    let json: serde_json::Value = serde_json::from_str(&outcome.out).unwrap();
    assert_eq!(json["expireTime"], "2026-08-01T12:15:00Z");

    let other = "0199f3c2-0000-7000-8000-000000000000";
    let outcome = dockpass(&format!("revoke {other} --server {url}"), &[IDENTITY], "").await;
    assert_eq!(outcome.code, 1);
    assert!(outcome.err.contains("NOT_REVOCABLE"), "{}", outcome.err);
}
