//! `/token`: the token endpoint of docker registries, and OAuth 2.0 token exchange.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::response::Response;

use super::body::{FORM_TIMEOUT, read_form};
use super::call::call;
use super::request::{Asked, Malformed, parse_get, parse_post};
use super::{error, response};
use crate::broker::{Broker, Call};

/// Answers `GET /token`.
pub(super) async fn get(State(broker): State<Arc<Broker>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let asked = parse_get(parts.uri.query().unwrap_or_default(), &parts.headers);
    exchange(&broker, &parts, asked).await
}

/// Answers `POST /token`. Its query is not read: the form alone counts.
pub(super) async fn post(State(broker): State<Arc<Broker>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let form = read_form(&parts.headers, body, FORM_TIMEOUT).await;
    let asked = form.and_then(|form| parse_post(&form, &parts.headers));
    exchange(&broker, &parts, asked).await
}

async fn exchange(
    broker: &Arc<Broker>,
    parts: &Parts,
    asked: Result<Asked, Malformed>,
) -> Response {
    let call = call(&parts.headers, &parts.extensions);
    match asked {
        Ok(Asked { request, reply }) => match broker.docker_token(call, request).await {
            Ok(token) => response::render(&token, reply),
            Err(refusal) => error::refused(&refusal),
        },
        Err(malformed) => refuse(broker, call, &malformed).await,
    }
}

/// A request that could not be understood is recorded as well.
async fn refuse(broker: &Arc<Broker>, call: Call, malformed: &Malformed) -> Response {
    let refusal = broker.refuse_malformed(call, vec![malformed.violation.clone()]).await;
    error::malformed(&refusal, malformed)
}
