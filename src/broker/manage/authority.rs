//! The proof that somebody manages, and how far that goes.

use super::role::{Role, Roles};
use super::target::Place;
use crate::broker::Error;
use crate::identity::Identity;
use crate::model::RegistryName;

/// A verified operator with its roles. It can be made by [`super::Operator`] only.
#[derive(Clone, Debug)]
pub struct Authority {
    actor: String,
    identity: Option<Identity>,
    roles: Roles,
}

impl Authority {
    pub(super) const fn new(actor: String, identity: Option<Identity>, roles: Roles) -> Self {
        Self { actor, identity, roles }
    }

    /// How it is named as the author of a change.
    pub fn actor(&self) -> &str {
        &self.actor
    }

    /// Its role in a registry.
    pub fn role_in(&self, registry: &RegistryName) -> Option<Role> {
        self.roles.in_registry(registry)
    }

    /// Its role in all registries.
    pub const fn role_in_all(&self) -> Option<Role> {
        self.roles.in_all()
    }

    /// Refuses when the role is missing there.
    ///
    /// # Errors
    /// [`Error::RoleRequired`], whether what is asked for is there or not: who may not look learns nothing.
    pub fn require(&self, role: Role, place: Place<'_>) -> Result<(), Error> {
        let own = match place {
            Place::Registry(registry) => self.roles.in_registry(registry),
            Place::Everywhere => self.roles.in_all(),
            Place::Somewhere => self.roles.somewhere(),
        };
        if own >= Some(role) { Ok(()) } else { Err(Error::RoleRequired(role)) }
    }

    pub(super) const fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }
}
