//! What is measured.

use crate::configuration::{InFlight, Transport};
use crate::generate::{Hpack, Lanes};
use crate::requests::Ask;

/// One line of the result.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) ask: Ask,
    pub(crate) hpack: Hpack,
    pub(crate) lanes: Lanes,
    pub(crate) world: World,
    pub(crate) beside: Beside,
    pub(crate) yardstick: Yardstick,
}

/// What the server is compared with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Yardstick {
    /// A bare hello.
    Hello,
    /// A bare server that is sent the same bytes, the caller's identity among them, and answers with as many.
    SameBytes,
}

/// The server that is asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct World {
    pub(crate) tokens: usize,
    /// Audit events that are there before.
    pub(crate) events: u64,
    pub(crate) disk: Disk,
    pub(crate) build: Build,
    pub(crate) transport: Transport,
    pub(crate) in_flight: InFlight,
}

/// Where the store of a server is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Disk {
    /// Below the build folder.
    Real,
    /// In memory, where durable costs nothing.
    Memory,
}

/// Which program.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Build {
    /// As it is shipped.
    Shipped,
    /// One that records nothing, made for the comparison only.
    WithoutAudit,
}

/// What happens meanwhile.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Beside {
    Nothing,
    /// A scope map changes ten times a second.
    PolicyChanges,
}

/// The server of most scenarios.
pub(crate) const USUAL: World = World {
    tokens: 1_000,
    events: 0,
    disk: Disk::Real,
    build: Build::Shipped,
    transport: Transport::Plain,
    in_flight: InFlight::Unlimited,
};
/// With as much policy as there may be.
pub(crate) const MANY_TOKENS: World = World { tokens: 100_000, ..USUAL };
const FEW_TOKENS: World = World { tokens: 10, ..USUAL };
const MANY_EVENTS: World = World { events: 5_000_000, ..USUAL };
const IN_MEMORY: World = World { disk: Disk::Memory, ..USUAL };
const WITHOUT_AUDIT: World = World { build: Build::WithoutAudit, ..USUAL };
const TLS: World = World { transport: Transport::Tls, ..USUAL };
const DEFAULT: Lanes = lanes(4, 64);

/// All, those of one world together.
pub(crate) fn all() -> Vec<Scenario> {
    let beside = |name, ask, lanes, world, beside| Scenario {
        name,
        ask,
        hpack: Hpack::Huffman,
        lanes,
        world,
        beside,
        yardstick: Yardstick::Hello,
    };
    let of = |name, ask, lanes, world| beside(name, ask, lanes, world, Beside::Nothing);
    vec![
        of("issue", Ask::Issue, DEFAULT, USUAL),
        Scenario {
            yardstick: Yardstick::SameBytes,
            ..of("same-bytes", Ask::Issue, DEFAULT, USUAL)
        },
        Scenario { hpack: Hpack::Plain, ..of("issue-plain", Ask::Issue, DEFAULT, USUAL) },
        Scenario { hpack: Hpack::Kept, ..of("issue-kept", Ask::Issue, DEFAULT, USUAL) },
        of("issue-1", Ask::Issue, lanes(1, 1), USUAL),
        of("issue-64", Ask::Issue, lanes(4, 16), USUAL),
        of("issue-1024", Ask::Issue, lanes(4, 256), USUAL),
        of("bearer", Ask::Bearer, DEFAULT, USUAL),
        of("cold", Ask::Cold, DEFAULT, USUAL),
        of("exchange", Ask::Exchange, lanes(64, 1), USUAL),
        of("check", Ask::Check, DEFAULT, USUAL),
        of("refused", Ask::Refused, DEFAULT, USUAL),
        of("forged", Ask::Forged, DEFAULT, USUAL),
        of("issue-tls", Ask::Issue, DEFAULT, TLS),
        of("issue-memory", Ask::Issue, DEFAULT, IN_MEMORY),
        of("issue-without-audit", Ask::Issue, DEFAULT, WITHOUT_AUDIT),
        of("issue-10-tokens", Ask::Issue, DEFAULT, FEW_TOKENS),
        of("issue-100000-tokens", Ask::Issue, DEFAULT, MANY_TOKENS),
        beside("issue-policy-changes", Ask::Issue, DEFAULT, MANY_TOKENS, Beside::PolicyChanges),
        of("issue-5000000-events", Ask::Issue, DEFAULT, MANY_EVENTS),
    ]
}

/// So many streams on so many connections.
pub(crate) const fn lanes(connections: usize, streams: usize) -> Lanes {
    Lanes { connections, streams }
}
