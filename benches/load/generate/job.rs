//! What the load generator is told, and what it tells.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// One measurement.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Job {
    pub(crate) target: SocketAddr,
    /// The certificate (PEM) that the target has for `localhost`; none = no TLS.
    pub(crate) certificate: Option<String>,
    /// The process whose CPU time is measured.
    pub(crate) server: u32,
    pub(crate) protocol: Protocol,
    /// The values of `authorization`, one a caller; none = the header is left out.
    pub(crate) authorizations: Vec<String>,
    pub(crate) supply: Supply,
    pub(crate) lanes: Lanes,
    pub(crate) warm_up_ms: u64,
    pub(crate) measured_ms: u64,
}

/// How the target is asked.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) enum Protocol {
    /// A unary gRPC call with one message.
    Grpc { path: String, message: Vec<u8>, expected: Expected, hpack: Hpack },
    /// GET over HTTP/1.1, keep-alive, each lane on a connection of its own.
    Get { path: String },
}

/// What a client's HPACK does with the caller's `authorization`, call by call.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) enum Hpack {
    /// Spells it out in Huffman's code, as clients in Rust do (h2).
    Huffman,
    /// Spells it out as it is, as those on gRPC's C core do (C++, Python, Ruby).
    Plain,
    /// Spells it out once a connection, and then names its place in the table, as those in Go and Java do.
    Kept,
}

/// What a gRPC call may answer.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Expected {
    /// The `grpc-status` that counts.
    pub(crate) status: String,
    /// The one that is counted as a refusal; none = any other status is a failure.
    pub(crate) refusal: Option<String>,
}

/// Where requests come from.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) enum Supply {
    /// A lane asks again when it was answered. Each connection is one caller's, as with real clients.
    Endless,
    /// The same, but each request is another caller's, and it ends with the last; all of it is measured.
    Once,
}

/// How much is in flight: on each connection, so many requests.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Lanes {
    pub(crate) connections: usize,
    pub(crate) streams: usize,
}

impl Lanes {
    /// Requests in flight.
    pub(crate) const fn in_flight(self) -> usize {
        self.connections * self.streams
    }
}

/// The result of a measurement.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Tally {
    /// Expected answers.
    pub(crate) completed: u64,
    /// Answers that were neither expected nor refusals; any makes the measurement void.
    pub(crate) failed: u64,
    /// The first of them.
    pub(crate) failure: Option<String>,
    pub(crate) per_second: f64,
    /// Latencies in microseconds.
    pub(crate) p50: u64,
    pub(crate) p99: u64,
    pub(crate) p999: u64,
    pub(crate) longest: u64,
    pub(crate) refused: Refused,
    /// CPU seconds of the server for 100,000 answers.
    pub(crate) server_cpu: f64,
    /// CPUs that neither the server nor the generator used, on average, and which were not idle.
    pub(crate) other_cpus: f64,
}

/// The refusals that were allowed for; latencies in microseconds.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Refused {
    pub(crate) count: u64,
    pub(crate) p50: u64,
    pub(crate) p99: u64,
    /// The reasons of the first hundred.
    pub(crate) reasons: BTreeSet<String>,
}
