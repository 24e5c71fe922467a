//! Actions, and the permissions of scope maps.

use std::collections::BTreeMap;
use std::fmt::Display;

use super::violations::Violations;
use crate::model::{Action, ActionSet, RepositoryPattern};
use crate::pb;

pub(super) const fn pb_action(action: Action) -> pb::Action {
    match action {
        Action::ContentRead => pb::Action::ContentRead,
        Action::ContentWrite => pb::Action::ContentWrite,
        Action::ContentDelete => pb::Action::ContentDelete,
        Action::MetadataRead => pb::Action::MetadataRead,
        Action::MetadataWrite => pb::Action::MetadataWrite,
    }
}

const fn model_action(action: pb::Action) -> Option<Action> {
    match action {
        pb::Action::Unspecified => None,
        pb::Action::ContentRead => Some(Action::ContentRead),
        pb::Action::ContentWrite => Some(Action::ContentWrite),
        pb::Action::ContentDelete => Some(Action::ContentDelete),
        pb::Action::MetadataRead => Some(Action::MetadataRead),
        pb::Action::MetadataWrite => Some(Action::MetadataWrite),
    }
}

/// The actions of the entry `field`, at least one.
pub(super) fn actions(
    field: impl Display,
    values: &[i32],
    violations: &mut Violations,
) -> ActionSet {
    if values.is_empty() {
        violations.add(format_args!("{field}.actions"), "name at least one action");
    }
    let mut actions = ActionSet::EMPTY;
    for (number, value) in values.iter().enumerate() {
        let Some(action) = pb::Action::try_from(*value).ok().and_then(model_action) else {
            violations.add(format_args!("{field}.actions[{number}]"), unknown_action(*value));
            // one is enough: a list of a million unknown numbers must not make a million texts
            break;
        };
        actions = actions.union(action.into());
    }
    actions
}

fn unknown_action(value: i32) -> String {
    format!(
        "unknown action {value}: use ACTION_CONTENT_READ, ACTION_CONTENT_WRITE, ACTION_CONTENT_DELETE, \
         ACTION_METADATA_READ or ACTION_METADATA_WRITE"
    )
}

/// The permissions of a scope map; entries of one pattern are one.
pub(super) fn permissions(
    field: &str,
    entries: &[pb::PatternPermission],
    violations: &mut Violations,
) -> BTreeMap<RepositoryPattern, ActionSet> {
    let mut permissions = BTreeMap::<RepositoryPattern, ActionSet>::new();
    for (position, entry) in entries.iter().enumerate() {
        let field = format!("{field}[{position}]");
        let pattern = violations
            .check(format_args!("{field}.repository_pattern"), entry.repository_pattern.parse());
        let actions = actions(&field, &entry.actions, violations);
        let Some(pattern) = pattern else { continue };
        let own = permissions.entry(pattern).or_default();
        *own = own.union(actions);
    }
    permissions
}

/// Permissions as messages.
pub(super) fn pb_permissions(
    permissions: &BTreeMap<RepositoryPattern, ActionSet>,
) -> Vec<pb::PatternPermission> {
    let entry = |(pattern, actions): (&RepositoryPattern, &ActionSet)| pb::PatternPermission {
        repository_pattern: pattern.to_string(),
        actions: actions.iter().map(|action| i32::from(pb_action(action))).collect(),
    };
    permissions.iter().map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_keep_their_meaning_both_ways() {
        for action in Action::ALL {
            assert_eq!(model_action(pb_action(action)), Some(action));
            let name = action.as_str().replace('/', "_").to_uppercase();
            assert_eq!(pb_action(action).as_str_name(), format!("ACTION_{name}"));
        }
    }

    #[test]
    fn entries_of_one_pattern_are_one() {
        let entry = |actions: &[i32]| pb::PatternPermission {
            repository_pattern: "servers/*".to_owned(),
            actions: actions.to_vec(),
        };
        let mut violations = Violations::default();
        let parsed = permissions("permissions", &[entry(&[1]), entry(&[2])], &mut violations);
        assert_eq!(violations.finish(Some(())), Ok(()));
        assert_eq!(parsed, [("servers/*".parse().unwrap(), ActionSet::PUSH)].into());
        assert_eq!(pb_permissions(&parsed), [entry(&[1, 2])]);
    }
}
