//! What is known of a call besides its request.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

/// What is known of a call besides its request.
#[derive(Clone, Debug)]
pub struct Call {
    /// Who is at the other end of the connection.
    pub peer: Peer,
    /// How long the caller waits (gRPC `grpc-timeout`); the broker's own limit holds besides.
    pub timeout: Option<Duration>,
    /// The trace that the call belongs to (W3C `traceparent`), verbatim.
    pub trace: Option<String>,
}

/// Who is at the other end of the connection.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Peer {
    /// An address of the network.
    Address(IpAddr),
    /// The connection does not tell.
    Unknown,
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

impl Peer {
    /// Whose limit the peer uses up, and with whose refusals its own are counted.
    pub(super) fn source(self) -> Source {
        match self {
            Self::Address(address) => match address.to_canonical() {
                IpAddr::V4(address) => Source::Address(address),
                IpAddr::V6(address) => {
                    Source::Network(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64))
                }
            },
            Self::Unknown => Source::Unknown,
        }
    }
}

/// An address, or for IPv6 the /64 network that it is in: whoever has one IPv6 address has all of them (RFC 6177, section 2).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Source {
    /// An address of IPv4.
    Address(Ipv4Addr),
    /// The first address of a /64.
    Network(Ipv6Addr),
    /// The connection does not tell, or there are too many sources to tell them apart.
    Unknown,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Network(first) => write!(f, "{first}/64"),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(address: &str) -> String {
        Peer::Address(address.parse().unwrap()).source().to_string()
    }

    #[test]
    fn promise_8_the_addresses_of_one_ipv6_network_are_one_source() {
        assert_eq!(source("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(source("2001:db8:1:2::1"), "2001:db8:1:2::/64");
        assert_eq!(source("2001:db8:1:3::1"), "2001:db8:1:3::/64");
        assert_eq!(source("192.0.2.7"), "192.0.2.7");
        assert_eq!(source("::ffff:192.0.2.7"), "192.0.2.7");
    }
}
