//! The decision.

use jiff::Timestamp;

use super::{Denial, Permit, Snapshot};
use crate::identity::Identity;
use crate::model::AccessRequest;

/// Allows all of the request by one token, or denies it.
pub fn decide(
    snapshot: &Snapshot,
    identity: &Identity,
    request: &AccessRequest,
    now: Timestamp,
) -> Result<Permit, Denial> {
    todo!()
}

/// Allows what one token allows of the request, for the docker token endpoint: the first token by name that allows all of it,
/// else the first that allows any of it, else the first that admits the identity (a permit with no permissions: a docker login).
pub fn decide_available(
    snapshot: &Snapshot,
    identity: &Identity,
    request: &AccessRequest,
    now: Timestamp,
) -> Result<Permit, Denial> {
    todo!()
}
