//! G7: whoever is not allowed does not learn why, or what there is.

use dockpass::pb::Action::{ContentDelete, ContentRead};
use dockpass::pb::IssueAccessTokenRequest;
use reqwest::StatusCode;
use tonic::{Code, Status};

use crate::support::{Answer, Site, decision_id, pull, push, request};

/// All that a caller sees of a refusal, but for the decision id: code, text, details.
fn seen(refusal: &Status) -> (Code, String, Vec<u8>) {
    let id = decision_id(refusal).into_bytes();
    let details = refusal.details();
    let at = details.windows(id.len()).position(|window| window == id).unwrap();
    let rest = [&details[..at], &details[at + id.len()..]].concat();
    (refusal.code(), refusal.message().to_owned(), rest)
}

#[tokio::test]
async fn g7_every_denial_looks_the_same_to_a_caller_and_different_to_an_operator() {
    let site = Site::new().await;
    let broker = site.start().await;
    let good = push("servers/nginx");
    let cases = [
        ("nobody", good.clone()),
        ("job", IssueAccessTokenRequest { registry: "other".to_owned(), ..good.clone() }),
        ("job", pull("secret/nginx")),
        ("job", request("servers/base/os", &[ContentRead, ContentDelete])),
        ("job", IssueAccessTokenRequest { token_name: "all-of-it".to_owned(), ..good.clone() }),
        ("job", IssueAccessTokenRequest { token_name: "not-there".to_owned(), ..good.clone() }),
        ("switched-off", good.clone()),
        ("past-its-end", good),
    ];
    let (mut faces, mut causes) = (Vec::new(), Vec::new());
    for (subject, request) in cases {
        let refusal = broker.issue(&site.identity(subject), request).await.unwrap_err();
        let event = site.refused(&refusal, Code::PermissionDenied, "ACCESS_DENIED");
        causes.push(event.detail.unwrap());
        faces.push(seen(&refusal));
    }
    faces.dedup();
    assert_eq!(faces.len(), 1, "{faces:?}");
    causes.sort();
    causes.dedup();
    assert_eq!(causes.len(), 8, "{causes:?}");
}

#[tokio::test]
async fn g7_revoking_does_not_tell_what_was_issued() {
    let site = Site::new().await;
    let broker = site.start().await;
    let issued = broker.issue(&site.identity("job"), push("servers/nginx")).await.unwrap();
    let other = site.identity("all-of-it");
    let denial = broker.issue(
        &other,
        IssueAccessTokenRequest { registry: "other".to_owned(), ..push("servers/nginx") },
    );
    let mut faces = vec![seen(&denial.await.unwrap_err())];
    for id in [issued.id.as_str(), "01890a5d-ac96-774b-bcce-b302099a8057"] {
        let refusal = broker.revoke(&other, id).await.unwrap_err();
        site.refused(&refusal, Code::PermissionDenied, "ACCESS_DENIED");
        faces.push(seen(&refusal));
    }
    faces.dedup();
    assert_eq!(faces.len(), 1, "{faces:?}");
}

#[tokio::test]
async fn a_check_tells_the_caller_no_more_than_the_refusal_would() {
    let site = Site::new().await;
    let broker = site.start().await;
    let identity = site.identity("job");
    let allowed = broker.check(&identity, push("servers/nginx")).await.unwrap();
    assert!(allowed.allowed, "{allowed:?}");
    assert_eq!((allowed.token_name.as_str(), allowed.reason.as_str()), ("nginx-ci", ""));
    let mut answers = Vec::new();
    for (subject, repository) in
        [("job", "secret/nginx"), ("nobody", "servers/nginx"), ("switched-off", "servers/nginx")]
    {
        let mut answer = broker.check(&site.identity(subject), push(repository)).await.unwrap();
        let event = site.event(&std::mem::take(&mut answer.decision_id));
        assert_eq!(event.reason.unwrap().as_str(), "ACCESS_DENIED");
        assert!(!answer.allowed);
        answers.push(answer);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(answers[0].reason, "ACCESS_DENIED");
}

/// All that a docker client sees, but for the decision id.
fn shown(answer: &Answer) -> (StatusCode, Vec<String>, String) {
    let id = answer.body["errors"][0]["detail"]["decisionId"].as_str().unwrap();
    let mut headers: Vec<_> = answer.headers.keys().map(ToString::to_string).collect();
    headers.sort();
    (answer.status, headers, answer.body.to_string().replace(id, "ID"))
}

#[tokio::test]
async fn g7_a_docker_client_cannot_tell_a_wrong_password_from_a_disabled_token() {
    let site = Site::new().await;
    let off = site.password_of("switched-off").await;
    let ended = site.password_of("past-its-end").await;
    let gone = site.password_of("field-vendor").await;
    site.change_token("field-vendor", |token| token.passwords.clear()).await;
    let broker = site.start().await;
    let wrong = "dpk_wrong".to_owned();
    let nobody = site.identity("nobody");
    let mut faces = Vec::new();
    for (username, password) in [
        ("field-vendor", &wrong),
        ("not-there", &wrong),
        ("field-vendor", &gone),
        ("switched-off", &off),
        ("past-its-end", &ended),
        ("nginx-ci", &off),
        ("oidc", &nobody),
    ] {
        let answer = broker.login(Some((username, password)), &[], &[]).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{username}: {answer:?}");
        faces.push(shown(&answer));
    }
    faces.dedup();
    assert_eq!(faces.len(), 1, "{faces:?}");
}
