//! The configured registries, as operators see them.

use super::page::{Page, PageRequest};
use super::present::no_registry;
use super::read::{Read, Reading};
use super::role::Role;
use super::target::{Noun, Place, Target};
use crate::broker::Error;
use crate::model::{Lifetime, RegistryName};
use crate::registry::{Finding, Registry};

/// What is shown of a registry.
#[derive(Clone, Debug)]
pub struct RegistryView {
    /// Its name.
    pub name: RegistryName,
    /// The host before its repositories.
    pub host: String,
    /// Its driver.
    pub driver: &'static str,
    /// The `service` of the docker token protocol; empty where dockpass is not its token server.
    pub service: String,
    /// Whether pulls without any credential are answered.
    pub anonymous: bool,
    /// The lifetime of a request that names none.
    pub default_lifetime: Lifetime,
    /// The longest lifetime.
    pub max_lifetime: Option<Lifetime>,
}

impl From<&Registry> for RegistryView {
    fn from(registry: &Registry) -> Self {
        let service = registry.driver.token_server().map(|server| server.service().to_owned());
        Self {
            name: registry.name.clone(),
            host: registry.host.clone(),
            driver: registry.driver.name(),
            service: service.unwrap_or_default(),
            anonymous: registry.anonymous,
            default_lifetime: registry.bounds.default_lifetime,
            max_lifetime: registry.bounds.max_lifetime,
        }
    }
}

/// The registries in which the operator has a role.
#[derive(Clone, Debug)]
pub struct ListRegistries {
    /// Which page.
    pub page: PageRequest,
}

impl Read for ListRegistries {
    type Output = Page<RegistryView>;

    fn target(&self) -> Target<'_> {
        let place = Place::Somewhere;
        Target { method: "ListRegistries", role: Role::Viewer, place, definition: None }
    }

    async fn read(&self, reading: &Reading<'_>) -> Result<Page<RegistryView>, Error> {
        let seen = |registry: &&Registry| reading.authority.role_in(&registry.name).is_some();
        let views = reading.registries().iter().filter(seen).map(RegistryView::from);
        Ok(Page::of_all(views, |view| view.name.as_str(), &self.page))
    }
}

/// One registry.
#[derive(Clone, Debug)]
pub struct GetRegistry {
    /// Its name.
    pub name: RegistryName,
}

impl Read for GetRegistry {
    type Output = RegistryView;

    fn target(&self) -> Target<'_> {
        target("GetRegistry", &self.name)
    }

    async fn read(&self, reading: &Reading<'_>) -> Result<RegistryView, Error> {
        find(reading, &self.name).map(RegistryView::from)
    }
}

/// A look at how a registry is set up.
#[derive(Clone, Debug)]
pub struct CheckRegistry {
    /// Its name.
    pub name: RegistryName,
}

impl Read for CheckRegistry {
    type Output = Vec<Finding>;

    fn target(&self) -> Target<'_> {
        target("CheckRegistry", &self.name)
    }

    async fn read(&self, reading: &Reading<'_>) -> Result<Vec<Finding>, Error> {
        Ok(find(reading, &self.name)?.driver.check().await)
    }
}

fn target<'a>(method: &'static str, name: &'a RegistryName) -> Target<'a> {
    Target {
        method,
        role: Role::Viewer,
        place: Place::Registry(name),
        definition: Some((Noun::Registry, name.as_str())),
    }
}

fn find<'a>(reading: &'a Reading<'_>, name: &RegistryName) -> Result<&'a Registry, Error> {
    reading.registries().get(name).ok_or_else(|| no_registry(name))
}
