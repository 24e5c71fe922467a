//! A set of places within a segment, as runs: most sets are either few places or nearly all.

use std::ops::Range;

/// Runs of places in ascending order, which neither touch nor overlap.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Places(Vec<Range<u32>>);

impl Places {
    /// Adds a run that does not begin before the last one.
    pub(super) fn push(&mut self, run: Range<u32>) {
        match self.0.last_mut() {
            _ if run.start >= run.end => {}
            Some(last) if run.start <= last.end => last.end = last.end.max(run.end),
            _ => self.0.push(run),
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is in both.
    pub(super) fn and(&self, other: &Self) -> Self {
        let (mut both, mut right) = (Self::default(), other.0.iter().peekable());
        for left in &self.0 {
            while let Some(run) = right.peek() {
                both.push(left.start.max(run.start)..left.end.min(run.end));
                if run.end > left.end {
                    break;
                }
                right.next();
            }
        }
        both
    }

    /// What is in one of them.
    pub(super) fn or(self, other: Self) -> Self {
        let mut all = [self.0, other.0].concat();
        // it merges two sorted halves
        all.sort_by_key(|run| run.start);
        all.into_iter().collect()
    }

    /// Takes the highest place.
    pub(super) fn pop(&mut self) -> Option<u32> {
        let last = self.0.last_mut()?;
        last.end = last.end.saturating_sub(1);
        let place = last.end;
        if last.start == last.end {
            self.0.pop();
        }
        Some(place)
    }
}

impl FromIterator<Range<u32>> for Places {
    /// Of runs that are sorted by their start.
    fn from_iter<T: IntoIterator<Item = Range<u32>>>(runs: T) -> Self {
        let mut places = Self::default();
        for run in runs {
            places.push(run);
        }
        places
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn places(set: &BTreeSet<u32>) -> Places {
        set.iter().map(|place| *place..place + 1).collect()
    }

    fn all(mut places: Places) -> Vec<u32> {
        let mut all: Vec<_> = std::iter::from_fn(|| places.pop()).collect();
        all.reverse();
        all
    }

    proptest! {
        #[test]
        fn they_are_sets(a: BTreeSet<u8>, b: BTreeSet<u8>) {
            let [a, b] = [a, b].map(|set| set.into_iter().map(u32::from).collect::<BTreeSet<_>>());
            prop_assert_eq!(all(places(&a)), a.iter().copied().collect::<Vec<_>>());
            let both = places(&a).and(&places(&b));
            prop_assert_eq!(&both, &places(&(&a & &b)));
            prop_assert_eq!(both.is_empty(), a.is_disjoint(&b));
            prop_assert_eq!(places(&a).or(places(&b)), places(&(&a | &b)));
        }
    }
}
