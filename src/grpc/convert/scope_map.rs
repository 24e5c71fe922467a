//! Scope maps, and what is asked of them.

use super::action::{pb_permissions, permissions};
use super::page;
use super::time::{lifetime, pb_lifetime, timestamp, window};
use super::usage::permission_use;
use super::violations::Violations;
use crate::broker::FieldViolation;
use crate::broker::evidence::DEFAULT_WINDOW;
use crate::broker::manage::{
    CreateScopeMap, DeleteScopeMap, Etag, GetScopeMap, ListScopeMaps, Optional, Page,
    PermissionsUpdate, Preview, PreviewScopeMapUpdate, Tied, UpdateScopeMap,
};
use crate::model::ScopeMap;
use crate::pb;

/// The most uses in a preview.
const MOST_USES: usize = 1000;

/// The most names of tokens in a preview.
const MOST_NAMES: usize = 1000;

type Parsed<T> = Result<T, Vec<FieldViolation>>;

pub(in crate::grpc) fn list(message: &pb::ListScopeMapsRequest) -> Parsed<ListScopeMaps> {
    let mut violations = Violations::default();
    let registry = violations.check("registry", message.registry.parse());
    let list = list_name(&message.registry);
    let page = page::request(&list, message.page_size, &message.page_token, &mut violations);
    let parsed = registry.zip(page).map(|(registry, page)| ListScopeMaps { registry, page });
    violations.finish(parsed)
}

pub(in crate::grpc) fn listed(registry: &str, page: &Page<ScopeMap>) -> pb::ListScopeMapsResponse {
    pb::ListScopeMapsResponse {
        scope_maps: page.items.iter().map(scope_map).collect(),
        next_page_token: page::token(&list_name(registry), page.next.as_deref()),
    }
}

fn list_name(registry: &str) -> String {
    format!("scope maps {registry}")
}

pub(in crate::grpc) fn get(message: &pb::GetScopeMapRequest) -> Parsed<GetScopeMap> {
    let mut violations = Violations::default();
    let registry = violations.check("registry", message.registry.parse());
    let name = violations.check("name", message.name.parse());
    violations.finish(registry.zip(name).map(|(registry, name)| GetScopeMap { registry, name }))
}

pub(in crate::grpc) fn create(message: pb::CreateScopeMapRequest) -> Parsed<CreateScopeMap> {
    let mut violations = Violations::default();
    let wanted = message.scope_map.unwrap_or_default();
    let registry = violations.check("scope_map.registry", wanted.registry.parse());
    let name = violations.check("scope_map.name", wanted.name.parse());
    let permissions = permissions("scope_map.permissions", &wanted.permissions, &mut violations);
    let max_lifetime = lifetime("scope_map.max_lifetime", wanted.max_lifetime, &mut violations);
    violations.finish(registry.zip(name).map(|(registry, name)| CreateScopeMap {
        registry,
        name,
        description: wanted.description,
        owner: wanted.owner,
        permissions,
        max_lifetime,
    }))
}

pub(in crate::grpc) fn update(message: pb::UpdateScopeMapRequest) -> Parsed<UpdateScopeMap> {
    let mut violations = Violations::default();
    let parsed = parse_update(message, &mut violations);
    violations.finish(parsed)
}

