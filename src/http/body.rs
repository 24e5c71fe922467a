//! The form in the body of a POST, under a limit of size and of time.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::request::Malformed;

/// The largest form: a token of 16 KiB and a hundred scopes with room to spare.
pub(super) const MAX_FORM: usize = 64 << 10;

/// How long a form may take to arrive.
pub(super) const FORM_TIMEOUT: Duration = Duration::from_secs(10);

/// Reads a form, whether its length is announced or it comes in chunks.
///
/// # Errors
/// Another content type (415), over [`MAX_FORM`] (413), longer than `limit` on its way (408), or broken off (400).
pub(super) async fn read_form(
    headers: &HeaderMap,
    body: Body,
    limit: Duration,
) -> Result<Bytes, Malformed> {
    if !is_form(headers) {
        let description = "is not a plain application/x-www-form-urlencoded: send a form";
        return Err(Malformed::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "content-type",
            description,
        ));
    }
    read(body, MAX_FORM, limit).await
}

/// Reads a body of at most `max` bytes, whether its length is announced or it comes in chunks.
///
/// # Errors
/// Larger (413), longer than `limit` on its way (408), or broken off (400).
pub(super) async fn read(body: Body, max: usize, limit: Duration) -> Result<Bytes, Malformed> {
    match tokio::time::timeout(limit, Limited::new(body, max).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            let description = format!("is over {} KiB", max >> 10);
            Err(malformed(StatusCode::PAYLOAD_TOO_LARGE, &description))
        }
        Ok(Err(_)) => Err(malformed(StatusCode::BAD_REQUEST, "broke off: send it again")),
        Err(_) => Err(malformed(StatusCode::REQUEST_TIMEOUT, "took too long: send it at once")),
    }
}

fn malformed(status: StatusCode, description: &str) -> Malformed {
    Malformed::new(status, "body", description)
}

/// The type is a form's, with or without a charset (containerd sends one), and there is no content encoding.
fn is_form(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (types.next(), types.next()) else { return false };
    let essence = value.to_str().ok().and_then(|text| text.split(';').next()).unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
        && !headers.contains_key(CONTENT_ENCODING)
}

#[cfg(test)]
mod tests {
    use futures_util::{StreamExt, stream};

    use super::*;

    fn headers(content_type: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, content_type.parse().unwrap());
        headers
    }

    fn chunks(parts: &[&[u8]]) -> Body {
        let parts = parts.iter().map(|part| Bytes::copy_from_slice(part)).collect::<Vec<_>>();
        Body::from_stream(stream::iter(parts).map(Ok::<_, std::io::Error>))
    }

    const FORM: &str = "application/x-www-form-urlencoded";

    async fn status(content_type: &str, body: Body) -> StatusCode {
        read_form(&headers(content_type), body, FORM_TIMEOUT).await.unwrap_err().status
    }

    #[tokio::test]
    async fn f8_chunks_and_a_charset_are_read() {
        for content_type in [
            FORM,
            "application/x-www-form-urlencoded; charset=utf-8",
            "Application/X-WWW-Form-Urlencoded ;charset=UTF-8",
        ] {
            let body = chunks(&[b"grant_type=pass", b"word&service", b"=s"]);
            let form = read_form(&headers(content_type), body, FORM_TIMEOUT).await.unwrap();
            assert_eq!(form, "grant_type=password&service=s");
        }
    }

    #[tokio::test]
    async fn h2_a_body_over_the_limit_is_a_413_announced_or_not() {
        let full = vec![b'a'; MAX_FORM];
        assert!(read_form(&headers(FORM), Body::from(full.clone()), FORM_TIMEOUT).await.is_ok());
        let over = vec![b'a'; MAX_FORM + 1];
        assert_eq!(status(FORM, Body::from(over)).await, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(status(FORM, chunks(&[&full, b"a"])).await, StatusCode::PAYLOAD_TOO_LARGE);
    }

    #[tokio::test]
    async fn another_content_type_or_encoding_is_a_415() {
        for content_type in
            ["application/json", "multipart/form-data; boundary=x", "text/plain", ""]
        {
            assert_eq!(
                status(content_type, Body::empty()).await,
                StatusCode::UNSUPPORTED_MEDIA_TYPE
            );
        }
        let mut encoded = headers(FORM);
        encoded.insert(CONTENT_ENCODING, "gzip".parse().unwrap());
        assert!(read_form(&encoded, Body::empty(), FORM_TIMEOUT).await.is_err());
    }

    #[tokio::test]
    async fn h3_a_body_that_never_ends_is_a_408() {
        let body = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
        let malformed =
            read_form(&headers(FORM), body, Duration::from_millis(1)).await.unwrap_err();
        assert_eq!(malformed.status, StatusCode::REQUEST_TIMEOUT);
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_a_400() {
        let parts = [Ok(Bytes::from_static(b"grant")), Err(std::io::Error::other("reset"))];
        let body = Body::from_stream(stream::iter(parts));
        assert_eq!(status(FORM, body).await, StatusCode::BAD_REQUEST);
    }
}
