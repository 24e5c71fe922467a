//! Reading scope maps: the stored ones and the system's, by name.

use super::page::{Page, PageRequest};
use super::present::{find_scope_map, no_registry};
use super::read::{Read, Reading};
use super::role::Role;
use super::target::{Noun, Place, Target};
use crate::broker::Error;
use crate::model::{RegistryName, ScopeMap, ScopeMapName};
use crate::policy::system_scope_maps;
use crate::store;

/// The scope maps of a registry.
#[derive(Clone, Debug)]
pub struct ListScopeMaps {
    /// The registry.
    pub registry: RegistryName,
    /// Which page.
    pub page: PageRequest,
}

impl Read for ListScopeMaps {
    type Output = Page<ScopeMap>;

    fn target(&self) -> Target<'_> {
        let place = Place::Registry(&self.registry);
        Target { method: "ListScopeMaps", role: Role::Viewer, place, definition: None }
    }

    async fn read(&self, reading: &Reading<'_>) -> Result<Page<ScopeMap>, Error> {
        if !reading.snapshot().has_registry(&self.registry) {
            return Err(no_registry(&self.registry));
        }
        let PageRequest { size, after } = self.page.clone();
        let stored = reading.store().scope_maps_after(self.registry.clone(), after, size).await?;
        Ok(with_system(stored, system_scope_maps(&self.registry), &self.page))
    }
}

/// The stored scope maps of a page with those of the system between them.
fn with_system(
    stored: store::Page<ScopeMap>,
    system: Vec<ScopeMap>,
    request: &PageRequest,
) -> Page<ScopeMap> {
    let store::Page { mut items, more } = stored;
    // what comes after the last stored one is for the next page
    let last = items.last().filter(|_| more).map(|map| map.name.clone());
    let here = |map: &ScopeMap| {
        map.name.as_str() > request.after.as_str() && last.as_ref().is_none_or(|l| map.name < *l)
    };
    items.extend(system.into_iter().filter(here));
    items.sort_by(|a, b| a.name.cmp(&b.name));
    let size = request.size as usize;
    let more = more || items.len() > size;
    items.truncate(size);
    let next = items.last().filter(|_| more).map(|map| map.name.to_string());
    Page { items, next }
}

/// One scope map.
#[derive(Clone, Debug)]
pub struct GetScopeMap {
    /// The registry.
    pub registry: RegistryName,
    /// The scope map.
    pub name: ScopeMapName,
}

impl Read for GetScopeMap {
    type Output = ScopeMap;

    fn target(&self) -> Target<'_> {
        Target {
            method: "GetScopeMap",
            role: Role::Viewer,
            place: Place::Registry(&self.registry),
            definition: Some((Noun::ScopeMap, self.name.as_str())),
        }
    }

    async fn read(&self, reading: &Reading<'_>) -> Result<ScopeMap, Error> {
        find_scope_map(reading.snapshot(), &self.registry, self.name.as_str()).cloned()
    }
}
