//! A scope map as it is shown: with the keys of `az acr scope-map`, and ours.

use jiff::Timestamp;
use serde::Serialize;

use crate::cli::{output, wire};
use crate::pb;

/// A scope map as JSON.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shown {
    actions: Vec<String>,
    creation_date: Option<Timestamp>,
    description: String,
    id: String,
    name: String,
    provisioning_state: &'static str,
    scope_map_type: &'static str,
    r#type: &'static str,
    // what az does not have
    registry: String,
    owner: String,
    permissions: wire::Entries,
    max_lifetime: Option<String>,
    revision: u64,
    etag: String,
    update_time: Option<Timestamp>,
    updated_by: String,
    /// For people.
    #[serde(skip)]
    longest: Option<String>,
}

/// az cuts longer ones.
const LONGEST_DESCRIPTION: usize = 60;

impl From<pb::ScopeMap> for Shown {
    fn from(map: pb::ScopeMap) -> Self {
        let permissions = wire::entries(&map.permissions);
        Self {
            actions: wire::az_actions(&permissions),
            creation_date: wire::optional_time(map.create_time.as_ref()),
            description: map.description,
            id: id(&map.registry, &map.name),
            name: map.name,
            // a change is done when it is answered
            provisioning_state: "Succeeded",
            scope_map_type: if map.system { "SystemDefined" } else { "UserDefined" },
            r#type: "dockpass/registries/scopeMaps",
            registry: map.registry,
            owner: map.owner,
            permissions,
            max_lifetime: map.max_lifetime.as_ref().map(wire::duration_json),
            revision: map.revision,
            etag: map.etag,
            update_time: wire::optional_time(map.update_time.as_ref()),
            updated_by: map.updated_by,
            longest: map.max_lifetime.as_ref().map(wire::duration_text),
        }
    }
}

/// The `id` of a scope map; like that of az, its last part is the name.
pub(in crate::cli) fn id(registry: &str, name: &str) -> String {
    format!("registries/{registry}/scopeMaps/{name}")
}

impl Shown {
    /// The head of a table of scope maps.
    pub(super) const HEAD: [&str; 4] = ["name", "type", "creation date", "description"];

    /// A row of that table.
    pub(super) fn row(&self) -> [String; 4] {
        [
            self.name.clone(),
            self.scope_map_type.to_owned(),
            wire::time_text(self.creation_date),
            shortened(&self.description),
        ]
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let fields = output::fields([
            ("name", some(&self.name)),
            ("registry", some(&self.registry)),
            ("type", some(self.scope_map_type)),
            ("description", some(&self.description)),
            ("owner", some(&self.owner)),
            ("max lifetime", self.longest.clone()),
            ("created", self.creation_date.map(|time| wire::to_the_second(time).to_string())),
            ("changed", self.changed()),
            ("etag", some(&self.etag)),
        ]);
        format!("{fields}\n\n{}", permission_table(&self.permissions))
    }

    fn changed(&self) -> Option<String> {
        let time = wire::to_the_second(self.update_time?);
        let by = output::plain(&self.updated_by);
        Some(if by.is_empty() { time.to_string() } else { format!("{time} by {by}") })
    }
}

/// Entries of a scope map as a table.
pub(in crate::cli) fn permission_table(entries: &wire::Entries) -> String {
    let rows = entries.iter().map(|(pattern, actions)| [pattern.clone(), actions.join(", ")]);
    output::table(["repository", "actions"], rows)
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= LONGEST_DESCRIPTION {
        return text.to_owned();
    }
    let kept: String = text.chars().take(LONGEST_DESCRIPTION - 3).collect();
    format!("{kept}...")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn map() -> pb::ScopeMap {
        pb::ScopeMap {
            registry: "local".into(),
            name: "servers-push".into(),
            description: "x".repeat(61),
            permissions: vec![pb::PatternPermission {
                repository_pattern: "servers/*".into(),
                actions: vec![1, 2],
            }],
            max_lifetime: Some(wire::days(1)),
            create_time: Some(prost_types::Timestamp { seconds: 0, nanos: 5 }),
            ..Default::default()
        }
    }

    #[test]
    fn json_has_the_keys_of_az_and_ours() {
        let shown = serde_json::to_value(Shown::from(map())).unwrap();
        for (key, value) in [
            (
                "actions",
                json!([
                    "repositories/servers/*/content/read",
                    "repositories/servers/*/content/write"
                ]),
            ),
            ("id", json!("registries/local/scopeMaps/servers-push")),
            ("scopeMapType", json!("UserDefined")),
            ("provisioningState", json!("Succeeded")),
            ("creationDate", json!("1970-01-01T00:00:00.000000005Z")),
            ("maxLifetime", json!("86400s")),
            ("permissions", json!({"servers/*": ["content/read", "content/write"]})),
        ] {
            assert_eq!(shown[key], value, "{key}");
        }
        assert!(shown.get("longest").is_none());
    }

    #[test]
    fn rows_are_narrow_and_the_text_has_everything() {
        let shown = Shown::from(map());
        let [name, kind, date, description] = shown.row();
        assert_eq!((name.as_str(), kind.as_str()), ("servers-push", "UserDefined"));
        assert_eq!(date, "1970-01-01T00:00:00Z");
        assert_eq!(description, format!("{}...", "x".repeat(57)));
        let text = shown.text();
        assert!(text.contains("max lifetime  24h"), "{text}");
        assert!(text.ends_with("servers/*   content/read, content/write"), "{text}");
    }
}
