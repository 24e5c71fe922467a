//! Requests that are malformed, or carry no identity that verifies.

use dockpass::model::Clock;
use dockpass::pb::Action::{ContentRead, MetadataWrite, Unspecified};
use dockpass::pb::{IssueAccessTokenRequest, RevokeAccessTokenRequest};
use serde_json::json;
use tonic::{Code, Request};
use tonic_types::StatusExt;

use crate::support::{AUDIENCE, Issuer, Site, basic, bearer, permission, pull, request};

#[tokio::test]
async fn h2_every_malformed_request_names_its_field() {
    let site = Site::new().await;
    let identity = site.identity("job");
    let many = (0..101).map(|n| permission(&format!("servers/n{n}"), &[ContentRead])).collect();
    let short = prost_types::Duration { seconds: 59, nanos: 0 };
    let good = pull("servers/nginx");
    let cases = [
        ("permissions", IssueAccessTokenRequest { permissions: many, ..good.clone() }),
        ("permissions", IssueAccessTokenRequest { permissions: Vec::new(), ..good.clone() }),
        ("permissions[0].repository", pull("Servers/Nginx")),
        ("permissions[0].repository", pull("servers/../nginx")),
        ("permissions[0].actions", request("servers/nginx", &[])),
        ("permissions[0].actions[0]", request("servers/nginx", &[Unspecified])),
        ("lifetime", IssueAccessTokenRequest { lifetime: Some(short), ..good.clone() }),
        ("registry", IssueAccessTokenRequest { registry: String::new(), ..good.clone() }),
        ("token_name", IssueAccessTokenRequest { token_name: "a b".to_owned(), ..good }),
    ];
    for (field, request) in cases {
        // each in a broker of its own: the second refusal of one source would only be counted
        let broker = site.start().await;
        let refusal = broker.issue(&identity, request).await.unwrap_err();
        site.refused(&refusal, Code::InvalidArgument, "INVALID_REQUEST");
        let details = refusal.get_error_details();
        let named = &details.bad_request().unwrap().field_violations[0].field;
        assert!(named.starts_with(field), "{named} is not {field}");
        broker.stop().await;
    }
}

#[tokio::test]
async fn h2_a_message_over_a_mebibyte_is_our_refusal_and_not_the_transports() {
    let site = Site::new().await;
    let broker = site.start().await;
    let refusal =
        broker.issue(&site.identity("job"), pull(&"a".repeat(8 << 20))).await.unwrap_err();
    site.refused(&refusal, Code::InvalidArgument, "INVALID_REQUEST");
}

#[tokio::test]
async fn an_access_token_id_that_is_none_is_malformed() {
    let site = Site::new().await;
    let broker = site.start().await;
    let request = RevokeAccessTokenRequest { access_token_id: "nonsense".to_owned() };
    let request = bearer(&site.identity("job"), request);
    let refusal = broker.client().revoke_access_token(request).await.unwrap_err();
    site.refused(&refusal, Code::InvalidArgument, "INVALID_REQUEST");
}

#[tokio::test]
async fn without_an_identity_nothing_is_said() {
    let site = Site::new().await;
    let broker = site.start().await;
    let refusal = broker.issue("", pull("servers/nginx")).await.unwrap_err();
    site.refused(&refusal, Code::Unauthenticated, "IDENTITY_MISSING");
}

#[tokio::test]
async fn identities_that_do_not_verify_are_refused_without_the_check_that_failed() {
    let site = Site::new().await;
    let stranger = Issuer::start().await;
    let now = site.clock.now().as_second();
    let claims = json!({"sub": "job"});
    let good = site.identity("job");
    let session = {
        let broker = site.start().await;
        let access_token = broker.issue(&good, pull("servers/nginx")).await.unwrap();
        broker.stop().await;
        access_token.password
    };
    let cases = [
        ("the issuer", stranger.token(AUDIENCE, &claims)),
        ("the audience", site.issuer.token_at(now, "https://other.example.com", &claims)),
        ("the time", site.issuer.token_at(now - 3_600, AUDIENCE, &claims)),
        (
            "the signature",
            stranger.token(AUDIENCE, &json!({"sub": "job", "iss": site.issuer.url()})),
        ),
        ("the form", "nonsense".to_owned()),
        ("a11: the purpose", session),
    ];
    let mut texts = Vec::new();
    for (check, identity) in cases {
        let broker = site.start().await;
        let refusal = broker.issue(&identity, pull("servers/nginx")).await.unwrap_err();
        let event = site.refused(&refusal, Code::Unauthenticated, "IDENTITY_INVALID");
        assert!(event.detail.is_some(), "{check}");
        texts.push(refusal.message().to_owned());
        broker.stop().await;
    }
    texts.dedup();
    assert_eq!(texts.len(), 1, "{texts:?}");
}

#[tokio::test]
async fn h1_two_identities_are_none() {
    let site = Site::new().await;
    let broker = site.start().await;
    let mut request = bearer(&site.identity("job"), pull("servers/nginx"));
    let second = format!("Bearer {}", site.identity("all-of-it")).parse().unwrap();
    request.metadata_mut().append("authorization", second);
    let refusal = broker.client().issue_access_token(request).await.unwrap_err();
    site.refused(&refusal, Code::Unauthenticated, "IDENTITY_INVALID");
}

#[tokio::test]
async fn a_password_is_an_identity_and_its_name_has_to_be_its_tokens() {
    let site = Site::new().await;
    let password = site.password_of("field-vendor").await;
    let broker = site.start().await;
    let as_name = |name: &str| {
        let mut request = Request::new(pull("servers/nginx"));
        request.metadata_mut().insert("authorization", basic(name, &password).parse().unwrap());
        request
    };
    let issued = broker.client().issue_access_token(as_name("field-vendor")).await.unwrap();
    assert_eq!(issued.into_inner().access_token.unwrap().token_name, "field-vendor");
    let refusal = broker.client().issue_access_token(as_name("nginx-ci")).await.unwrap_err();
    site.refused(&refusal, Code::Unauthenticated, "IDENTITY_INVALID");
}

#[tokio::test]
async fn what_the_registry_cannot_enforce_is_refused_to_whom_policy_would_allow_it() {
    let site = Site::new().await;
    let broker = site.start().await;
    let identity = site.identity("all-of-it");
    let refusal =
        broker.issue(&identity, request("any/where", &[MetadataWrite])).await.unwrap_err();
    site.refused(&refusal, Code::FailedPrecondition, "NOT_ENFORCEABLE");
    let refusal =
        broker.check(&identity, request("any/where", &[MetadataWrite])).await.unwrap_err();
    site.refused(&refusal, Code::FailedPrecondition, "NOT_ENFORCEABLE");
}
