//! Refusals of callers that nobody knows, counted together so that a flood of them cannot fill the disk (promise 8).

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::Mutex;

use super::Peer;
use crate::audit::{Event, Kind};
use crate::model::{DecisionId, Reason};

/// The first refusal of a source and reason is an event of its own; those of the next ten seconds are one event together.
pub(super) const WINDOW: Duration = Duration::from_secs(10);

/// More sources than this at once are counted as one source.
const MAX_SOURCES: usize = 10_000;

/// Counts refusals by source and reason.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    windows: Mutex<HashMap<(Peer, Reason), Window>>,
}

#[derive(Debug)]
struct Window {
    since: Timestamp,
    /// The event that will stand for the counted refusals.
    id: DecisionId,
    count: u64,
}

/// What becomes of a refusal.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Recording {
    /// It is the first: an event of its own.
    Alone,
    /// It is counted by the event of this id, which is written when the window closes.
    Counted(DecisionId),
}

impl Refusals {
    /// Counts a refusal under the network of its peer.
    pub(super) fn count(&self, peer: Peer, reason: Reason, now: Timestamp) -> Recording {
        let peer = peer.network();
        let mut windows = self.windows.lock();
        let crowded = windows.len() >= MAX_SOURCES && !windows.contains_key(&(peer, reason));
        let source = if crowded { Peer::Unknown } else { peer };
        if let Some(window) = windows.get_mut(&(source, reason)) {
            window.count += 1;
            return Recording::Counted(window.id);
        }
        windows.insert((source, reason), Window::open(now));
        Recording::Alone
    }

    /// The events of the windows that have closed. A source that was quiet is forgotten.
    pub(super) fn closed(&self, now: Timestamp) -> Vec<Event> {
        self.drain(now, |window| now.duration_since(window.since).unsigned_abs() >= WINDOW)
    }

    /// The events of all windows, at the end of the program.
    pub(super) fn all(&self, now: Timestamp) -> Vec<Event> {
        self.drain(now, |_| true)
    }

    fn drain(&self, now: Timestamp, is_closed: impl Fn(&Window) -> bool) -> Vec<Event> {
        let mut events = Vec::new();
        self.windows.lock().retain(|(peer, reason), window| {
            if !is_closed(window) {
                return true;
            }
            if window.count == 0 {
                return false;
            }
            events.push(Event {
                reason: Some(*reason),
                peer: Some(peer.to_string()),
                count: Some(window.count),
                ..Event::new(window.id, now, Kind::Refusals)
            });
            *window = Window::open(now);
            true
        });
        events
    }
}

impl Window {
    fn open(now: Timestamp) -> Self {
        Self { since: now, id: DecisionId::new(now), count: 0 }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use jiff::SignedDuration;

    use super::*;

    /// A peer of a network of its own.
    fn peer(network: u16) -> Peer {
        Peer::Address(IpAddr::from([0x2001, 0xdb8, 0, network, 0, 0, 0, 1]))
    }

    #[test]
    fn the_first_stands_alone_and_the_rest_of_a_window_is_one_event() {
        let refusals = Refusals::default();
        let start = Timestamp::UNIX_EPOCH;
        assert_eq!(refusals.count(peer(1), Reason::IdentityInvalid, start), Recording::Alone);
        for _ in 0..1_000 {
            let recording = refusals.count(peer(1), Reason::IdentityInvalid, start);
            assert!(matches!(recording, Recording::Counted(_)));
        }
        assert_eq!(refusals.count(peer(1), Reason::RateLimited, start), Recording::Alone);
        assert!(refusals.closed(start + SignedDuration::from_secs(9)).is_empty());
        let events = refusals.closed(start + SignedDuration::from_secs(10));
        let [event] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!((event.count, event.reason), (Some(1_000), Some(Reason::IdentityInvalid)));
        // the window is open again for one more round, then the source is forgotten
        assert!(refusals.closed(start + SignedDuration::from_secs(20)).is_empty());
        assert_eq!(refusals.count(peer(1), Reason::IdentityInvalid, start), Recording::Alone);
    }

    #[test]
    fn one_ipv6_network_is_one_source() {
        let refusals = Refusals::default();
        let peer = |host: u16| Peer::Address([0x2001, 0xdb8, 0, 1, 0, 0, 0, host].into());
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(refusals.count(peer(1), Reason::IdentityInvalid, now), Recording::Alone);
        for host in 2..100 {
            let recording = refusals.count(peer(host), Reason::IdentityInvalid, now);
            assert!(matches!(recording, Recording::Counted(_)), "{host}");
        }
    }

    #[test]
    fn more_sources_than_fit_are_counted_as_one() {
        let refusals = Refusals::default();
        let now = Timestamp::UNIX_EPOCH;
        for source in 0..20_000 {
            refusals.count(peer(source), Reason::IdentityInvalid, now);
        }
        assert!(refusals.windows.lock().len() <= MAX_SOURCES + 1);
        let counted: u64 = refusals.all(now).iter().filter_map(|event| event.count).sum();
        assert_eq!(counted, 20_000 - 10_000 - 1);
    }
}
