//! What a caller presents as its identity: the metadata `authorization`, read but not verified.

use tonic::codegen::http::HeaderMap;

use crate::identity::Presented;
use crate::model::Secret;

const AUTHORIZATION: &str = "authorization";

/// Longer values are refused by us, not by the transport: its own limit is twice as much.
const MAX_LENGTH: usize = 16 * 1024;

/// Reads the metadata `authorization`: a bearer token or a name and a password.
/// What cannot be read goes on as [`Presented::Unreadable`], so that its refusal is counted and recorded like any other.
pub(super) fn presented(headers: &HeaderMap) -> Presented {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Presented::Nothing };
    if values.next().is_some() {
        return Presented::Unreadable("more than one authorization value");
    }
    if value.len() > MAX_LENGTH {
        return Presented::Unreadable("the authorization value is longer than 16 KiB");
    }
    let text = value.to_str().ok().and_then(|text| text.split_once(' '));
    let Some((scheme, credentials)) = text else {
        return Presented::Unreadable("the authorization value is no scheme and credentials");
    };
    let credentials = credentials.trim_start_matches(' ');
    if scheme.eq_ignore_ascii_case("bearer") {
        bearer(credentials)
    } else if scheme.eq_ignore_ascii_case("basic") {
        Presented::from_basic(credentials)
            .unwrap_or(Presented::Unreadable("the basic credentials are malformed"))
    } else {
        Presented::Unreadable("the authorization scheme is neither bearer nor basic")
    }
}

/// `b64token` of RFC 6750, section 2.1; the comma that a proxy joins two values with is not in it.
fn bearer(token: &str) -> Presented {
    let is_token = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b);
    if !token.is_empty() && token.bytes().all(is_token) {
        Presented::Bearer(Secret::new(token))
    } else {
        Presented::Unreadable("the bearer token is malformed")
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    fn read(values: &[&str]) -> Presented {
        let name = tonic::codegen::http::header::AUTHORIZATION;
        presented(&values.iter().map(|value| (name.clone(), value.parse().unwrap())).collect())
    }

    fn assert_unreadable(values: &[&str]) {
        let presented = read(values);
        assert!(matches!(presented, Presented::Unreadable(_)), "{values:?}: {presented:?}");
    }

    #[test]
    fn a_bearer_token_is_read_whatever_the_case_of_its_scheme() {
        for scheme in ["Bearer", "bearer", "BEARER", "bEaReR "] {
            let presented = read(&[&format!("{scheme} abc.def-_~+/=")]);
            let Presented::Bearer(token) = presented else { panic!("{presented:?}") };
            assert_eq!(token.expose(), "abc.def-_~+/=");
        }
    }

    #[test]
    fn basic_credentials_are_split_at_the_first_colon() {
        let presented = read(&[&format!("BASIC {}", STANDARD.encode("nginx-ci:dpk_a:b"))]);
        let Presented::Basic { username, password } = presented else { panic!("{presented:?}") };
        assert_eq!((username.as_str(), password.expose()), ("nginx-ci", "dpk_a:b"));
    }

    #[test]
    fn no_authorization_is_nothing() {
        assert!(matches!(read(&[]), Presented::Nothing));
    }

    #[test]
    fn h1_two_authorization_headers_are_refused() {
        assert_unreadable(&["Bearer a", "Bearer a"]);
        assert_unreadable(&["Bearer a", "Basic YTpi"]);
        assert_unreadable(&["Bearer a", ""]);
        assert_unreadable(&["Bearer a, Bearer b"]);
        assert_unreadable(&["Basic YTpi,Basic YTpi"]);
    }

    #[test]
    fn a8_over_16_kib_is_our_refusal() {
        let fits = "a".repeat(MAX_LENGTH - "Bearer ".len());
        assert!(matches!(read(&[&format!("Bearer {fits}")]), Presented::Bearer(_)));
        assert_unreadable(&[&format!("Bearer {fits}a")]);
    }

    #[test]
    fn what_is_malformed_is_refused() {
        for value in [
            "",
            " ",
            "Bearer",
            "Bearer ",
            "Bearer a b",
            "Bearer a\tb",
            "Bearer \"a\"",
            "Digest a",
            "Basic",
            "Basic ",
            "Basic !!!!",
            "Basic YTpi=",
            "Basic YTp",
            "Basic YQ==",
            "Basic _-8=",
        ] {
            assert_unreadable(&[value]);
        }
        assert_unreadable(&[&format!("Basic {}", STANDARD.encode(b"a:\xff"))]);
        assert_unreadable(&[&format!("Basic {}", STANDARD.encode("a\nb:c"))]);
    }
}
