//! What `dockpass dev` shows: one grant, one refusal, and what is left of both in the audit trail.

use std::io::{self, Write};
use std::net::SocketAddr;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::Value;
use tonic::Status;
use tonic::metadata::MetadataValue;
use tonic::transport::{Channel, Endpoint};
use tonic_types::StatusExt;

use crate::model::Secret;
use crate::pb::access_service_client::AccessServiceClient;
use crate::pb::{AccessToken, Action, IssueAccessTokenRequest, RepositoryPermission};

/// A CI job with an identity token: it asks dockpass over gRPC as every other caller does.
#[derive(Debug)]
pub(super) struct CiJob {
    client: AccessServiceClient<Channel>,
    identity_token: Secret,
}

impl CiJob {
    pub(super) async fn connect(
        broker: SocketAddr,
        identity_token: Secret,
    ) -> anyhow::Result<Self> {
        let channel = Endpoint::from_shared(format!("http://{broker}"))?
            .connect()
            .await
            .context("the broker does not answer")?;
        Ok(Self { client: AccessServiceClient::new(channel), identity_token })
    }

    /// Asks for a push to one repository, with a bearer token.
    pub(super) async fn ask_to_push(&mut self, repository: &str) -> Result<AccessToken, Status> {
        let mut request = tonic::Request::new(IssueAccessTokenRequest {
            registry: "local".to_owned(),
            permissions: vec![RepositoryPermission {
                repository: repository.to_owned(),
                actions: vec![Action::ContentRead.into(), Action::ContentWrite.into()],
            }],
            with_bearer_token: true,
            ..IssueAccessTokenRequest::default()
        });
        let header = format!("Bearer {}", self.identity_token.expose());
        let mut header: MetadataValue<_> = header
            .parse()
            .map_err(|_| Status::internal("the identity token is no header value"))?;
        header.set_sensitive(true);
        request.metadata_mut().insert("authorization", header);
        let response = self.client.issue_access_token(request).await?.into_inner();
        response.access_token.ok_or_else(|| Status::internal("the reply holds no access token"))
    }
}

/// Prints an access token: everything but the secrets, which are shortened.
pub(super) fn show_grant(out: &mut impl Write, token: &AccessToken) -> io::Result<()> {
    let time = |time: Option<prost_types::Timestamp>| {
        time.and_then(|time| Timestamp::from_second(time.seconds).ok()).unwrap_or_default()
    };
    writeln!(out, "   allowed: token {}, scope map {}", token.token_name, token.scope_map)?;
    writeln!(out, "     id        {}", token.id)?;
    writeln!(out, "     until     {}", time(token.expire_time))?;
    writeln!(out, "     username  {}", token.username)?;
    writeln!(out, "     password  {}", shortened(&token.password))?;
    writeln!(out, "     bearer    {}, whose claims are", shortened(&token.bearer_token))?;
    let claims = decoded_claims(&token.bearer_token).unwrap_or_default();
    for (name, value) in claims {
        writeln!(out, "       {name:<6}  {value}")?;
    }
    Ok(())
}

/// Prints a refusal as its caller sees it. Returns the id of the decision.
pub(super) fn show_refusal(out: &mut impl Write, status: &Status) -> io::Result<Option<String>> {
    let info = status.get_details_error_info();
    let reason = info.as_ref().map_or("", |info| info.reason.as_str());
    let decision = info.as_ref().and_then(|info| info.metadata.get("decision-id").cloned());
    writeln!(out, "   refused: {:?} {reason}: {}", status.code(), status.message())?;
    writeln!(out, "     decision  {}", decision.as_deref().unwrap_or("-"))?;
    Ok(decision)
}

/// Prints why the request was refused: the summary, and what stood in its way in each token.
pub(super) fn show_trace(out: &mut impl Write, explained: &Value) -> io::Result<()> {
    let Some(trace) = explained.get("trace").filter(|trace| !trace.is_null()) else {
        return writeln!(out, "     policy was not asked");
    };
    writeln!(out, "     {}", text(trace, "summary"))?;
    for token in array(trace, "tokens") {
        writeln!(out, "     token {}: {}", text(token, "name"), text(token, "outcome"))?;
        let entries = array(token, "entries").map(|entry| {
            let actions: Vec<_> = array(entry, "actions").filter_map(Value::as_str).collect();
            format!("{}: {}", text(entry, "pattern"), actions.join(", "))
        });
        let entries: Vec<_> = entries.collect();
        writeln!(out, "       {} allows {}", text(token, "scopeMap"), entries.join("; "))?;
    }
    Ok(())
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or("-")
}

fn array<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

/// Enough of a secret to know it again, too little to use it.
fn shortened(secret: &str) -> String {
    let start: String = secret.chars().take(8).collect();
    format!("{start}… ({} characters)", secret.chars().count())
}

fn decoded_claims(jwt: &str) -> Option<serde_json::Map<String, Value>> {
    let body = URL_SAFE_NO_PAD.decode(jwt.split('.').nth(1)?).ok()?;
    serde_json::from_slice(&body).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shown_grant_holds_no_whole_secret() {
        let token = AccessToken {
            password: format!("dps_{}", "s".repeat(300)),
            bearer_token: format!(
                "e30.{}.{}",
                URL_SAFE_NO_PAD.encode(r#"{"sub":"x"}"#),
                "t".repeat(86)
            ),
            ..AccessToken::default()
        };
        let mut out = Vec::new();
        show_grant(&mut out, &token).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("sub     \"x\"") && text.contains("dps_ssss…"), "{text}");
        assert!(!text.contains(&"s".repeat(20)) && !text.contains(&"t".repeat(20)), "{text}");
    }
}
