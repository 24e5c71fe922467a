//! The entries of one scope map as a tree by path segment: a look-up follows the repository's own segments only.

use std::collections::BTreeMap;
use std::str::Split;

use crate::model::{ActionSet, RepositoryName, RepositoryPattern, Segment};

/// The compiled entries of one scope map.
#[derive(Debug, Default)]
pub(super) struct Trie {
    root: Node,
}

#[derive(Debug, Default)]
struct Node {
    /// By name, in order.
    literal: Vec<(Box<str>, Node)>,
    any: Option<Box<Node>>,
    /// On the repository that ends here.
    here: ActionSet,
    /// On every repository strictly below.
    below: ActionSet,
}

impl Trie {
    /// Compiles the entries of a scope map.
    pub(super) fn new(permissions: &BTreeMap<RepositoryPattern, ActionSet>) -> Self {
        let mut trie = Self::default();
        for (pattern, actions) in permissions {
            let end = pattern.segments().iter().fold(&mut trie.root, Node::child);
            let place = if pattern.is_subtree() { &mut end.below } else { &mut end.here };
            *place = place.union(*actions);
        }
        trie
    }

    /// The union of the actions of all entries that match `repository`. Visits each node at most once.
    pub(super) fn actions_on(&self, repository: &RepositoryName) -> ActionSet {
        self.root.collect(repository.as_str().split('/'))
    }
}

impl Node {
    fn child(&mut self, segment: &Segment) -> &mut Self {
        match segment {
            Segment::Any => self.any.get_or_insert_default(),
            Segment::Literal(name) => self.literal_child(name),
        }
    }

    fn literal_child(&mut self, name: &str) -> &mut Self {
        let at = self.position(name).unwrap_or_else(|at| {
            self.literal.reserve_exact(usize::from(self.literal.is_empty()));
            self.literal.insert(at, (name.into(), Self::default()));
            at
        });
        // INVARIANT: `at` was found, or put there above
        #[expect(clippy::indexing_slicing, reason = "the position comes from the lines above")]
        &mut self.literal[at].1
    }

    fn position(&self, name: &str) -> Result<usize, usize> {
        self.literal.binary_search_by(|(own, _)| own.as_ref().cmp(name))
    }

    fn collect(&self, mut names: Split<'_, char>) -> ActionSet {
        let Some(name) = names.next() else { return self.here };
        let literal = self.position(name).ok().and_then(|at| self.literal.get(at));
        let literal = literal.map(|(_, node)| node.collect(names.clone()));
        let any = self.any.as_ref().map(|node| node.collect(names));
        [literal, any].into_iter().flatten().fold(self.below, ActionSet::union)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn segment() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec!["a", "b", "*"])
    }

    fn pattern() -> impl Strategy<Value = RepositoryPattern> {
        prop::collection::vec(segment(), 1..5).prop_map(|s| s.join("/").parse().unwrap())
    }

    fn repository() -> impl Strategy<Value = RepositoryName> {
        prop::collection::vec(prop::sample::select(vec!["a", "b", "c"]), 1..6)
            .prop_map(|s| s.join("/").parse().unwrap())
    }

    fn actions() -> impl Strategy<Value = ActionSet> {
        prop::sample::subsequence(crate::model::Action::ALL.to_vec(), 1..=5)
            .prop_map(|actions| actions.into_iter().collect())
    }

    proptest! {
        #[test]
        fn c7_the_trie_and_a_look_at_every_entry_agree(
            entries in prop::collection::btree_map(pattern(), actions(), 0..12),
            repository in repository(),
        ) {
            let slow = entries
                .iter()
                .filter(|(pattern, _)| pattern.matches(&repository))
                .fold(ActionSet::EMPTY, |set, (_, actions)| set.union(*actions));
            prop_assert_eq!(Trie::new(&entries).actions_on(&repository), slow);
        }
    }

    #[test]
    fn a_deep_repository_under_many_stars_is_looked_up_at_once() {
        let entries = (1..60)
            .map(|depth| (vec!["*"; depth].join("/").parse().unwrap(), ActionSet::PULL))
            .collect();
        let deep: RepositoryName = vec!["a"; 128].join("/").parse().unwrap();
        assert_eq!(Trie::new(&entries).actions_on(&deep), ActionSet::PULL);
    }
}
