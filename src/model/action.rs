//! What can be done in a repository: the five actions of Azure Container Registry, and sets of them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One action on a repository. No action implies another.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Action {
    /// Pull manifests and blobs.
    ContentRead,
    /// Push manifests and blobs; a registry wants `ContentRead` beside it.
    ContentWrite,
    /// Delete manifests and blobs.
    ContentDelete,
    /// List tags and read attributes.
    MetadataRead,
    /// Change attributes, such as locks.
    MetadataWrite,
}

impl Action {
    /// All actions, in the order in which they are listed everywhere.
    pub const ALL: [Self; 5] = [
        Self::ContentRead,
        Self::ContentWrite,
        Self::ContentDelete,
        Self::MetadataRead,
        Self::MetadataWrite,
    ];

    /// The name as in a scope map of Azure Container Registry, such as `content/read`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ContentRead => "content/read",
            Self::ContentWrite => "content/write",
            Self::ContentDelete => "content/delete",
            Self::MetadataRead => "metadata/read",
            Self::MetadataWrite => "metadata/write",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A set of actions; `pull` and `push` are accepted as shorthands when it is parsed.
#[derive(Clone, Copy, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(into = "Vec<String>", try_from = "Vec<String>")]
pub struct ActionSet(u8);

impl ActionSet {
    /// A bit for each action.
    const BITS: u8 = (1 << Action::ALL.len()) - 1;
    /// No action at all.
    pub const EMPTY: Self = Self(0);
    /// `pull`: read content.
    pub const PULL: Self = Self(Action::ContentRead.bit());
    /// `push`: read and write content.
    pub const PUSH: Self = Self(Action::ContentRead.bit() | Action::ContentWrite.bit());

    /// Parses action names, each an action of [`Action`] or one of the shorthands `pull` and `push`.
    ///
    /// # Errors
    /// The first name that is neither.
    pub fn parse<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, UnknownAction> {
        names.into_iter().try_fold(Self::EMPTY, |set, name| Ok(set.union(name.parse::<Self>()?)))
    }

    /// True when the set holds `action`.
    pub const fn contains(self, action: Action) -> bool {
        self.0 & action.bit() != 0
    }

    /// True when every action of `self` is in `other`.
    pub const fn is_subset_of(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// True when the set is empty.
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The actions in either set.
    #[must_use]
    #[inline]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The actions in both sets.
    #[must_use]
    #[inline]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The actions of `self` that `other` lacks.
    #[must_use]
    #[inline]
    pub const fn difference(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The actions, in the order of [`Action::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Action> {
        Action::ALL.into_iter().filter(move |action| self.contains(*action))
    }

    /// The set as one byte, for keys that are hashed: bit n stands for the n-th of [`Action::ALL`].
    #[inline]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// The set of [`Self::bits`]; bits that stand for nothing are dropped.
    #[inline]
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits & Self::BITS)
    }
}

impl FromIterator<Action> for ActionSet {
    fn from_iter<I: IntoIterator<Item = Action>>(actions: I) -> Self {
        Self(actions.into_iter().fold(0, |bits, action| bits | action.bit()))
    }
}

impl From<Action> for ActionSet {
    fn from(action: Action) -> Self {
        Self(action.bit())
    }
}

impl FromStr for ActionSet {
    type Err = UnknownAction;

    fn from_str(name: &str) -> Result<Self, UnknownAction> {
        match name {
            "pull" => Ok(Self::PULL),
            "push" => Ok(Self::PUSH),
            _ => Action::ALL
                .into_iter()
                .find(|action| action.as_str() == name)
                .map(Self::from)
                .ok_or_else(|| UnknownAction(name.to_owned())),
        }
    }
}

impl From<ActionSet> for Vec<String> {
    fn from(set: ActionSet) -> Self {
        set.iter().map(|action| action.as_str().to_owned()).collect()
    }
}

impl TryFrom<Vec<String>> for ActionSet {
    type Error = UnknownAction;

    fn try_from(names: Vec<String>) -> Result<Self, UnknownAction> {
        Self::parse(names.iter().map(String::as_str))
    }
}

impl fmt::Display for ActionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, action) in self.iter().enumerate() {
            let separator = if position == 0 { "" } else { "," };
            write!(f, "{separator}{action}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for ActionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{self}]")
    }
}

/// A word that names no action.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "unknown action `{0}`: use content/read, content/write, content/delete, metadata/read, metadata/write, or the shorthands pull and push"
)]
pub struct UnknownAction(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn push_is_read_and_write_and_nothing_else() {
        let push = ActionSet::parse(["push"]).unwrap();
        assert_eq!(push.to_string(), "content/read,content/write");
        assert!(!push.contains(Action::ContentDelete));
    }

    #[test]
    fn no_action_implies_another() {
        for action in Action::ALL {
            assert_eq!(ActionSet::from(action).iter().collect::<Vec<_>>(), [action]);
        }
    }

    #[test]
    fn a_set_is_its_bits_and_no_other_bit_is_taken() {
        let all: ActionSet = Action::ALL.into_iter().collect();
        assert_eq!(ActionSet::from_bits(all.bits()), all);
        assert_eq!(ActionSet::from_bits(u8::MAX), all);
        for action in Action::ALL {
            let one = ActionSet::from(action);
            assert_eq!(ActionSet::from_bits(one.bits()), one);
        }
    }

    #[test]
    fn unknown_and_wrongly_written_actions_are_refused() {
        for word in ["", "*", "Pull", "content/Read", "content", "pull,push", "read "] {
            assert!(word.parse::<ActionSet>().is_err(), "{word:?}");
        }
    }
}
