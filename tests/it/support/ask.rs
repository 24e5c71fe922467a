//! What clients ask, and what they are answered.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dockpass::pb::Action::{ContentRead, ContentWrite};
use dockpass::pb::{Action, IssueAccessTokenRequest, RepositoryPermission};
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use super::running::claims;

/// An HTTP client that, unlike the one of dockpass, does what it is told.
#[expect(clippy::disallowed_methods, reason = "the tests stand outside of dockpass")]
pub(crate) fn http() -> reqwest::Client {
    reqwest::Client::new()
}

/// A request to pull a repository.
pub(crate) fn pull(repository: &str) -> IssueAccessTokenRequest {
    request(repository, &[ContentRead])
}

/// A request to pull and push a repository.
pub(crate) fn push(repository: &str) -> IssueAccessTokenRequest {
    request(repository, &[ContentRead, ContentWrite])
}

/// A request for actions on a repository of the registry `local`.
pub(crate) fn request(repository: &str, actions: &[Action]) -> IssueAccessTokenRequest {
    IssueAccessTokenRequest {
        registry: "local".to_owned(),
        permissions: vec![permission(repository, actions)],
        ..Default::default()
    }
}

/// Actions on a repository.
pub(crate) fn permission(repository: &str, actions: &[Action]) -> RepositoryPermission {
    RepositoryPermission {
        repository: repository.to_owned(),
        actions: actions.iter().map(|action| i32::from(*action)).collect(),
    }
}

/// The value of an `Authorization` header.
pub(crate) fn basic(username: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{username}:{password}")))
}

/// An answer of the token endpoint.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    /// Sends the request.
    pub(super) async fn of(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or_else(|_| json!(text));
        Self { status, headers, body }
    }

    /// The claims of the registry's JWT in it.
    pub(crate) fn jwt(&self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{self:?}");
        claims(self.body["token"].as_str().unwrap())
    }

    /// What the JWT lets through, as the registry reads it: `name:actions`, sorted.
    pub(crate) fn access(&self) -> Vec<String> {
        let jwt = self.jwt();
        let mut access: Vec<_> = jwt["access"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| {
                let actions: Vec<_> =
                    entry["actions"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
                format!("{}:{}", entry["name"].as_str().unwrap(), actions.join(","))
            })
            .collect();
        access.sort();
        access
    }

    /// The refresh token in it.
    pub(crate) fn refresh_token(&self) -> Option<&str> {
        self.body.get("refresh_token").and_then(Value::as_str)
    }
}
