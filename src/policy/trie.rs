//! The entries of one scope map as a tree by path segment: a look-up follows the repository's own segments only.

use std::cmp::Ordering;
use std::collections::{BTreeMap, VecDeque};

use crate::model::{ActionSet, RepositoryName, RepositoryPattern, Segment};

/// The compiled entries of one scope map: all nodes and their names in one piece, since a look-up that jumps about in memory
/// waits for it.
#[derive(Debug, Default)]
pub(super) struct Trie(
    /// The root, then level by level, then the names. The children of one node follow one another: those that have a name,
    /// sorted by it, then the one for any name.
    Box<[u8]>,
);

/// One node; [`NODE`] bytes of the piece.
#[derive(Clone, Copy, Default)]
struct Node {
    /// Where its name is in the piece.
    name: u32,
    name_length: u8,
    /// The number of its first child.
    first: u32,
    /// How many of its children have a name.
    named: u32,
    /// Whether one more child is there, for any name.
    any: u8,
    /// On the repository that ends here.
    here: ActionSet,
    /// On every repository strictly below.
    below: ActionSet,
}

/// How many bytes a node takes.
const NODE: usize = 16;

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
        let name = repository.as_str().as_bytes();
        self.node(0).map_or(ActionSet::EMPTY, |root| self.collect(root, Some(name)))
    }

    fn collect(&self, node: Node, rest: Option<&[u8]>) -> ActionSet {
        let Some(rest) = rest else { return node.here };
        let end = rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len());
        let (name, rest) = rest.split_at_checked(end).unwrap_or_default();
        let rest = rest.split_first().map(|(_, rest)| rest);
        let below = |child: Option<Node>| child.map(|child| self.collect(child, rest));
        let literal = below(self.literal(node, name)).unwrap_or_default();
        let any = below(self.node(node.first + node.named).filter(|_| node.any > 0));
        node.below.union(literal).union(any.unwrap_or_default())
    }

    /// The child of this name.
    fn literal(&self, parent: Node, name: &[u8]) -> Option<Node> {
        let (mut first, mut end) = (parent.first, parent.first + parent.named);
        while first < end {
            let middle = first.midpoint(end);
            let child = self.node(middle)?;
            match self.name(child)?.cmp(name) {
                Ordering::Less => first = middle + 1,
                Ordering::Equal => return Some(child),
                Ordering::Greater => end = middle,
            }
        }
        None
    }

    #[inline]
    fn node(&self, number: u32) -> Option<Node> {
        let start = (number as usize).checked_mul(NODE)?;
        Some(Node::read(self.0.get(start..)?.first_chunk()?))
    }

    #[inline]
    fn name(&self, node: Node) -> Option<&[u8]> {
        self.0.get(node.name as usize..)?.get(..usize::from(node.name_length))
    }
}

impl Node {
    #[inline]
    const fn read(bytes: &[u8; NODE]) -> Self {
        let [n0, n1, n2, n3, f0, f1, f2, f3, c0, c1, c2, c3, name_length, any, here, below] =
            *bytes;
        Self {
            name: u32::from_le_bytes([n0, n1, n2, n3]),
            first: u32::from_le_bytes([f0, f1, f2, f3]),
            named: u32::from_le_bytes([c0, c1, c2, c3]),
            name_length,
            any,
            here: ActionSet::from_bits(here),
            below: ActionSet::from_bits(below),
        }
    }

    fn write(self, bytes: &mut Vec<u8>) {
        for number in [self.name, self.first, self.named] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(&[self.name_length, self.any, self.here.bits(), self.below.bits()]);
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
        let (mut nodes, mut names) = (Vec::new(), Vec::new());
        let mut queue = VecDeque::from([("", self)]);
        while let Some((name, branch)) = queue.pop_front() {
            nodes.push(Node {
                name: number(names.len()),
                name_length: u8::try_from(name.len()).unwrap_or_default(),
                first: number(nodes.len() + 1 + queue.len()),
                named: number(branch.literal.len()),
                any: branch.any.is_some().into(),
                here: branch.here,
                below: branch.below,
            });
            names.extend_from_slice(name.as_bytes());
            queue.extend(branch.literal.iter().map(|(name, child)| (*name, child)));
            queue.extend(branch.any.iter().map(|child| ("", child.as_ref())));
        }
        let start = nodes.len() * NODE;
        let mut piece = Vec::with_capacity(start + names.len());
        for node in nodes {
            Node { name: node.name.saturating_add(number(start)), ..node }.write(&mut piece);
        }
        piece.append(&mut names);
        Trie(piece.into())
    }
}

/// More than four thousand million nodes are not compiled: they do not fit into a scope map. A segment has at most 255 bytes.
fn number(number: usize) -> u32 {
    u32::try_from(number).unwrap_or_default()
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
