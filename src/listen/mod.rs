//! The server's side of connections, for HTTP and gRPC alike: TLS that follows its files, and a bounded number of
//! connections, each with a bounded handshake.

mod admin_socket;
mod admission;
mod certificate;
mod config;
mod connection;
mod cores;
mod error;
mod http;
mod listener;
mod local_connection;

pub use self::admin_socket::AdminSocket;
pub use self::admission::{Admission, ConnectionLimits};
pub use self::certificate::{Certificate, Reload};
pub use self::config::{Config, TlsConfig, is_loopback};
pub use self::connection::{Connection, PeerAddress, Placed};
pub use self::cores::{Cores, runtime};
pub use self::error::Error;
pub use self::http::{HttpLimits, serve_http};
pub use self::listener::{Listener, Protocol};
pub use self::local_connection::{LocalConnection, LocalPeer};

#[cfg(test)]
mod tests;
