//! How much a caller may ask for: by address before anything is verified, by identity after, and in total.

use std::hash::{Hash, Hasher};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use serde::{Deserialize, Serialize};

use super::{Error, Peer};
use crate::identity::{Identity, Kind, Workload};
use crate::model::TokenUid;

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
            in_flight: number(1_024),
            deadline_seconds: number(15),
        }
    }
}

/// The limits, and who used how much of them. They run on the monotonic clock of `governor`: a wall clock that is set takes nothing
/// from anybody.
#[derive(Debug)]
pub(super) struct Limits {
    addresses: DefaultKeyedRateLimiter<Peer>,
    identities: DefaultKeyedRateLimiter<Subject>,
    free: Arc<AtomicU32>,
    clock: DefaultClock,
}

/// A place among the requests that are worked on, until it is dropped.
#[derive(Debug)]
pub(super) struct Place(Arc<AtomicU32>);

/// Who an identity is, for its limit.
#[derive(Clone, Debug)]
enum Subject {
    /// The holders of a token's passwords or sessions share its limit.
    Token(TokenUid),
    /// By issuer and subject; other claims are no matter.
    Workload(Workload),
}

impl Limits {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            addresses: limiter(config.per_address),
            identities: limiter(config.per_identity),
            free: Arc::new(AtomicU32::new(config.in_flight.get())),
            clock: DefaultClock::default(),
        }
    }

    /// Counts a request of an address, and gives it a place among those worked on.
    pub(super) fn enter(&self, peer: Peer) -> Result<Place, Error> {
        self.address(peer)?;
        let taken =
            self.free.fetch_update(Ordering::AcqRel, Ordering::Acquire, |free| free.checked_sub(1));
        match taken {
            Ok(_) => Ok(Place(Arc::clone(&self.free))),
            Err(_) => Err(Error::Overloaded { retry_after: Duration::from_secs(1) }),
        }
    }

    /// Counts a request of an address.
    pub(super) fn address(&self, peer: Peer) -> Result<(), Error> {
        self.check(&self.addresses, &peer.network(), "address")
    }

    /// Counts a request of an identity. Nobody is no identity: they would all share one limit, so that one could use it up for
    /// the others; each has the limit of its address.
    pub(super) fn identity(&self, identity: &Identity) -> Result<(), Error> {
        match Subject::of(identity) {
            Some(subject) => self.check(&self.identities, &subject, "identity"),
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

/// Twice as many at once as in a second.
fn limiter<K: Clone + Eq + Hash>(per_second: NonZeroU32) -> DefaultKeyedRateLimiter<K> {
    let burst = per_second.saturating_mul(NonZeroU32::MIN.saturating_add(1));
    RateLimiter::keyed(Quota::per_second(per_second).allow_burst(burst))
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

impl Subject {
    fn of(identity: &Identity) -> Option<Self> {
        match identity.kind() {
            Kind::Anonymous => None,
            Kind::Password(holder) => Some(Self::Token(holder.entry().token)),
            Kind::Session(session) => Some(Self::Token(session.token)),
            Kind::Workload(workload) => Some(Self::Workload(workload.clone())),
        }
    }
}

impl PartialEq for Subject {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Token(own), Self::Token(other)) => own == other,
            (Self::Workload(own), Self::Workload(other)) => {
                own.subject() == other.subject() && own.issuer() == other.issuer()
            }
            _ => false,
        }
    }
}

impl Eq for Subject {}

impl Hash for Subject {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Token(token) => token.hash(state),
            Self::Workload(workload) => {
                workload.issuer().hash(state);
                workload.subject().hash(state);
            }
        }
    }
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
        let place = limits.enter(Peer::Unknown).unwrap();
        assert!(matches!(limits.enter(Peer::Unknown), Err(Error::Overloaded { .. })));
        drop(place);
        assert!(limits.enter(Peer::Unknown).is_ok());
    }

    #[test]
    fn b7_an_identity_has_a_limit_by_issuer_and_subject_whatever_its_other_claims() {
        let workload = |issuer: &str, subject: &str, id: u64| {
            let claims = serde_json::Map::from_iter([("jti".to_owned(), id.into())]);
            identities::workload(issuer.parse().unwrap(), subject, claims, jiff::Timestamp::MAX)
        };
        let limits = Limits::new(&Config { per_identity: NonZeroU32::MIN, ..Config::default() });
        let (one, other) = ("https://a.example.com", "https://a.example.co");
        assert!(limits.identity(&workload(one, "job", 1)).is_ok());
        assert!(limits.identity(&workload(one, "job", 2)).is_ok());
        let refused = limits.identity(&workload(one, "job", 3));
        assert!(matches!(refused, Err(Error::RateLimited { subject: "identity", .. })));
        assert!(limits.identity(&workload(one, "jo", 1)).is_ok());
        assert!(limits.identity(&workload(other, "mjob", 1)).is_ok());
    }
}
