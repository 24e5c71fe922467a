//! The `Authorization` header of the token endpoint: HTTP Basic (RFC 7617), or none.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

use crate::broker::FieldViolation;
use crate::identity::Presented;

/// Reads the header; none of it is [`Presented::Nothing`].
///
/// # Errors
/// Two headers (which of them counts would be a guess), another scheme, or Basic credentials that cannot be read.
pub(super) fn presented(headers: &HeaderMap) -> Result<Presented, FieldViolation> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(Presented::Nothing),
        (Some(_), Some(_)) => Err(violation("is there more than once: send one")),
        (Some(value), None) => value.to_str().ok().and_then(basic).ok_or_else(|| {
            violation("is not `Basic` with base64 of `USERNAME:PASSWORD` (RFC 7617)")
        }),
    }
}

fn violation(description: &str) -> FieldViolation {
    FieldViolation { field: "authorization".to_owned(), description: description.to_owned() }
}

fn basic(value: &str) -> Option<Presented> {
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    Presented::from_basic(encoded.trim_matches(' '))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (AUTHORIZATION, value.parse().unwrap())).collect()
    }

    fn read(values: &[&str]) -> Result<Presented, FieldViolation> {
        presented(&headers(values))
    }

    fn encoded(credentials: &[u8]) -> String {
        format!("Basic {}", STANDARD.encode(credentials))
    }

    #[test]
    fn basic_credentials_are_read_in_any_case_of_the_scheme() {
        for scheme in ["Basic", "basic", "BASIC"] {
            let value = encoded(b"nginx-ci:a:b").replace("Basic", scheme);
            let Presented::Basic { username, password } = read(&[&value]).unwrap() else {
                panic!()
            };
            assert_eq!((username.as_str(), password.expose()), ("nginx-ci", "a:b"));
        }
    }

    #[test]
    fn the_username_token_stays_as_it_is() {
        let Presented::Basic { username, .. } = read(&[&encoded(b"<token>:dps_x")]).unwrap() else {
            panic!()
        };
        assert_eq!(username, "<token>");
    }

    #[test]
    fn nothing_is_nothing_and_never_empty_credentials() {
        assert!(matches!(read(&[]).unwrap(), Presented::Nothing));
        assert!(matches!(read(&[&encoded(b":")]).unwrap(), Presented::Basic { .. }));
    }

    #[test]
    fn h1_two_authorization_headers_are_refused_even_when_equal() {
        let value = encoded(b"a:b");
        let violation = read(&[&value, &value]).unwrap_err();
        assert_eq!(violation.field, "authorization");
        assert!(violation.description.contains("more than once"));
    }

    #[test]
    fn what_is_not_basic_is_refused() {
        for value in [
            "",
            "Basic",
            "Basic ",
            "Basic !!!",
            "Basic YTpi, Basic YTpi",
            "Bearer abc",
            "Digest username=\"a\"",
            &encoded(b"no-colon"),
            &encoded(b"a:\xff"),
            &encoded(b"a:b\n"),
            &encoded(b"a\0:b"),
        ] {
            assert!(read(&[value]).is_err(), "{value:?}");
        }
    }

    proptest! {
        #[test]
        fn no_header_brings_the_parser_down(credentials in ".{0,40}", bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            if let Ok(value) = HeaderValue::from_bytes(&bytes) {
                let headers = HeaderMap::from_iter([(AUTHORIZATION, value)]);
                prop_assert!(!matches!(presented(&headers), Ok(Presented::Nothing)));
            }
            if let Ok(Presented::Basic { username, password }) = read(&[&encoded(credentials.as_bytes())]) {
                prop_assert_eq!(format!("{username}:{}", password.expose()), credentials);
            }
        }
    }
}
