//! What a policy file changes, as it is shown.

use jiff::Timestamp;
use serde::Serialize;

use crate::cli::{output, wire};
use crate::pb;
use crate::policy::Change;

/// What becomes of one definition.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Changed {
    /// `added`, `changed` or `removed`.
    pub(super) change: String,
    kind: String,
    registry: String,
    name: String,
    /// Which members differ.
    members: Vec<String>,
    /// How often what would go was used lately; absent where nobody looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    lost_uses: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_use_time: Option<Timestamp>,
}

impl From<Change> for Changed {
    fn from(change: Change) -> Self {
        let word = match (&change.before, &change.after) {
            (None, _) => "added",
            (Some(_), None) => "removed",
            (Some(_), Some(_)) => "changed",
        };
        Self {
            change: word.to_owned(),
            members: differing_members(&change),
            kind: change.kind.to_owned(),
            registry: change.registry,
            name: change.name,
            lost_uses: None,
            last_use_time: None,
        }
    }
}

impl From<pb::PolicyChange> for Changed {
    fn from(change: pb::PolicyChange) -> Self {
        let word = match change.action.as_str() {
            "create" => "added",
            "delete" => "removed",
            "update" => "changed",
            other => other,
        };
        Self {
            change: word.to_owned(),
            kind: change.kind,
            registry: change.registry,
            name: change.name,
            members: change.members,
            lost_uses: None,
            last_use_time: None,
        }
    }
}

impl Changed {
    /// A change that was planned, with the uses of what would go.
    pub(super) fn planned(planned: pb::PlanPolicyResponse) -> Option<Self> {
        let changed = Self::from(planned.change?);
        Some(Self {
            lost_uses: Some(planned.lost_uses),
            last_use_time: wire::optional_time(planned.last_use_time.as_ref()),
            ..changed
        })
    }

    /// Whether the definition goes.
    pub(super) fn is_removal(&self) -> bool {
        self.change == "removed"
    }

    /// `token local/nginx-ci`, with how much it was used.
    pub(super) fn named(&self) -> String {
        let name = format!("{} {}/{}", self.kind, self.registry, self.name);
        match self.lost_uses {
            Some(uses) if uses > 0 => format!("{name} (used {uses} times lately)"),
            _ => name,
        }
    }

    /// Changes as a table; the members that differ, and the uses where somebody looked.
    pub(super) fn table(changes: &[Self]) -> String {
        let row = |own: &Self| {
            let what = format!("{}/{}", own.registry, own.name);
            [own.change.clone(), own.kind.clone(), what, own.members.join(", ")]
        };
        if changes.iter().all(|own| own.lost_uses.is_none()) {
            return output::table(["change", "kind", "name", "members"], changes.iter().map(row));
        }
        let rows = changes.iter().map(|own| {
            let [change, kind, what, members] = row(own);
            [change, kind, what, members, own.uses()]
        });
        output::table(["change", "kind", "name", "members", "uses lost"], rows)
    }

    fn uses(&self) -> String {
        match (self.lost_uses, self.last_use_time) {
            (None | Some(0), _) => String::new(),
            (Some(uses), None) => uses.to_string(),
            (Some(uses), Some(last)) => format!("{uses}, last {}", wire::to_the_second(last)),
        }
    }
}

/// Members that every change changes.
const ALWAYS: [&str; 4] = ["revision", "update_time", "updated_by", "create_time"];

fn differing_members(change: &Change) -> Vec<String> {
    let (Some(before), Some(after)) = (&change.before, &change.after) else { return Vec::new() };
    let members = after.as_object().into_iter().flatten();
    let differing = members.filter(|(name, value)| {
        !ALWAYS.contains(&name.as_str()) && before.get(name.as_str()) != Some(*value)
    });
    differing.map(|(name, _)| name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_change_names_what_differs() {
        let change = Change {
            kind: "token",
            registry: "local".into(),
            name: "nginx-ci".into(),
            before: Some(json!({"status": "enabled", "revision": 1, "owner": "a"})),
            after: Some(json!({"status": "disabled", "revision": 2, "owner": "a"})),
        };
        let changed = Changed::from(change);
        assert_eq!(
            (changed.change.as_str(), &changed.members[..]),
            ("changed", &["status".to_owned()][..])
        );
        let table = Changed::table(&[changed]).to_lowercase();
        assert!(!table.contains("uses lost"), "nobody looked for uses: {table}");
    }

    #[test]
    fn what_is_still_used_is_said_before_it_goes() {
        let planned = pb::PlanPolicyResponse {
            change: Some(pb::PolicyChange {
                kind: "token".into(),
                registry: "local".into(),
                name: "nginx-ci".into(),
                action: "delete".into(),
                ..Default::default()
            }),
            lost_uses: 12,
            ..Default::default()
        };
        let changed = Changed::planned(planned).unwrap();
        assert!(changed.is_removal());
        assert_eq!(changed.named(), "token local/nginx-ci (used 12 times lately)");
        assert!(Changed::table(&[changed]).ends_with("local/nginx-ci           12"));
    }
}
