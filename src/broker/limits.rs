//! How much a caller may ask for: by address before anything is verified, by identity after, and in total.

use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Error, Peer};
use crate::identity::{Identity, Kind};

/// The `[limits]` section.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Requests a second from one address, before anything of them is verified; twice as many at once.
    pub per_address: NonZeroU32,
    /// Requests a second of one identity; twice as many at once.
    pub per_identity: NonZeroU32,
    /// Requests that are worked on at the same time.
    pub in_flight: NonZeroU32,
    /// The longest time, in seconds, that a request is worked on.
    pub deadline_seconds: NonZeroU32,
}

impl Default for Config {
    fn default() -> Self {
        let number = |n| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
        Self {
            per_address: number(2_000),
            per_identity: number(500),
            in_flight: number(4_096),
            deadline_seconds: number(15),
        }
    }
}

/// The limits, and who used how much of them. They run on the monotonic clock of `governor`: a wall clock that is set takes nothing
/// from anybody.
#[derive(Debug)]
pub(super) struct Limits {
    addresses: DefaultKeyedRateLimiter<Peer>,
    identities: DefaultKeyedRateLimiter<IdentityKey>,
    in_flight: Arc<Semaphore>,
    clock: DefaultClock,
}

/// Who an identity is, for its limit. A hash over length-prefixed fields, so that no value can pass for another.
type IdentityKey = [u8; 32];

impl Limits {
    pub(super) fn new(config: &Config) -> Self {
        let quota = |per_second: NonZeroU32| {
            Quota::per_second(per_second)
                .allow_burst(per_second.saturating_mul(NonZeroU32::MIN.saturating_add(1)))
        };
        Self {
            addresses: RateLimiter::keyed(quota(config.per_address)),
            identities: RateLimiter::keyed(quota(config.per_identity)),
            in_flight: Arc::new(Semaphore::new(config.in_flight.get() as usize)),
            clock: DefaultClock::default(),
        }
    }

    /// A place among those worked on, held until it is dropped.
    pub(super) fn enter(&self) -> Result<OwnedSemaphorePermit, Error> {
        Arc::clone(&self.in_flight)
            .try_acquire_owned()
            .map_err(|_| Error::Overloaded { retry_after: Duration::from_secs(1) })
    }

    /// Counts a request of an address.
    pub(super) fn address(&self, peer: Peer) -> Result<(), Error> {
        self.check(&self.addresses, &peer.network(), "address")
    }

    /// Counts a request of an identity. Nobody is no identity: they would all share one limit, so that one could use it up for
    /// the others; each has the limit of its address.
    pub(super) fn identity(&self, identity: &Identity) -> Result<(), Error> {
        match identity_key(identity) {
            Some(key) => self.check(&self.identities, &key, "identity"),
            None => Ok(()),
        }
    }

    /// Forgets who asked for little lately.
    pub(super) fn forget_quiet(&self) {
        self.addresses.retain_recent();
        self.identities.retain_recent();
    }

    fn check<K: Clone + Eq + Hash>(
        &self,
        limiter: &DefaultKeyedRateLimiter<K>,
        key: &K,
        subject: &'static str,
    ) -> Result<(), Error> {
        limiter.check_key(key).map_err(|denied| {
            let retry_after = denied.wait_time_from(self.clock.now()).max(Duration::from_millis(1));
            Error::RateLimited { subject, retry_after }
        })
    }
}

fn identity_key(identity: &Identity) -> Option<IdentityKey> {
    let mut hash = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    let mut field = |bytes: &[u8]| {
        hash.update(&u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(bytes);
    };
    match identity.kind() {
        Kind::Anonymous => return None,
        Kind::Password(holder) => field(holder.entry().token.as_bytes()),
        // the sessions of one token share its limit
        Kind::Session(session) => field(session.token.as_bytes()),
        Kind::Workload(workload) => {
            field(workload.issuer().as_str().as_bytes());
            field(workload.subject().as_bytes());
        }
    }
    hash.finish().as_ref().first_chunk().copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::for_test as identities;

    #[test]
    fn an_address_over_its_limit_is_told_when_to_come_again() {
        let one = NonZeroU32::MIN;
        let limits = Limits::new(&Config { per_address: one, ..Config::default() });
        let (near, far) =
            (Peer::Address([127, 0, 0, 1].into()), Peer::Address([10, 0, 0, 1].into()));
        assert!(limits.address(near).is_ok());
        assert!(limits.address(near).is_ok());
        let refused = limits.address(near).unwrap_err();
        assert!(
            matches!(refused, Error::RateLimited { retry_after, .. } if retry_after <= Duration::from_secs(1))
        );
        assert!(limits.address(far).is_ok());
    }

    #[test]
    fn the_addresses_of_one_ipv6_network_share_a_limit() {
        let limits = Limits::new(&Config { per_address: NonZeroU32::MIN, ..Config::default() });
        let peer = |host: u16| Peer::Address([0x2001, 0xdb8, 0, 1, 0, 0, 0, host].into());
        assert!(limits.address(peer(1)).is_ok() && limits.address(peer(2)).is_ok());
        assert!(matches!(limits.address(peer(3)), Err(Error::RateLimited { .. })));
    }

    #[test]
    fn nobody_does_not_use_up_the_limit_of_others_who_are_nobody() {
        let limits = Limits::new(&Config { per_identity: NonZeroU32::MIN, ..Config::default() });
        for _ in 0..10 {
            assert!(limits.identity(&identities::anonymous()).is_ok());
        }
    }

    #[test]
    fn a_place_is_free_again_when_it_is_left() {
        let limits = Limits::new(&Config { in_flight: NonZeroU32::MIN, ..Config::default() });
        let place = limits.enter().unwrap();
        assert!(matches!(limits.enter(), Err(Error::Overloaded { .. })));
        drop(place);
        assert!(limits.enter().is_ok());
    }
}
