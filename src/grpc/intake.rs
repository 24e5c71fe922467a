//! Before a message is decoded: it is read whole, within a size and a time. What cannot be read is refused like any
//! malformed request, with a decision that is recorded; tonic alone would answer with a bare code.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tonic::{Code, Status};

use super::call::{call, timeout};
use super::status::status;
use crate::broker::{Broker, Call, FieldViolation};

/// The largest message; 100 permissions with the longest names are a fortieth of it.
pub(super) const MAX_MESSAGE: usize = 1024 * 1024;

/// The compression flag and the length that stand before a message.
const FRAME_HEADER: usize = 5;

/// How long a caller may take to send its message.
const MAX_TIME: Duration = Duration::from_secs(10);

/// Reads the request whole, then lets the service have it.
pub(super) async fn intake(
    State(broker): State<Arc<Broker>>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let call = call(&parts.headers, &parts.extensions);
    let whole = match timeout(&parts.headers) {
        Ok(_) => read(body).await,
        Err(violation) => Err(violation),
    };
    let refused = match whole {
        Ok(bytes) => {
            let response = next.run(Request::from_parts(parts, Body::from(bytes))).await;
            match unreadable(&response) {
                None => return response,
                Some(violation) => violation,
            }
        }
        Err(violation) => violation,
    };
    refuse(&broker, call, refused).await
}

async fn refuse(broker: &Arc<Broker>, call: Call, violation: FieldViolation) -> Response {
    let refusal = broker.refuse_malformed(call, vec![violation]).await;
    status(&refusal).into_http()
}

async fn read(body: Body) -> Result<Bytes, FieldViolation> {
    let whole = Limited::new(body, MAX_MESSAGE + FRAME_HEADER).collect();
    match tokio::time::timeout(MAX_TIME, whole).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err(violation(format!("the message is larger than {MAX_MESSAGE} bytes")))
        }
        Ok(Err(_)) => Err(violation("the message broke off")),
        Err(_) => Err(violation(format!("the message took longer than {MAX_TIME:?} to arrive"))),
    }
}

/// What is wrong with a message that tonic refused to decode. Our own refusals have details; its refusals have none.
fn unreadable(response: &Response) -> Option<FieldViolation> {
    let status = Status::from_header_map(response.headers())?;
    let ours = !status.details().is_empty();
    if ours || matches!(status.code(), Code::Ok | Code::Unimplemented) {
        return None;
    }
    Some(violation("the message does not decode: send the one of the method's definition"))
}

fn violation(description: impl Into<String>) -> FieldViolation {
    FieldViolation { field: "request".to_owned(), description: description.into() }
}
