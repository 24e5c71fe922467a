//! The scope maps that every registry has and nobody can change: those of Azure Container Registry.

use jiff::Timestamp;

use crate::model::{Action, RegistryName, RepositoryPattern, ScopeMap, Text};

/// What their names start with.
pub(super) const PREFIX: &str = "_repositories_";

/// By name: what it is for, and the actions on every repository.
const ALL: [(&str, &str, &[Action]); 5] = [
    (
        "_repositories_admin",
        "Can perform all read, write and delete operations on the registry",
        &Action::ALL,
    ),
    ("_repositories_pull", "Can pull any repository of the registry", &[Action::ContentRead]),
    (
        "_repositories_pull_metadata_read",
        "Can perform all read operations on the registry",
        &[Action::ContentRead, Action::MetadataRead],
    ),
    (
        "_repositories_push",
        "Can push to any repository of the registry",
        &[Action::ContentRead, Action::ContentWrite],
    ),
    (
        "_repositories_push_metadata_write",
        "Can perform all read and write operations on the registry",
        &[Action::ContentRead, Action::ContentWrite, Action::MetadataRead, Action::MetadataWrite],
    ),
];

/// The system's scope maps of a registry, by name. They are in no store: their revision is 0, and nobody made them.
pub fn system_scope_maps(registry: &RegistryName) -> Vec<ScopeMap> {
    ALL.iter().filter_map(|entry| scope_map(registry, entry)).collect()
}

/// The system's scope map of this name.
pub(super) fn find(registry: &RegistryName, name: &str) -> Option<ScopeMap> {
    ALL.iter().find(|(own, ..)| *own == name).and_then(|entry| scope_map(registry, entry))
}

/// True for the name of one of the system's scope maps.
pub(super) fn is_one(name: &str) -> bool {
    ALL.iter().any(|(own, ..)| *own == name)
}

fn scope_map(
    registry: &RegistryName,
    (name, description, actions): &(&str, &str, &[Action]),
) -> Option<ScopeMap> {
    // INVARIANT: the names are well formed, and so is the pattern: a test reads them all
    let everything: RepositoryPattern = "*".parse().ok()?;
    Some(ScopeMap {
        registry: registry.clone(),
        name: name.parse().ok()?,
        description: (*description).into(),
        owner: Text::new(),
        permissions: [(everything, actions.iter().copied().collect())].into(),
        max_lifetime: None,
        system: true,
        revision: 0,
        create_time: Timestamp::UNIX_EPOCH,
        update_time: Timestamp::UNIX_EPOCH,
        updated_by: Text::new(),
    })
}

#[cfg(test)]
mod tests;
