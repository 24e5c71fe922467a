//! The entries of one scope map as a tree by path segment: a look-up follows the repository's own segments only.

use std::collections::{BTreeMap, VecDeque};

use crate::model::{ActionSet, RepositoryName, RepositoryPattern, Segment};

/// The compiled entries of one scope map: all nodes in one piece, since a look-up that jumps about in memory waits for it.
#[derive(Debug, Default)]
pub(super) struct Trie {
    /// The root, then level by level; the children of one node follow one another, sorted by name.
    nodes: Box<[Node]>,
    /// The names of all nodes.
    names: Box<str>,
}

#[derive(Clone, Debug, Default)]
struct Node {
    /// Where its name is.
    name: Span,
    /// Its children that have a name.
    literal: Span,
    /// Its child for any name; 0 = none, since the root is nobody's child.
    any: u32,
    /// On the repository that ends here.
    here: ActionSet,
    /// On every repository strictly below.
    below: ActionSet,
}

#[derive(Clone, Copy, Debug, Default)]
struct Span {
    start: u32,
    length: u32,
}

impl Trie {
    /// Compiles the entries of a scope map.
    pub(super) fn new(permissions: &BTreeMap<RepositoryPattern, ActionSet>) -> Self {
        let mut root = Branch::default();
        for (pattern, actions) in permissions {
            let end = pattern.segments().fold(&mut root, Branch::child);
            let place = if pattern.is_subtree() { &mut end.below } else { &mut end.here };
            *place = place.union(*actions);
        }
        root.flatten()
    }

    /// The union of the actions of all entries that match `repository`. Visits each node at most once.
    pub(super) fn actions_on(&self, repository: &RepositoryName) -> ActionSet {
        self.nodes
            .first()
            .map_or(ActionSet::EMPTY, |root| self.collect(root, Some(repository.as_str())))
    }

    fn collect(&self, node: &Node, rest: Option<&str>) -> ActionSet {
        let Some(rest) = rest else { return node.here };
        let (name, rest) = match rest.split_once('/') {
            Some((name, rest)) => (name, Some(rest)),
            None => (rest, None),
        };
        let children = node.literal.of(&self.nodes).unwrap_or_default();
        let literal = children.binary_search_by(|child| self.name(child).cmp(name));
        let literal = literal.ok().and_then(|at| children.get(at));
        let any = self.nodes.get(node.any as usize).filter(|_| node.any > 0);
        [literal, any]
            .into_iter()
            .flatten()
            .fold(node.below, |set, child| set.union(self.collect(child, rest)))
    }

    fn name(&self, node: &Node) -> &str {
        self.names.get(node.name.range()).unwrap_or_default()
    }
}

impl Span {
    /// More than four thousand million nodes are not compiled: they do not fit into a scope map.
    fn new(start: usize, length: usize) -> Self {
        let number = |number| u32::try_from(number).unwrap_or_default();
        Self { start: number(start), length: number(length) }
    }

    fn range(self) -> std::ops::Range<usize> {
        self.start as usize..(self.start as usize).saturating_add(self.length as usize)
    }

    fn of<T>(self, all: &[T]) -> Option<&[T]> {
        all.get(self.range())
    }
}

/// A node while the tree grows.
#[derive(Debug, Default)]
struct Branch<'a> {
    literal: BTreeMap<&'a str, Branch<'a>>,
    any: Option<Box<Branch<'a>>>,
    here: ActionSet,
    below: ActionSet,
}

impl<'a> Branch<'a> {
    fn child<'b>(&'b mut self, segment: Segment<'a>) -> &'b mut Self {
        match segment {
            Segment::Any => self.any.get_or_insert_default(),
            Segment::Literal(name) => self.literal.entry(name).or_default(),
        }
    }

    /// Level by level: what is behind a node in the queue comes behind the nodes that are there.
    fn flatten(&self) -> Trie {
        let (mut nodes, mut names) = (Vec::new(), String::new());
        let mut queue = VecDeque::from([("", self)]);
        while let Some((name, branch)) = queue.pop_front() {
            let first_child = nodes.len() + 1 + queue.len();
            let any = first_child + branch.literal.len();
            nodes.push(Node {
                name: Span::new(names.len(), name.len()),
                literal: Span::new(first_child, branch.literal.len()),
                any: branch.any.as_ref().map_or(0, |_| Span::new(any, 1).start),
                here: branch.here,
                below: branch.below,
            });
            names.push_str(name);
            queue.extend(branch.literal.iter().map(|(name, child)| (*name, child)));
            queue.extend(branch.any.iter().map(|child| ("", child.as_ref())));
        }
        Trie { nodes: nodes.into(), names: names.into() }
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
