//! What is known of a call besides its request.

use axum::http::{Extensions, HeaderMap};

use crate::broker::{Call, Peer};
use crate::listen::PeerAddress;

/// The peer is the other end of the connection; `X-Forwarded-For` and the like are not read, since anybody can write them.
pub(super) fn call(headers: &HeaderMap, extensions: &Extensions) -> Call {
    let peer =
        extensions.get::<PeerAddress>().map_or(Peer::Unknown, |peer| Peer::Address(peer.ip()));
    Call { peer, timeout: None, trace: trace_parent(headers).map(str::to_owned) }
}

/// A well-formed `traceparent` (W3C Trace Context, section 3.2): it goes into logs, so nothing else passes.
fn trace_parent(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all("traceparent").iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let text = value.to_str().ok()?;
    let lengths = text.split('-').map(str::len);
    let hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-'));
    (hex && lengths.eq([2, 32, 16, 2])).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn with(name: &'static str, values: &[&str]) -> Call {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name, value.parse().unwrap());
        }
        let mut extensions = Extensions::new();
        extensions.insert(PeerAddress::from(
            "[::ffff:192.0.2.7]:4711".parse::<std::net::SocketAddr>().unwrap(),
        ));
        call(&headers, &extensions)
    }

    #[test]
    fn h4_the_peer_is_the_connection_whatever_the_headers_say() {
        for name in ["x-forwarded-for", "forwarded", "x-real-ip"] {
            assert_eq!(
                with(name, &["203.0.113.9"]).peer,
                Peer::Address("192.0.2.7".parse().unwrap())
            );
        }
        assert_eq!(call(&HeaderMap::new(), &Extensions::new()).peer, Peer::Unknown);
    }

    #[test]
    fn only_a_well_formed_trace_parent_passes() {
        assert_eq!(with("traceparent", &[TRACE]).trace.as_deref(), Some(TRACE));
        for values in [&["injected text"][..], &[""], &[TRACE, TRACE], &["00-00-00-00"]] {
            assert_eq!(with("traceparent", values).trace, None, "{values:?}");
        }
    }
}
