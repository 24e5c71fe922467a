//! `/notifications/{registry}`: what a registry was used for, in the webhook format of distribution.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Deserialize;

use super::call::call;
use super::request::Malformed;
use super::{body, error};
use crate::audit::Deed;
use crate::broker::{Broker, Call, Report};
use crate::model::Secret;

/// The largest notification: distribution sends one event, or what gathered while the last one was on its way.
const MAX_BODY: usize = 256 << 10;

/// How long a notification may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest text that is taken over from a registry, in bytes; what is longer is cut.
const MAX_TEXT: usize = 256;

/// Answers `POST`: 200 when all of it is in the audit trail, so that a registry that hears anything else sends it again.
pub(super) async fn post(
    State(broker): State<Arc<Broker>>,
    Path(registry): Path<String>,
    request: Request,
) -> Response {
    if !broker.takes_notifications() {
        return error::not_found();
    }
    let (parts, body) = request.into_parts();
    let call = call(&parts.headers, &parts.extensions);
    // before the body is read: a stranger costs next to nothing
    let secret = bearer(&parts.headers);
    let registry = match broker.notifying_registry(&call, &registry, secret.as_ref()).await {
        Ok(registry) => registry,
        Err(refusal) => return error::refused(&refusal),
    };
    let reports = match body::read(body, MAX_BODY, BODY_TIMEOUT).await {
        Ok(bytes) => parse(&bytes),
        Err(malformed) => Err(malformed),
    };
    match reports {
        Ok(reports) => match broker.record_uses(call, registry, reports).await {
            Ok(()) => StatusCode::OK.into_response(),
            Err(refusal) => error::refused(&refusal),
        },
        Err(malformed) => refuse(&broker, call, &malformed).await,
    }
}

async fn refuse(broker: &Arc<Broker>, call: Call, malformed: &Malformed) -> Response {
    let refusal = broker.refuse_malformed(call, vec![malformed.violation.clone()]).await;
    error::malformed(&refusal, malformed)
}

/// The secret of the one `Authorization: Bearer` header.
fn bearer(headers: &HeaderMap) -> Option<Secret> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let (scheme, secret) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| Secret::new(secret.trim_matches(' ')))
}

fn parse(bytes: &[u8]) -> Result<Vec<Report>, Malformed> {
    let envelope: Envelope = serde_json::from_slice(bytes).map_err(|_| {
        let description = "is no notification of distribution: a JSON object with `events`";
        Malformed::new(StatusCode::BAD_REQUEST, "body", description)
    })?;
    Ok(envelope.events.into_iter().filter_map(report).collect())
}

/// What we know how to read. A registry would send the rest again for ever, so that is left out with a line in the log.
fn report(message: Message) -> Option<Report> {
    let Message { id, timestamp, action, target, request, actor } = message;
    let deed = match action.as_str() {
        "delete" => Deed::Delete,
        "mount" => Deed::Mount,
        "pull" => Deed::Pull,
        "push" => Deed::Push,
        _ => {
            tracing::debug!(action = bounded(action), "a registry reported what is no use of it");
            return None;
        }
    };
    let Ok(repository) = target.repository.parse() else {
        tracing::warn!(
            repository = bounded(target.repository),
            "a registry reported a use of what is no repository name"
        );
        return None;
    };
    Some(Report {
        id: text(id),
        deed,
        repository,
        from_repository: target.from_repository.parse().ok(),
        tag: text(target.tag),
        digest: text(target.digest),
        media_type: text(target.media_type),
        size: target.size,
        time: timestamp,
        actor: text(actor.name),
        client: text(request.addr).map(host),
        request_id: text(request.id),
        user_agent: text(request.useragent),
    })
}

/// A text that says something, and not too much.
fn text(text: String) -> Option<String> {
    Some(bounded(text)).filter(|text| !text.is_empty())
}

/// At most [`MAX_TEXT`] bytes, without control characters: it goes into the trail and into the log.
fn bounded(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(MAX_TEXT));
    text.retain(|c| !c.is_control());
    text
}

/// An address without its port, which is another one for each connection.
fn host(address: String) -> String {
    match address.parse::<std::net::SocketAddr>() {
        Ok(socket) => socket.ip().to_canonical().to_string(),
        Err(_) => address,
    }
}

/// The body of a notification.
#[derive(Deserialize)]
struct Envelope {
    events: Vec<Message>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    id: String,
    timestamp: Timestamp,
    action: String,
    #[serde(default)]
    target: Target,
    #[serde(default)]
    request: ClientRequest,
    #[serde(default)]
    actor: Actor,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Target {
    media_type: String,
    digest: String,
    size: Option<u64>,
    repository: String,
    from_repository: String,
    tag: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ClientRequest {
    id: String,
    addr: String,
    useragent: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Actor {
    name: String,
}

#[cfg(test)]
mod tests;
