//! The replies of unary methods: one message and its trailers, made without a codec, a stream and their boxes.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame};
use prost::Message;
use tonic::Status;
use tonic::codegen::http::header::CONTENT_TYPE;
use tonic::codegen::http::{HeaderMap, HeaderName, HeaderValue, Response};
use tonic::metadata::GRPC_CONTENT_TYPE;

use super::intake::FRAME_HEADER;

/// The most of a message that goes into one DATA frame: h2 copies frames of up to 1,024 bytes behind each other, and a larger one costs
/// system calls of its own (`listen::Connection` is not vectored).
const MAX_FRAME: usize = 1000;

/// The body of a response.
#[derive(Debug)]
pub(super) enum Reply {
    /// What is left of one message, and then the trailers that say it is all.
    Message(Bytes),
    /// Nothing but the trailers is left.
    Trailers,
    /// The trailers are taken.
    Ended,
    /// What a service of tonic answered.
    Routed(tonic::body::Body),
}

/// The response to a unary call.
pub(super) fn unary<T: Message>(outcome: Result<T, Status>) -> Response<Reply> {
    match outcome {
        Ok(message) => {
            let mut response = Response::new(Reply::Message(framed(&message)));
            response.headers_mut().insert(CONTENT_TYPE, GRPC_CONTENT_TYPE);
            response
        }
        Err(status) => refused(status),
    }
}

/// The response to a call that is refused: trailers alone.
pub(super) fn refused(status: Status) -> Response<Reply> {
    status.into_http().map(Reply::Routed)
}

/// The message behind its header: the compression flag (none) and the length.
fn framed(message: &impl Message) -> Bytes {
    let length = message.encoded_len();
    let mut buffer = Vec::with_capacity(FRAME_HEADER + length);
    buffer.push(0);
    // INVARIANT: our messages are shorter than 4 GiB
    buffer.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    message.encode_raw(&mut buffer);
    buffer.into()
}

fn ok_trailers() -> HeaderMap {
    let mut trailers = HeaderMap::with_capacity(1);
    trailers.insert(HeaderName::from_static("grpc-status"), HeaderValue::from_static("0"));
    trailers
}

impl Body for Reply {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = match &mut *self {
            Self::Message(message) if message.len() > MAX_FRAME => {
                Frame::data(message.split_to(MAX_FRAME))
            }
            Self::Message(message) => {
                let message = std::mem::take(message);
                *self = Self::Trailers;
                Frame::data(message)
            }
            Self::Trailers => {
                *self = Self::Ended;
                Frame::trailers(ok_trailers())
            }
            Self::Ended => return Poll::Ready(None),
            Self::Routed(body) => return Pin::new(body).poll_frame(context),
        };
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Message(_) | Self::Trailers => false,
            Self::Ended => true,
            Self::Routed(body) => body.is_end_stream(),
        }
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn a_message_is_followed_by_the_status() {
        let response = unary(Ok("text".to_owned()));
        assert_eq!(response.headers()[CONTENT_TYPE], "application/grpc");
        let mut body = response.into_body();
        assert!(!body.is_end_stream());
        let data = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(data[..5], [0, 0, 0, 0, 6]);
        assert_eq!(String::decode(&data[5..]).unwrap(), "text");
        assert!(!body.is_end_stream());
        let trailers = body.frame().await.unwrap().unwrap().into_trailers().unwrap();
        assert_eq!(trailers["grpc-status"], "0");
        assert!(body.is_end_stream() && body.frame().await.is_none());
    }

    #[tokio::test]
    async fn a_long_message_goes_in_frames_that_share_a_system_call() {
        let text = "x".repeat(2 * MAX_FRAME);
        let mut body = unary(Ok(text.clone())).into_body();
        let mut whole = Vec::new();
        while let Some(Ok(frame)) = body.frame().await {
            let Ok(data) = frame.into_data() else { break };
            assert!((1..=MAX_FRAME).contains(&data.len()));
            whole.extend_from_slice(&data);
        }
        assert_eq!(String::decode(&whole[5..]).unwrap(), text);
    }

    #[test]
    fn a_refusal_is_trailers_alone() {
        let response = unary::<String>(Err(Status::not_found("no")));
        assert_eq!(response.headers()["grpc-status"], "5");
        assert!(response.body().is_end_stream());
    }
}
