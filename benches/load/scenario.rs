//! What is measured.

use crate::job::Lanes;

/// One line of the result.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) ask: Ask,
    pub(crate) lanes: Lanes,
    pub(crate) world: World,
}

/// The server that is asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct World {
    pub(crate) tokens: usize,
    pub(crate) disk: Disk,
}

/// Where the store of a server is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Disk {
    /// Below the build folder.
    Real,
    /// In memory, where durable costs nothing.
    Memory,
}

/// What is asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Ask {
    /// `IssueAccessToken` with identity tokens that were seen before.
    Issue,
    /// The same with `with_bearer_token` and `fresh`: a new signature each.
    Bearer,
    /// `IssueAccessToken`, each time with an identity that was never seen before.
    Cold,
    /// `CheckAccess`.
    Check,
    /// `IssueAccessToken` for a repository outside of the scope map.
    Refused,
    /// A registry JWT at `/token` for a session credential.
    Exchange,
}

const USUAL: World = World { tokens: 1_000, disk: Disk::Real };
const FEW: World = World { tokens: 10, disk: Disk::Real };
const MANY: World = World { tokens: 100_000, disk: Disk::Real };
const IN_MEMORY: World = World { tokens: 1_000, disk: Disk::Memory };
const DEFAULT: Lanes = lanes(4, 64);

/// All, those of one world together.
pub(crate) fn all() -> Vec<Scenario> {
    let of = |name, ask, lanes, world| Scenario { name, ask, lanes, world };
    vec![
        of("issue", Ask::Issue, DEFAULT, USUAL),
        of("issue-1", Ask::Issue, lanes(1, 1), USUAL),
        of("issue-64", Ask::Issue, lanes(4, 16), USUAL),
        of("issue-1024", Ask::Issue, lanes(4, 256), USUAL),
        of("bearer", Ask::Bearer, DEFAULT, USUAL),
        of("cold", Ask::Cold, DEFAULT, USUAL),
        of("exchange", Ask::Exchange, lanes(64, 1), USUAL),
        of("check", Ask::Check, DEFAULT, USUAL),
        of("refused", Ask::Refused, DEFAULT, USUAL),
        of("issue-memory", Ask::Issue, DEFAULT, IN_MEMORY),
        of("issue-10-tokens", Ask::Issue, DEFAULT, FEW),
        of("issue-100000-tokens", Ask::Issue, DEFAULT, MANY),
    ]
}

const fn lanes(connections: usize, streams: usize) -> Lanes {
    Lanes { connections, streams }
}
