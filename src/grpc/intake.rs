//! Before a message is decoded: it is read whole, within a size and a time. What cannot be read is refused like any
//! malformed request, with a decision that is recorded; tonic alone would answer with a bare code.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use http_body_util::BodyExt;
use hyper::body::Body;
use tokio::sync::Semaphore;
use tonic::codegen::http::Response;
use tonic::{Code, Status};

use crate::broker::FieldViolation;

/// The largest message; 100 permissions with the longest names are less than half of it.
pub(super) const MAX_MESSAGE: usize = 64 * 1024;

/// The compression flag and the length that stand before a message.
pub(super) const FRAME_HEADER: usize = 5;

/// How long a caller may take to send its message.
pub(super) const MAX_TIME: Duration = Duration::from_secs(10);

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

/// Reads a message whole, without its trailers.
///
/// # Errors
/// It is larger than [`MAX_MESSAGE`], takes longer than `within`, or breaks off.
pub(super) async fn read<B>(
    body: B,
    within: Duration,
    arrivals: &Arrivals,
) -> Result<Bytes, FieldViolation>
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut arriving = Arriving { body, first: Bytes::new(), all: Vec::new() };
    let turn = arrivals.0.try_acquire().ok();
    // what is here already, as most messages are, needs no timer
    if let Some(whole) = turn.as_ref().and_then(|_| arriving.whole().now_or_never()) {
        return whole;
    }
    let whole = async {
        let _turn = match turn {
            Some(turn) => Ok(turn),
            // INVARIANT: the semaphore is never closed
            None => arrivals.0.acquire().await,
        };
        arriving.whole().await
    };
    let late = |_| violation(format!("the message took longer than {within:?} to arrive"));
    tokio::time::timeout(within, whole).await.map_err(late)?
}

/// A message on its way. One that comes in a single frame is not copied.
struct Arriving<B> {
    body: B,
    first: Bytes,
    all: Vec<u8>,
}

impl<B: Body<Data = Bytes> + Unpin> Arriving<B> {
    /// The message, when all of it has come. May be dropped and asked again.
    async fn whole(&mut self) -> Result<Bytes, FieldViolation> {
        while let Some(frame) = self.body.frame().await {
            let frame = frame.map_err(|_| violation("the message broke off"))?;
            if let Ok(data) = frame.into_data() {
                self.add(data)?;
            }
        }
        let all = std::mem::take(&mut self.all);
        Ok(if all.is_empty() { std::mem::take(&mut self.first) } else { all.into() })
    }

    fn add(&mut self, data: Bytes) -> Result<(), FieldViolation> {
        let length = self.first.len().max(self.all.len()) + data.len();
        if length > MAX_MESSAGE + FRAME_HEADER {
            return Err(violation(format!("the message is larger than {MAX_MESSAGE} bytes")));
        }
        if self.first.is_empty() {
            self.first = data;
            return Ok(());
        }
        if self.all.is_empty() {
            self.all.extend_from_slice(&self.first);
        }
        self.all.extend_from_slice(&data);
        Ok(())
    }
}

/// What is wrong with a message that tonic refused to decode. Our own refusals have details; its refusals have none.
pub(super) fn unreadable<B>(response: &Response<B>) -> Option<FieldViolation> {
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
    use axum::body::Body;
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
        let by_tonic = |code| unreadable(&Status::new(code, "text").into_http::<()>()).is_some();
        assert!(by_tonic(Code::Internal) && by_tonic(Code::OutOfRange));
        assert!(!by_tonic(Code::Unimplemented));
        let details = ErrorDetails::with_error_info("INTERNAL", "dockpass", []);
        let ours = Status::with_error_details(Code::Internal, "text", details);
        assert!(unreadable(&ours.into_http::<()>()).is_none());
        assert!(unreadable(&Response::new(())).is_none());
    }
}
