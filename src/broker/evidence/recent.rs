//! Which reports were recorded lately: a registry sends again what it got no answer for, and a use counts once.

use std::collections::{HashSet, VecDeque};

use parking_lot::Mutex;

use crate::model::RegistryName;

/// How many are remembered; a registry sends again what is at the head of its queue.
const MAX: usize = 16 << 10;

/// The newest reports that are in the trail.
#[derive(Debug, Default)]
pub(in crate::broker) struct Recent(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    all: HashSet<(RegistryName, String)>,
    order: VecDeque<(RegistryName, String)>,
}

impl Recent {
    /// True when the registry's report of that id was recorded.
    pub(super) fn has(&self, registry: &RegistryName, id: &str) -> bool {
        self.0.lock().all.contains(&(registry.clone(), id.to_owned()))
    }

    /// Remembers a report that is in the trail, and forgets the oldest.
    pub(super) fn add(&self, registry: &RegistryName, id: &str) {
        let mut seen = self.0.lock();
        let key = (registry.clone(), id.to_owned());
        if !seen.all.insert(key.clone()) {
            return;
        }
        seen.order.push_back(key);
        if seen.order.len() > MAX
            && let Some(oldest) = seen.order.pop_front()
        {
            seen.all.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_known_once_it_is_recorded_at_its_own_registry() {
        let (recent, local): (_, RegistryName) = (Recent::default(), "local".parse().unwrap());
        assert!(!recent.has(&local, "a"));
        recent.add(&local, "a");
        assert!(recent.has(&local, "a") && !recent.has(&"other".parse().unwrap(), "a"));
    }

    #[test]
    fn promise_8_the_oldest_is_forgotten() {
        let (recent, local): (_, RegistryName) = (Recent::default(), "local".parse().unwrap());
        for number in 0..=MAX {
            recent.add(&local, &number.to_string());
        }
        assert!(!recent.has(&local, "0") && recent.has(&local, "1"));
        assert_eq!(recent.0.lock().all.len(), MAX);
    }
}
