//! What a caller presents as its identity: the metadata `authorization`, read but not verified.

use parking_lot::Mutex;
use tonic::codegen::http::HeaderMap;
use tonic::codegen::http::header::AUTHORIZATION;

use crate::identity::{Bearer, Presented};
use crate::model::Secret;

/// Longer values are refused by us, not by the transport: its own limit is twice as much.
const MAX_LENGTH: usize = 16 * 1024;

/// The identity token that came last on a connection, and was one. Most callers send one and the same with every call: then it is neither
/// read nor hashed again. That it is here proves nothing: it is verified as ever.
#[derive(Debug, Default)]
pub(super) struct LastBearer(Mutex<Option<Bearer>>);

impl LastBearer {
    fn get(&self, token: &[u8]) -> Option<Bearer> {
        self.0.lock().as_ref().filter(|last| last.is(token)).cloned()
    }

    /// Keeps what was verified; nothing else outlives its call.
    pub(super) fn keep(&self, bearer: Bearer) {
        if bearer.was_verified() {
            *self.0.lock() = Some(bearer);
        }
    }
}

/// Reads the metadata `authorization`: a bearer token or a name and a password.
/// What cannot be read goes on as [`Presented::Unreadable`], so that its refusal is counted and recorded like any other.
pub(super) fn presented(headers: &HeaderMap, last: &LastBearer) -> Presented {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Presented::Nothing };
    if values.next().is_some() {
        return Presented::Unreadable("more than one authorization value");
    }
    if value.len() > MAX_LENGTH {
        return Presented::Unreadable("the authorization value is longer than 16 KiB");
    }
    let mut parts = value.as_bytes().splitn(2, |byte| *byte == b' ');
    let (Some(scheme), Some(credentials)) = (parts.next(), parts.next()) else {
        return Presented::Unreadable("the authorization value is no scheme and credentials");
    };
    let credentials = without_leading_spaces(credentials);
    if scheme.eq_ignore_ascii_case(b"bearer") {
        bearer(credentials, last).unwrap_or(Presented::Unreadable("the bearer token is malformed"))
    } else if scheme.eq_ignore_ascii_case(b"basic") {
        basic(credentials).unwrap_or(Presented::Unreadable("the basic credentials are malformed"))
    } else {
        Presented::Unreadable("the authorization scheme is neither bearer nor basic")
    }
}

fn without_leading_spaces(mut bytes: &[u8]) -> &[u8] {
    while let Some(rest) = bytes.strip_prefix(b" ") {
        bytes = rest;
    }
    bytes
}

fn bearer(token: &[u8], last: &LastBearer) -> Option<Presented> {
    if let Some(last) = last.get(token) {
        return Some(Presented::Bearer(last));
    }
    // not `all`: without the early end, the compiler looks at sixteen bytes at once
    let well_formed = token.iter().fold(!token.is_empty(), |good, byte| good & is_b64token(*byte));
    let token = str::from_utf8(token).ok().filter(|_| well_formed)?;
    Some(Presented::Bearer(Bearer::new(Secret::new(token))))
}

/// `b64token` of RFC 6750, section 2.1; the comma that a proxy joins two values with is not in it.
const fn is_b64token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() | matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
}

fn basic(credentials: &[u8]) -> Option<Presented> {
    Presented::from_basic(str::from_utf8(credentials).ok()?)
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;
    use crate::identity::for_test::verified_bearer;

    fn read(values: &[&str]) -> Presented {
        read_after(&LastBearer::default(), values)
    }

    fn read_after(last: &LastBearer, values: &[&str]) -> Presented {
        let values = values.iter().map(|value| (AUTHORIZATION, value.parse().unwrap()));
        presented(&values.collect(), last)
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
            assert_eq!(token.secret().expose(), "abc.def-_~+/=");
        }
    }

    #[test]
    fn what_was_verified_is_found_again_and_nothing_else_is_kept() {
        let last = LastBearer::default();
        last.keep(Bearer::new(Secret::new("abc")));
        assert!(last.get(b"abc").is_none());
        last.keep(verified_bearer("abc"));
        last.keep(Bearer::new(Secret::new("abd")));
        assert!(last.get(b"abd").is_none());
        let Presented::Bearer(again) = read_after(&last, &["Bearer abc"]) else { panic!() };
        assert!(again.was_verified());
        for other in ["abd", "ab", "abcd"] {
            let presented = read_after(&last, &[&format!("Bearer {other}")]);
            let Presented::Bearer(read) = presented else { panic!("{presented:?}") };
            assert_eq!((read.secret().expose(), read.was_verified()), (other, false));
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
