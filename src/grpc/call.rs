//! What the headers and the connection tell of a call, besides its identity.

use std::any::Any;
use std::time::Duration;

use tonic::codegen::http::HeaderMap;
use tonic::transport::server::TcpConnectInfo;

use crate::broker::{Call, FieldViolation, LocalUser, Peer};

const TIMEOUT: &str = "grpc-timeout";
const TRACE: &str = "traceparent";

/// What is known of the call. Nothing in a header says who the peer is: `X-Forwarded-For` and its kind are not read.
pub(super) fn call(headers: &HeaderMap, peer: Peer) -> Call {
    Call { peer, timeout: timeout(headers).ok().flatten(), trace: trace(headers) }
}

/// The deadline of the caller; a malformed one is refused, since it would otherwise be no deadline at all.
pub(super) fn timeout(headers: &HeaderMap) -> Result<Option<Duration>, FieldViolation> {
    let Some(value) = headers.get(TIMEOUT) else { return Ok(None) };
    let parsed = value.to_str().ok().and_then(parse_timeout);
    parsed.map(Some).ok_or_else(|| FieldViolation {
        field: TIMEOUT.to_owned(),
        description: "1 to 8 digits and a unit: H, M, S, m, u or n".to_owned(),
    })
}

/// Who is at the other end of a connection, by its [`tonic::transport::server::Connected::ConnectInfo`].
pub(super) fn peer(connect_info: &dyn Any) -> Peer {
    if connect_info.is::<LocalUser>() {
        return Peer::Local;
    }
    connect_info
        .downcast_ref::<TcpConnectInfo>()
        .and_then(TcpConnectInfo::remote_addr)
        .map_or(Peer::Unknown, |address| Peer::Address(address.ip().to_canonical()))
}

/// `TimeoutValue TimeoutUnit` of the gRPC protocol: at most 8 digits, so the product fits.
fn parse_timeout(text: &str) -> Option<Duration> {
    let (value, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if value.is_empty() || value.len() > 8 || !value.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let value: u64 = value.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_hours(value)),
        "M" => Some(Duration::from_mins(value)),
        "S" => Some(Duration::from_secs(value)),
        "m" => Some(Duration::from_millis(value)),
        "u" => Some(Duration::from_micros(value)),
        "n" => Some(Duration::from_nanos(value)),
        _ => None,
    }
}

/// A W3C `traceparent` of version 00; anything else is not passed on, since it goes to logs and to the audit trail.
fn trace(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(TRACE)?.to_str().ok()?;
    let mut parts = text.split('-');
    let lengths = [2, 32, 16, 2];
    let hexadecimal = |part: &str| part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let well_formed = lengths
        .iter()
        .all(|length| parts.next().is_some_and(|part| part.len() == *length && hexadecimal(part)));
    (well_formed && parts.next().is_none() && text.starts_with("00-")).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())])
    }

    #[test]
    fn timeouts_follow_the_grpc_protocol() {
        for (text, wanted) in [
            ("1H", Duration::from_hours(1)),
            ("99999999H", Duration::from_hours(99_999_999)),
            ("2M", Duration::from_mins(2)),
            ("30S", Duration::from_secs(30)),
            ("250m", Duration::from_millis(250)),
            ("7u", Duration::from_micros(7)),
            ("0n", Duration::ZERO),
        ] {
            assert_eq!(timeout(&headers(TIMEOUT, text)), Ok(Some(wanted)), "{text}");
        }
        assert_eq!(timeout(&HeaderMap::new()), Ok(None));
    }

    #[test]
    fn malformed_timeouts_are_refused() {
        for text in ["", "S", "1", "1s", "-1S", "+1S", "1.5S", "100000000S", "1 S", "1SS", "1é"] {
            let violation = timeout(&headers(TIMEOUT, text)).unwrap_err();
            assert_eq!(violation.field, "grpc-timeout", "{text:?}");
        }
    }

    #[test]
    fn only_a_well_formed_traceparent_is_passed_on() {
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert_eq!(trace(&headers(TRACE, good)).as_deref(), Some(good));
        for bad in [
            "",
            "00",
            "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
            "00-zzf7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ] {
            assert_eq!(trace(&headers(TRACE, bad)), None, "{bad:?}");
        }
    }

    #[test]
    fn h4_the_peer_comes_from_the_connection_and_from_no_header() {
        let mut forged = headers("x-forwarded-for", "203.0.113.7");
        forged.insert("x-real-ip", "203.0.113.7".parse().unwrap());
        forged.insert("forwarded", "for=203.0.113.7".parse().unwrap());
        let remote_addr = Some("[::ffff:192.0.2.1]:4711".parse().unwrap());
        let connection = peer(&TcpConnectInfo { local_addr: None, remote_addr });
        let wanted = Peer::Address("192.0.2.1".parse().unwrap());
        assert_eq!(call(&forged, connection).peer, wanted);
        assert_eq!(peer(&()), Peer::Unknown);
    }
}
