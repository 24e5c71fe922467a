//! The names of the claims that the federated credentials of one issuer test: many credentials test a few.

use std::sync::Arc;

use crate::model::{ClaimName, HashedName};

/// So many names have a number: more are not looked for among each other.
const MOST: usize = 64;

/// Names, each with a number. One that is there stays, until no credential of the issuer is left.
#[derive(Clone, Debug, Default)]
pub(super) struct Names(Arc<Vec<HashedName>>);

impl Names {
    /// The number of a name; none when too many have one.
    pub(super) fn number(&mut self, name: &ClaimName) -> Option<u8> {
        if let Some(known) = self.known(name) {
            return Some(known);
        }
        let number = u8::try_from(self.0.len()).ok().filter(|_| self.0.len() < MOST)?;
        Arc::make_mut(&mut self.0).push(HashedName::from(name.clone()));
        Some(number)
    }

    /// The number that a name has already.
    pub(super) fn known(&self, name: &ClaimName) -> Option<u8> {
        u8::try_from(self.0.iter().position(|own| own.name() == name)?).ok()
    }

    /// The name of a number.
    pub(super) fn name(&self, number: u8) -> Option<&HashedName> {
        self.0.get(usize::from(number))
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
