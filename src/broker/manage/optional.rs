//! A change of a member that may be absent.

use serde::Serialize;

/// What becomes of a member that may be absent.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Optional<T> {
    /// It stays as it is.
    #[default]
    Keep,
    /// It is absent.
    Clear,
    /// It is this.
    Set(T),
}

impl<T> Optional<T> {
    /// The new value, if there is one.
    pub const fn value(&self) -> Option<&T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Keep | Self::Clear => None,
        }
    }

    pub(super) fn applied_to(self, present: Option<T>) -> Option<T> {
        match self {
            Self::Keep => present,
            Self::Clear => None,
            Self::Set(value) => Some(value),
        }
    }
}

impl<T> From<Option<T>> for Optional<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Clear, Self::Set)
    }
}
