//! From a [`DockerToken`] to the answer that docker clients and OAuth 2.0 clients read.

use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use super::json::json;
use super::request::Reply;
use super::scope::format_scopes;
use crate::broker::DockerToken;
use crate::model::Secret;

/// Some clients read `token`, some `access_token`: both are there and equal.
#[derive(Serialize)]
struct Body<'a> {
    token: &'a str,
    access_token: &'a str,
    /// An integer: Go clients fail on a fraction.
    expires_in: u64,
    issued_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issued_token_type: Option<&'static str>,
}

/// The answer to a request that was granted.
pub(super) fn render(token: &DockerToken, reply: Reply) -> Response {
    json(StatusCode::OK, &body(token, reply))
}

fn body(token: &DockerToken, reply: Reply) -> Body<'_> {
    let oauth = reply != Reply::Docker;
    Body {
        token: token.jwt.expose(),
        access_token: token.jwt.expose(),
        expires_in: token.expires_in,
        issued_at: token.issue_time.to_string(),
        refresh_token: token.refresh_token.as_ref().map(Secret::expose),
        scope: oauth.then(|| format_scopes(&token.granted)),
        token_type: oauth.then_some("Bearer"),
        issued_token_type: match reply {
            Reply::Exchange(issued_token_type) => Some(issued_token_type),
            Reply::Docker | Reply::OAuth => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
    use serde_json::{Value, json};

    use super::*;
    use crate::model::{ActionSet, Permission};

    fn token(refresh_token: Option<&str>) -> DockerToken {
        let granted =
            Permission { repository: "servers/nginx".parse().unwrap(), actions: ActionSet::PUSH };
        DockerToken {
            jwt: Secret::new("a.b.c"),
            expires_in: 300,
            issue_time: "2026-08-01T10:00:00Z".parse().unwrap(),
            granted: vec![granted].into(),
            refresh_token: refresh_token.map(Secret::new),
        }
    }

    fn rendered(token: &DockerToken, reply: Reply) -> Value {
        serde_json::to_value(body(token, reply)).unwrap()
    }

    #[test]
    fn f7_a_get_is_answered_with_both_names_and_an_integer() {
        let expected = json!({
            "token": "a.b.c", "access_token": "a.b.c", "expires_in": 300, "issued_at": "2026-08-01T10:00:00Z",
        });
        assert_eq!(rendered(&token(None), Reply::Docker), expected);
        assert_eq!(rendered(&token(Some("dps_x")), Reply::Docker)["refresh_token"], "dps_x");
    }

    #[test]
    fn a_post_is_answered_with_what_was_granted() {
        let body = rendered(&token(None), Reply::OAuth);
        assert_eq!(body["scope"], "repository:servers/nginx:pull,push");
        assert_eq!(body["token_type"], "Bearer");
        assert_eq!(body.get("issued_token_type"), None);
        let empty = DockerToken { granted: Vec::new().into(), ..token(None) };
        assert_eq!(rendered(&empty, Reply::OAuth)["scope"], "");
    }

    #[test]
    fn an_exchange_is_answered_with_the_issued_token_type() {
        let body = rendered(&token(None), Reply::Exchange("urn:x"));
        assert_eq!(body["issued_token_type"], "urn:x");
        assert_eq!(body["token_type"], "Bearer");
    }

    #[test]
    fn f11_no_cache_keeps_an_answer() {
        let response = render(&token(None), Reply::Docker);
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
        assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
    }
}