fn parse_update(
    message: pb::UpdateScopeMapRequest,
    violations: &mut Violations,
) -> Option<UpdateScopeMap> {
    let wanted = message.scope_map.unwrap_or_default();
    let registry = violations.check("scope_map.registry", wanted.registry.parse());
    let name = violations.check("scope_map.name", wanted.name.parse());
    let etag: Option<Etag> = violations.optional("scope_map.etag", &wanted.etag);
    let add = permissions("add_permissions", &message.add_permissions, violations);
    let remove = permissions("remove_permissions", &message.remove_permissions, violations);
    let adjusts = !add.is_empty() || !remove.is_empty();
    let mut update = UpdateScopeMap {
        registry: registry?,
        name: name?,
        etag,
        description: None,
        owner: None,
        permissions: if adjusts {
            PermissionsUpdate::Adjust { add, remove }
        } else {
            PermissionsUpdate::Keep
        },
        max_lifetime: Optional::Keep,
    };
    let paths = message.update_mask.unwrap_or_default().paths;
    if paths.is_empty() && !adjusts {
        violations.add("update_mask", "name at least one field to change");
    }
    for path in paths {
        match path.as_str() {
            "description" => update.description = Some(wanted.description.clone()),
            "owner" => update.owner = Some(wanted.owner.clone()),
            "max_lifetime" => {
                let field = "scope_map.max_lifetime";
                update.max_lifetime = lifetime(field, wanted.max_lifetime, violations).into();
            }
            "permissions" if adjusts => violations
                .add("update_mask", "`permissions` are replaced, or added and removed: not both"),
            "permissions" => {
                let field = "scope_map.permissions";
                let all = permissions(field, &wanted.permissions, violations);
                update.permissions = PermissionsUpdate::Replace(all);
            }
            other => violations.add(
                "update_mask",
                format!("`{other}` cannot be changed: use description, owner, permissions or max_lifetime"),
            ),
        }
    }
    Some(update)
}

pub(in crate::grpc) fn delete(message: &pb::DeleteScopeMapRequest) -> Parsed<DeleteScopeMap> {
    let mut violations = Violations::default();
    let registry = violations.check("registry", message.registry.parse());
    let name = violations.check("name", message.name.parse());
    let etag = violations.optional("etag", &message.etag);
    let tied = if message.force { Tied::Disable } else { Tied::Refuse };
    let parsed = registry.zip(name);
    violations.finish(parsed.map(|(registry, name)| DeleteScopeMap { registry, name, etag, tied }))
}

pub(in crate::grpc) fn preview(
    message: pb::PreviewScopeMapUpdateRequest,
) -> Parsed<PreviewScopeMapUpdate> {
    let mut violations = Violations::default();
    let window = window("usage_window", message.usage_window, DEFAULT_WINDOW, &mut violations);
    let update = parse_update(message.update.unwrap_or_default(), &mut violations);
    let parsed = update.zip(window);
    violations
        .finish(parsed.map(|(update, usage_window)| PreviewScopeMapUpdate { update, usage_window }))
}

pub(in crate::grpc) fn previewed(preview: &Preview) -> pb::PreviewScopeMapUpdateResponse {
    pb::PreviewScopeMapUpdateResponse {
        scope_map: Some(scope_map(&preview.after)),
        added: pb_permissions(&preview.added),
        removed: pb_permissions(&preview.removed),
        token_names: preview.tokens.iter().take(MOST_NAMES).map(ToString::to_string).collect(),
        token_count: u64::try_from(preview.tokens.len()).unwrap_or(u64::MAX),
        lost_uses: preview.lost.uses.iter().take(MOST_USES).map(permission_use).collect(),
        uses_since: Some(timestamp(preview.lost.since)),
    }
}

/// A scope map, as operators get it. Of the system's nobody knows when they were made.
pub(in crate::grpc) fn scope_map(map: &ScopeMap) -> pb::ScopeMap {
    let time = |time| (!map.system).then(|| timestamp(time));
    pb::ScopeMap {
        registry: map.registry.to_string(),
        name: map.name.to_string(),
        description: map.description.to_string(),
        owner: map.owner.to_string(),
        permissions: pb_permissions(&map.permissions),
        max_lifetime: map.max_lifetime.map(pb_lifetime),
        system: map.system,
        revision: map.revision,
        etag: Etag::of_scope_map(map).to_string(),
        create_time: time(map.create_time),
        update_time: time(map.update_time),
        updated_by: map.updated_by.to_string(),
    }
}
