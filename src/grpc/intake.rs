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
use tokio::sync::Semaphore;
use tonic::{Code, Status};

use super::call::{call, timeout};
use super::status::status;
use crate::broker::{Broker, Call, FieldViolation};

/// The largest message; 100 permissions with the longest names are less than half of it.
pub(super) const MAX_MESSAGE: usize = 64 * 1024;

/// The compression flag and the length that stand before a message.
const FRAME_HEADER: usize = 5;

/// How long a caller may take to send its message.
const MAX_TIME: Duration = Duration::from_secs(10);

/// The messages that may arrive at once on one connection; others wait, and their bytes with them, so that no connection
/// can make more than a mebibyte of its messages lie here unfinished.
const MAX_ARRIVING: usize = 16;

/// Whose turn it is to arrive on a connection. Clones share the turns.
#[derive(Clone, Debug)]
pub(super) struct Arrivals(Arc<Semaphore>);

impl Default for Arrivals {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MAX_ARRIVING)))
    }
}

/// Reads the request whole, then lets the service have it.
pub(super) async fn intake(
    State(broker): State<Arc<Broker>>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let call = call(&parts.headers, &parts.extensions);
    let arrivals = parts.extensions.get::<Arrivals>().cloned().unwrap_or_default();
    let whole = match timeout(&parts.headers) {
        Ok(_) => read(body, MAX_TIME, &arrivals).await,
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

async fn read(body: Body, within: Duration, arrivals: &Arrivals) -> Result<Bytes, FieldViolation> {
    let whole = async {
        // INVARIANT: the semaphore is never closed
        let _turn = arrivals.0.acquire().await;
        Limited::new(body, MAX_MESSAGE + FRAME_HEADER).collect().await
    };
    match tokio::time::timeout(within, whole).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err(violation(format!("the message is larger than {MAX_MESSAGE} bytes")))
        }
        Ok(Err(_)) => Err(violation("the message broke off")),
        Err(_) => Err(violation(format!("the message took longer than {within:?} to arrive"))),
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

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use tonic_types::{ErrorDetails, StatusExt};

    use super::*;

    #[tokio::test]
    async fn h2_a_message_of_8_mb_is_refused_and_one_that_fits_is_not() {
        let limit = MAX_MESSAGE + FRAME_HEADER;
        let fits = read(Body::from(vec![0; limit]), MAX_TIME, &Arrivals::default()).await.unwrap();
        assert_eq!(fits.len(), limit);
        for size in [limit + 1, 8_000_000] {
            let violation =
                read(Body::from(vec![0; size]), MAX_TIME, &Arrivals::default()).await.unwrap_err();
            assert_eq!(violation.field, "request");
            assert!(violation.description.contains("larger than 65536"), "{violation:?}");
        }
    }

    #[tokio::test]
    async fn h2_what_is_too_large_is_not_read_to_its_end() {
        let endless =
            stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[0; 4096])));
        assert!(read(Body::from_stream(endless), MAX_TIME, &Arrivals::default()).await.is_err());
    }

    #[tokio::test]
    async fn a_message_that_breaks_off_is_refused() {
        let broken = stream::iter([
            Ok(Bytes::from_static(b"beginning")),
            Err(std::io::Error::other("reset")),
        ]);
        let violation =
            read(Body::from_stream(broken), MAX_TIME, &Arrivals::default()).await.unwrap_err();
        assert!(violation.description.contains("broke off"), "{violation:?}");
    }

    #[tokio::test]
    async fn h3_a_body_that_does_not_come_is_refused() {
        let silent = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
        let violation =
            read(silent, Duration::from_millis(1), &Arrivals::default()).await.unwrap_err();
        assert!(violation.description.contains("took longer than 1ms"), "{violation:?}");
    }

    #[tokio::test]
    async fn h3_slow_messages_hold_up_their_own_connection_only() {
        let arrivals = Arrivals::default();
        let silent = || Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
        let mut slow = (0..MAX_ARRIVING)
            .map(|_| Box::pin(read(silent(), MAX_TIME, &arrivals)))
            .collect::<Vec<_>>();
        for reading in &mut slow {
            assert!(futures_util::poll!(reading).is_pending());
        }
        let within = Duration::from_millis(1);
        assert!(read(Body::from("message"), within, &arrivals).await.is_err());
        let elsewhere = Arrivals::default();
        assert!(read(Body::from("message"), MAX_TIME, &elsewhere).await.is_ok());
        drop(slow.pop());
        assert!(read(Body::from("message"), MAX_TIME, &arrivals).await.is_ok());
    }

    #[test]
    fn only_what_tonic_refused_to_decode_is_unreadable() {
        let by_tonic = |code| unreadable(&Status::new(code, "text").into_http()).is_some();
        assert!(by_tonic(Code::Internal) && by_tonic(Code::OutOfRange));
        assert!(!by_tonic(Code::Unimplemented));
        let details = ErrorDetails::with_error_info("INTERNAL", "dockpass", []);
        let ours = Status::with_error_details(Code::Internal, "text", details);
        assert!(unreadable(&ours.into_http()).is_none());
        assert!(unreadable(&Response::new(Body::empty())).is_none());
    }
}
