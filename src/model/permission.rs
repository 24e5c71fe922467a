//! What may be done where: a repository and actions on it, and lists of these.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{ActionSet, RepositoryName};

/// A repository and the actions on it.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Permission {
    /// The repository.
    pub repository: RepositoryName,
    /// The actions, at least one.
    pub actions: ActionSet,
}

/// A list of permissions in its one normal form: sorted by repository, each repository once, no empty action set.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<Permission>", into = "Vec<Permission>")]
pub struct Permissions(Arc<[Permission]>);

impl Permissions {
    /// True when nothing is in the list.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The permissions, sorted by repository.
    pub fn iter(&self) -> std::slice::Iter<'_, Permission> {
        self.0.iter()
    }

    /// The number of repositories.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The actions on `repository`; empty when it is not in the list.
    pub fn actions_on(&self, repository: &RepositoryName) -> ActionSet {
        self.0
            .binary_search_by(|permission| permission.repository.cmp(repository))
            .ok()
            .and_then(|position| self.0.get(position))
            .map_or(ActionSet::EMPTY, |permission| permission.actions)
    }

    /// True when `other` holds every action of every repository of `self`.
    pub fn is_subset_of(&self, other: &Self) -> bool {
        self.iter().all(|p| p.actions.is_subset_of(other.actions_on(&p.repository)))
    }

    /// What both lists hold.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.filtered(|repository| other.actions_on(repository))
    }

    /// What the list holds of the actions that `allowed` gives for each repository.
    #[must_use]
    pub fn filtered(&self, allowed: impl Fn(&RepositoryName) -> ActionSet) -> Self {
        self.iter()
            .map(|p| Permission {
                repository: p.repository.clone(),
                actions: p.actions.intersection(allowed(&p.repository)),
            })
            .collect()
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        let permissions = permissions.into_iter();
        let mut normal: Vec<_> = permissions.filter(|own| !own.actions.is_empty()).collect();
        normal.sort_by(|one, other| one.repository.cmp(&other.repository));
        normal.dedup_by(|next, kept| {
            let same = next.repository == kept.repository;
            if same {
                kept.actions = kept.actions.union(next.actions);
            }
            same
        });
        Self(normal.into())
    }
}

impl<'a> IntoIterator for &'a Permissions {
    type Item = &'a Permission;
    type IntoIter = std::slice::Iter<'a, Permission>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl From<Vec<Permission>> for Permissions {
    fn from(permissions: Vec<Permission>) -> Self {
        permissions.into_iter().collect()
    }
}

impl From<Permissions> for Vec<Permission> {
    fn from(permissions: Permissions) -> Self {
        permissions.0.to_vec()
    }
}

impl fmt::Display for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, permission) in self.iter().enumerate() {
            let separator = if position == 0 { "" } else { " " };
            write!(f, "{separator}{}:{}", permission.repository, permission.actions)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(entries: &[(&str, &str)]) -> Permissions {
        entries
            .iter()
            .map(|(repository, action)| Permission {
                repository: repository.parse().unwrap(),
                actions: action.parse().unwrap(),
            })
            .collect()
    }

    #[test]
    fn the_normal_form_is_sorted_merged_and_without_empty_sets() {
        let permissions = list(&[("b", "content/write"), ("a", "pull"), ("b", "pull")]);
        assert_eq!(permissions.to_string(), "a:content/read b:content/read,content/write");
        assert!(permissions.filtered(|_| ActionSet::EMPTY).is_empty());
    }

    #[test]
    fn subset_and_intersection_go_by_repository_and_action() {
        let push = list(&[("a", "push")]);
        let pull = list(&[("a", "pull"), ("b", "pull")]);
        assert!(!push.is_subset_of(&pull));
        assert_eq!(push.intersection(&pull), list(&[("a", "pull")]));
        assert!(push.intersection(&pull).is_subset_of(&push));
        assert!(Permissions::default().is_subset_of(&push));
    }
}
