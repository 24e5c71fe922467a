//! Tokens as keys of a map: what they are found by stands in the token alone, not in each map once more.

use std::borrow::Borrow;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::model::{Token, TokenUid};

/// A token as it is found by its uid.
#[derive(Clone, Debug)]
pub(super) struct ByUid(pub(super) Arc<Token>);

/// A token as it is found by its name, in its registry.
#[derive(Clone, Debug)]
pub(super) struct ByName(pub(super) Arc<Token>);

impl Borrow<TokenUid> for ByUid {
    fn borrow(&self) -> &TokenUid {
        &self.0.uid
    }
}

impl Hash for ByUid {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.uid.hash(state);
    }
}

impl PartialEq for ByUid {
    fn eq(&self, other: &Self) -> bool {
        self.0.uid == other.0.uid
    }
}

impl Eq for ByUid {}

impl Borrow<str> for ByName {
    fn borrow(&self) -> &str {
        self.0.name.as_str()
    }
}

impl Hash for ByName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.name.as_str().hash(state);
    }
}

impl PartialEq for ByName {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name
    }
}

impl Eq for ByName {}
