//! The scope maps of one registry. Tokens name them, and know where the one that they name stands: a changed scope map is in
//! force for all its tokens at once, and a decision reaches it without its name.

use std::sync::Arc;

use super::trie::Trie;
use crate::model::{Lifetime, ScopeMap, ScopeMapName, ShardedMap};

/// How many scope maps stand together: so many are copied when one of a copy changes.
const TOGETHER: usize = 64;

/// A scope map with its compiled entries. In the order in which a decision reads it, so that it is one line of memory.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Boundary {
    pub(super) trie: Trie,
    /// That of the scope map.
    pub(super) max_lifetime: Option<Lifetime>,
    pub(super) scope_map: ScopeMap,
}

/// Where a scope map of one name stands, whether it is there or not.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Slot(pub(super) u32);

/// All scope maps of a registry. A changed copy shares what did not change.
#[derive(Clone, Debug, Default)]
pub(super) struct Boundaries {
    names: ShardedMap<ScopeMapName, Held>,
    groups: Arc<Vec<Arc<Group>>>,
    /// Places that no name has any more.
    free: Arc<Vec<Slot>>,
}

type Group = [Option<Arc<Boundary>>; TOGETHER];

/// A name, as long as there is a scope map of it or a token that names it.
#[derive(Clone, Copy, Debug, Default)]
struct Held {
    slot: Slot,
    holders: u32,
}

impl Boundary {
    fn compile(scope_map: ScopeMap) -> Self {
        let trie = Trie::new(&scope_map.permissions);
        Self { trie, max_lifetime: scope_map.max_lifetime, scope_map }
    }
}

impl Slot {
    /// Nothing ever stands there.
    const NONE: Self = Self(u32::MAX);

    const fn group(self) -> usize {
        self.0 as usize / TOGETHER
    }

    const fn within(self) -> usize {
        self.0 as usize % TOGETHER
    }
}

impl Default for Slot {
    fn default() -> Self {
        Self::NONE
    }
}

impl Boundaries {
    /// The scope map that stands there.
    pub(super) fn at(&self, slot: Slot) -> Option<&Boundary> {
        self.groups.get(slot.group())?.get(slot.within())?.as_deref()
    }

    /// The scope map of this name.
    pub(super) fn find(&self, name: &str) -> Option<&Boundary> {
        self.at(self.names.find(name)?.slot)
    }

    /// All scope maps, in no particular order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Boundary> {
        self.groups.iter().flat_map(|group| group.iter()).filter_map(Option::as_deref)
    }

    /// Puts a scope map, in the place of the one of its name.
    pub(super) fn put(&mut self, scope_map: ScopeMap) {
        let known = self.names.find(scope_map.name.as_str()).map(|held| held.slot);
        let slot = known.filter(|slot| self.at(*slot).is_some());
        let slot = slot.unwrap_or_else(|| self.hold(&scope_map.name));
        self.set(slot, Some(Arc::new(Boundary::compile(scope_map))));
    }

    /// Takes a scope map away. The tokens that name it have none until there is one of that name again.
    pub(super) fn take(&mut self, name: &str) {
        let known = self.names.find(name).map(|held| held.slot);
        if let Some(slot) = known.filter(|slot| self.at(*slot).is_some()) {
            self.set(slot, None);
            self.release(name);
        }
    }

    /// Where the scope map of this name stands or will stand, until it is [released](Self::release) as often as it was held.
    pub(super) fn hold(&mut self, name: &ScopeMapName) -> Slot {
        let Some(held) = self.names.entry(name.clone()) else { return Slot::NONE };
        if held.holders == 0 {
            held.slot = vacant(&mut self.free, &mut self.groups);
        }
        held.holders = held.holders.saturating_add(1);
        held.slot
    }

    /// One holder of the name less; without any, its place is for another name.
    pub(super) fn release(&mut self, name: &str) {
        let Some(held) = self.names.find_mut(name) else { return };
        held.holders = held.holders.saturating_sub(1);
        if held.holders == 0 {
            let slot = held.slot;
            self.names.remove(name);
            Arc::make_mut(&mut self.free).push(slot);
        }
    }

    fn set(&mut self, slot: Slot, boundary: Option<Arc<Boundary>>) {
        let group = Arc::make_mut(&mut self.groups).get_mut(slot.group()).map(Arc::make_mut);
        if let Some(place) = group.and_then(|group| group.get_mut(slot.within())) {
            *place = boundary;
        }
    }

    /// True when only the system's scope maps are there, and no other name is held.
    #[cfg(test)]
    pub(super) fn is_bare(&self) -> bool {
        self.iter().all(|own| own.scope_map.system)
            && self.names.values().count() == self.iter().count()
    }
}

/// A place that is free, or room for more.
fn vacant(free: &mut Arc<Vec<Slot>>, groups: &mut Arc<Vec<Arc<Group>>>) -> Slot {
    if free.is_empty() {
        let first = groups.len() * TOGETHER;
        Arc::make_mut(groups).push(Arc::new(std::array::from_fn(|_| None)));
        // the next one is taken first
        let numbers = (first..first + TOGETHER).rev().map(u32::try_from);
        Arc::make_mut(free).extend(numbers.flatten().map(Slot));
    }
    Arc::make_mut(free).pop().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::for_test::scope_map;

    fn name(number: usize) -> ScopeMapName {
        format!("map-{number:03}").parse().unwrap()
    }

    #[test]
    fn a_changed_scope_map_stands_where_it_stood_and_a_copy_keeps_its_own() {
        let mut before = Boundaries::default();
        let slot = before.hold(&name(0));
        assert!(before.at(slot).is_none());
        before.put(scope_map("map-000", &[("a", "pull")]));
        let mut after = before.clone();
        after.put(scope_map("map-000", &[("b", "pull")]));
        let allows = |own: &Boundaries, repository: &str| {
            let boundary = own.at(slot).unwrap();
            !boundary.trie.actions_on(&repository.parse().unwrap()).is_empty()
        };
        assert!(allows(&before, "a") && !allows(&before, "b"));
        assert!(allows(&after, "b") && !allows(&after, "a"));
    }

    #[test]
    fn c5_a_token_never_gets_the_scope_map_of_another_name() {
        let mut boundaries = Boundaries::default();
        let held = boundaries.hold(&name(0));
        boundaries.put(scope_map("map-000", &[("a", "pull")]));
        boundaries.take("map-000");
        for number in 1..200 {
            assert_ne!(boundaries.hold(&name(number)), held, "{number}");
            boundaries.put(scope_map(name(number).as_str(), &[("b", "pull")]));
        }
        assert!(boundaries.at(held).is_none());
        // and has its own again when that comes back
        boundaries.put(scope_map("map-000", &[("c", "pull")]));
        assert_eq!(boundaries.at(held).unwrap().scope_map.name, name(0));
    }

    #[test]
    fn names_that_come_and_go_take_no_more_room() {
        let mut boundaries = Boundaries::default();
        for number in 0..900 {
            let slot = boundaries.hold(&name(number));
            boundaries.put(scope_map(name(number).as_str(), &[("a", "pull")]));
            assert_eq!(
                boundaries.find(name(number).as_str()).unwrap().scope_map.name,
                name(number)
            );
            boundaries.take(name(number).as_str());
            boundaries.release(name(number).as_str());
            assert!(slot.group() == 0 && boundaries.at(slot).is_none());
        }
        assert!(boundaries.is_bare());
        assert_eq!((boundaries.groups.len(), boundaries.free.len()), (1, TOGETHER));
    }
}
