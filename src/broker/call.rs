//! What is known of a call besides its request.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use crate::model::caller_network;

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
    /// A process of this machine, over a Unix socket.
    Local,
    /// The connection does not tell.
    Unknown,
}

impl Peer {
    /// Whom its requests and refusals are counted under.
    pub(super) fn network(self) -> Self {
        match self {
            Self::Address(address) => Self::Address(caller_network(address)),
            Self::Local | Self::Unknown => self,
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Local => f.write_str("local"),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}
