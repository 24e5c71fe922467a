//! How many connections there may be, in all and from one address (guarantees.md 8).

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::model::caller_network;

/// The limits on connections.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ConnectionLimits {
    /// The most connections at once, those in their handshake included.
    pub total: usize,
    /// The most connections at once from one address; for IPv6, from one /64 network, of which a caller has all addresses.
    pub per_address: usize,
    /// How long a TLS handshake may take, and after it the first byte of the caller.
    pub handshake: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self { total: 10_000, per_address: 1_000, handshake: Duration::from_secs(10) }
    }
}

/// Counts connections. Clones share the count: one for all listeners that callers reach. The ops listener has one of
/// its own, so that a flood of callers does not fail its probes.
#[derive(Clone, Debug)]
pub struct Admission {
    limits: ConnectionLimits,
    counts: Arc<Mutex<Counts>>,
}

#[derive(Debug, Default)]
struct Counts {
    total: usize,
    by_source: HashMap<IpAddr, usize>,
}

/// A place among the connections; it is given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    source: IpAddr,
    counts: Arc<Mutex<Counts>>,
}

/// The limit that is reached.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Full {
    Total,
    Address,
}

impl Full {
    /// The word of the metric label.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Total => "total",
            Self::Address => "address",
        }
    }
}

impl Admission {
    /// Counts from nothing.
    pub fn new(limits: ConnectionLimits) -> Self {
        Self { limits, counts: Arc::default() }
    }

    /// How long a TLS handshake may take.
    pub(super) const fn handshake(&self) -> Duration {
        self.limits.handshake
    }

    /// Takes a place for a connection from `address`.
    pub(super) fn admit(&self, address: IpAddr) -> Result<Place, Full> {
        let source = caller_network(address);
        let mut counts = self.counts.lock();
        if counts.total >= self.limits.total {
            return Err(Full::Total);
        }
        let from_source = counts.by_source.get(&source).copied().unwrap_or(0);
        if from_source >= self.limits.per_address {
            return Err(Full::Address);
        }
        counts.total = counts.total.saturating_add(1);
        counts.by_source.insert(source, from_source.saturating_add(1));
        Ok(Place { source, counts: Arc::clone(&self.counts) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.counts.lock();
        counts.total = counts.total.saturating_sub(1);
        let left = counts.by_source.get(&self.source).copied().unwrap_or(0).saturating_sub(1);
        if left == 0 {
            // the map holds only sources that have a connection: it cannot grow beyond the total
            counts.by_source.remove(&self.source);
        } else {
            counts.by_source.insert(self.source, left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(total: usize, per_address: usize) -> Admission {
        Admission::new(ConnectionLimits { total, per_address, ..ConnectionLimits::default() })
    }

    fn ip(address: &str) -> IpAddr {
        address.parse().unwrap()
    }

    fn admit(admission: &Admission, address: &str) -> Result<Place, Full> {
        admission.admit(ip(address))
    }

    #[test]
    fn h3_one_address_cannot_take_all_places() {
        let admission = admission(3, 2);
        let first = admit(&admission, "192.0.2.1").unwrap();
        let _second = admit(&admission, "::ffff:192.0.2.1").unwrap();
        assert_eq!(admit(&admission, "192.0.2.1").unwrap_err(), Full::Address);
        let _third = admit(&admission, "192.0.2.2").unwrap();
        assert_eq!(admit(&admission, "192.0.2.3").unwrap_err(), Full::Total);
        drop(first);
        assert!(admit(&admission, "192.0.2.1").is_ok());
    }

    #[test]
    fn h3_addresses_of_one_ipv6_network_count_as_one() {
        let admission = admission(10, 1);
        let _first = admit(&admission, "2001:db8:0:1::1").unwrap();
        assert_eq!(admit(&admission, "2001:db8:0:1:ffff::9").unwrap_err(), Full::Address);
        assert!(admit(&admission, "2001:db8:0:2::1").is_ok());
    }

    #[test]
    fn places_that_are_given_back_leave_nothing_behind() {
        let admission = admission(10, 10);
        let places = (0..10)
            .map(|n| admit(&admission, &format!("192.0.2.{n}")).unwrap())
            .collect::<Vec<_>>();
        drop(places);
        assert_eq!(admission.counts.lock().total, 0);
        assert!(admission.counts.lock().by_source.is_empty());
    }
}
