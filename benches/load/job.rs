//! What the load generator is told, and what it tells.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// One measurement.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Job {
    pub(crate) target: SocketAddr,
    /// The process whose CPU time is measured.
    pub(crate) server: u32,
    pub(crate) protocol: Protocol,
    /// The values of `authorization`, used in turn; none = the header is left out.
    pub(crate) authorizations: Vec<String>,
    pub(crate) supply: Supply,
    pub(crate) lanes: Lanes,
    pub(crate) warm_up_ms: u64,
    pub(crate) measured_ms: u64,
}

/// How the target is asked.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) enum Protocol {
    /// A unary gRPC call with one message; the `grpc-status` that is expected.
    Grpc { path: String, message: Vec<u8>, expected: String },
    /// GET over HTTP/1.1, keep-alive, each lane on a connection of its own.
    Get { path: String },
}

/// What happens when every authorization was used.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) enum Supply {
    /// Begin again.
    Endless,
    /// Stop: each is used once, and all of it is measured.
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
    pub(crate) completed: u64,
    /// Answers that were not the expected one; any makes the measurement void.
    pub(crate) failed: u64,
    /// The first of them.
    pub(crate) failure: Option<String>,
    pub(crate) per_second: f64,
    /// Latencies in microseconds.
    pub(crate) p50: u64,
    pub(crate) p99: u64,
    pub(crate) p999: u64,
    pub(crate) longest: u64,
    /// CPU seconds of the server for 100,000 requests.
    pub(crate) server_cpu: f64,
    /// CPUs that neither the server nor the generator used, on average, and which were not idle.
    pub(crate) other_cpus: f64,
}
