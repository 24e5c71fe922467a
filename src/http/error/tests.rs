use serde_json::Value;

use super::*;
use crate::identity::Check;
use crate::model::DecisionId;
use crate::policy::Denial;

const SECOND: Duration = Duration::from_secs(1);

fn refusal(error: Error) -> Refusal {
    Refusal { decision_id: DecisionId::new("2026-08-01T10:00:00Z".parse().unwrap()), error }
}

async fn read(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap())
}

fn invalid_identity() -> Error {
    identity::Error::Invalid { check: Check::Algorithm, claimed_issuer: Some("https://i".into()) }
        .into()
}

#[tokio::test]
async fn g7_a_denial_looks_like_a_wrong_password() {
    let mut denied = refusal(Denial::NoToken.into());
    let wrong = refusal(invalid_identity());
    denied.decision_id = wrong.decision_id;
    let (denied_headers, wrong_headers) =
        (refused(&denied).headers().clone(), refused(&wrong).headers().clone());
    assert_eq!(denied_headers, wrong_headers);
    assert_eq!(read(refused(&denied)).await, read(refused(&wrong)).await);
}

#[tokio::test]
async fn f6_a_wrong_password_is_a_401_that_every_client_shows() {
    let refusal = refusal(invalid_identity());
    let response = refused(&refusal);
    assert!(response.headers()[WWW_AUTHENTICATE].to_str().unwrap().starts_with("Basic realm="));
    let (status, body) = read(response).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let text = format!("invalid username or password (decision {})", refusal.decision_id);
    assert_eq!(body["errors"][0]["code"], "UNAUTHORIZED");
    for shown in [&body["errors"][0]["message"], &body["details"], &body["error_description"]] {
        assert_eq!(*shown, text);
    }
    assert_eq!(body["error"], "invalid_grant");
    assert_eq!(body["errors"][0]["detail"]["decisionId"], refusal.decision_id.to_string());
    assert!(body.get("token").is_none() && body.get("access_token").is_none());
}

#[tokio::test]
async fn an_ended_session_says_so() {
    let (status, body) = read(refused(&refusal(Error::SessionExpired))).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert!(body["details"].as_str().unwrap().starts_with("session expired"));
}

#[tokio::test]
async fn what_passes_by_itself_says_when_to_try_again() {
    let millis = Duration::from_millis(1500);
    for (error, status, seconds) in [
        (Error::RateLimited { subject: "address", retry_after: millis }, 429, "2"),
        (Error::Overloaded { retry_after: Duration::ZERO }, 503, "1"),
        (Error::Store { problem: "disk".into(), retry_after: SECOND }, 503, "1"),
        (audit::Error::Overloaded.into(), 503, "1"),
        (
            audit::Error::Unavailable { problem: "disk".into(), retry_after: SECOND }.into(),
            503,
            "1",
        ),
    ] {
        let response = refused(&refusal(error));
        assert_eq!(response.status(), status);
        assert_eq!(response.headers()[RETRY_AFTER], seconds);
    }
}

#[tokio::test]
async fn our_own_faults_have_one_fixed_text() {
    let registry = || "local".to_owned();
    for error in [
        Error::Internal("canary".into()),
        registry::Error::Denied { registry: registry(), problem: "canary".into() }.into(),
        registry::Error::Overgrant { registry: registry(), problem: "canary".into() }.into(),
        registry::Error::Internal("canary".into()).into(),
        identity::Error::Config { issuer: "canary".into(), problem: "canary".into() }.into(),
    ] {
        let (status, body) = read(refused(&refusal(error))).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!body.to_string().contains("canary"), "{body}");
    }
}

#[tokio::test]
async fn causes_behind_us_are_not_told() {
    for error in [
        Error::Store { problem: "canary".into(), retry_after: SECOND },
        audit::Error::Unavailable { problem: "canary".into(), retry_after: SECOND }.into(),
        registry::Error::Unavailable {
            registry: "canary".into(),
            problem: "canary".into(),
            retry_after: SECOND,
        }
        .into(),
        identity::Error::IssuerUnavailable {
            issuer: "canary".into(),
            problem: "canary".into(),
            retry_after: SECOND,
        }
        .into(),
    ] {
        let (status, body) = read(refused(&refusal(error))).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(!body.to_string().contains("canary"), "{body}");
    }
}

#[tokio::test]
async fn a_malformed_request_names_the_field_and_keeps_its_own_status_and_word() {
    let problem = Malformed {
        error: "unsupported_grant_type",
        ..Malformed::new(StatusCode::PAYLOAD_TOO_LARGE, "grant_type", "is unknown")
    };
    let refusal = refusal(Error::InvalidRequest(vec![problem.violation.clone()]));
    let (status, body) = read(malformed(&refusal, &problem)).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(body["error"], "unsupported_grant_type");
    assert!(body["details"].as_str().unwrap().starts_with("`grant_type` is unknown"));
    assert_eq!(body["errors"][0]["detail"]["violations"][0]["field"], "grant_type");
}

#[tokio::test]
async fn a_malformed_request_that_is_refused_for_another_reason_shows_that() {
    let problem = Malformed::new(StatusCode::PAYLOAD_TOO_LARGE, "body", "is too large");
    let limited = refusal(Error::RateLimited { subject: "address", retry_after: SECOND });
    let (status, body) = read(malformed(&limited, &problem)).await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(body["error"], "temporarily_unavailable");
}

#[tokio::test]
async fn what_cannot_be_enforced_says_what_to_ask_for() {
    let error = registry::Error::NotEnforceable { hint: "ask for `push`".into() };
    let (status, body) = read(refused(&refusal(error.into()))).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(body["details"].as_str().unwrap().starts_with("ask for `push`"));
}

#[tokio::test]
async fn unserved_paths_and_methods_are_answered_in_the_registry_format() {
    let (status, body) = read(not_found()).await;
    assert_eq!((status, &body["errors"][0]["code"]), (StatusCode::NOT_FOUND, &"NOT_FOUND".into()));
    let response = method_not_allowed("GET, POST");
    assert_eq!(response.headers()[ALLOW], "GET, POST");
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
}
