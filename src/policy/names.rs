//! The names of the claims that the federated credentials of one issuer test: many credentials test a few.

use std::sync::Arc;

use crate::model::{ClaimName, HashedName};

/// So many names have a number: more are not looked for among each other.
const MOST: usize = 64;

/// Names, each with a number. One that is there stays.
#[derive(Clone, Debug, Default)]
pub(super) struct Names(Arc<Vec<HashedName>>);

impl Names {
    /// The number of a name; none when too many have one.
    pub(super) fn number(&mut self, name: &ClaimName) -> Option<u8> {
        let known = self.0.iter().position(|own| own.name() == name);
        let number = known.unwrap_or(self.0.len());
        if known.is_none() && number < MOST {
            Arc::make_mut(&mut self.0).push(HashedName::from(name.clone()));
        }
        u8::try_from(number).ok().filter(|_| number < MOST)
    }

    /// The name of a number.
    pub(super) fn name(&self, number: u8) -> Option<&HashedName> {
        self.0.get(usize::from(number))
    }
}
