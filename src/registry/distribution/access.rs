//! What of dockpass's actions the registry's tokens can say.

use serde::Serialize;

use crate::model::{Action, ActionSet, Permission, Permissions};

/// One entry of the `access` claim. The type is always `repository`, the name exact, the actions named one by one:
/// a registry takes `*` as every action, and never takes a wildcard in a name.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub(super) struct AccessEntry {
    r#type: &'static str,
    name: String,
    actions: Vec<&'static str>,
}

/// The `access` claim for permissions that the registry can enforce.
pub(super) fn access_claim(permissions: &Permissions) -> Vec<AccessEntry> {
    permissions
        .iter()
        .map(|permission| AccessEntry {
            r#type: "repository",
            name: permission.repository.as_str().to_owned(),
            actions: permission.actions.iter().filter_map(counterpart).collect(),
        })
        .collect()
}

/// Says what to ask for instead, when the registry cannot hold to one of the permissions exactly.
///
/// # Errors
/// The hint for the caller.
pub(super) fn refuse_unenforceable(permissions: &Permissions) -> Result<(), String> {
    permissions.iter().try_for_each(refuse)
}

/// The part of the permissions that the registry can enforce.
pub(super) fn enforceable(permissions: &Permissions) -> Permissions {
    permissions
        .iter()
        .map(|permission| Permission {
            repository: permission.repository.clone(),
            actions: enforceable_actions(permission.actions),
        })
        .collect()
}

const fn counterpart(action: Action) -> Option<&'static str> {
    match action {
        Action::ContentRead => Some("pull"),
        Action::ContentWrite => Some("push"),
        Action::ContentDelete => Some("delete"),
        Action::MetadataRead | Action::MetadataWrite => None,
    }
}

/// A registry refuses a push without a pull, and its pull lists the tags as well; attributes it has none.
fn enforceable_actions(actions: ActionSet) -> ActionSet {
    let needs_read = ActionSet::from_iter([Action::ContentWrite, Action::MetadataRead]);
    let unenforceable = if actions.contains(Action::ContentRead) {
        ActionSet::from(Action::MetadataWrite)
    } else {
        needs_read.union(Action::MetadataWrite.into())
    };
    actions.difference(unenforceable)
}

fn refuse(Permission { repository, actions }: &Permission) -> Result<(), String> {
    let lost = actions.difference(enforceable_actions(*actions));
    if lost.contains(Action::MetadataWrite) {
        Err(format!("`{repository}`: this registry has no metadata/write: leave it out"))
    } else if lost.contains(Action::ContentWrite) {
        Err(format!("`{repository}`: a push needs content/read too: ask for push"))
    } else if lost.contains(Action::MetadataRead) {
        Err(format!(
            "`{repository}`: this registry gives metadata/read with content/read only: ask for pull"
        ))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn permissions(actions: &str) -> Permissions {
        let actions = ActionSet::parse(actions.split(',')).unwrap();
        Permissions::from_iter([Permission {
            repository: "servers/nginx".parse().unwrap(),
            actions,
        }])
    }

    #[test]
    fn content_actions_have_counterparts() {
        for (actions, expected) in [
            ("pull", &["pull"][..]),
            ("push", &["pull", "push"]),
            ("content/delete", &["delete"]),
            ("push,content/delete", &["pull", "push", "delete"]),
            ("pull,metadata/read", &["pull"]),
        ] {
            let permissions = permissions(actions);
            assert_eq!(refuse_unenforceable(&permissions), Ok(()), "{actions}");
            let claim = access_claim(&permissions);
            assert_eq!(claim[0].actions, expected);
            assert_eq!((claim[0].r#type, claim[0].name.as_str()), ("repository", "servers/nginx"));
        }
    }

    #[test]
    fn what_has_no_counterpart_is_refused_with_a_hint() {
        for (actions, hint) in [
            ("content/write", "ask for push"),
            ("content/write,content/delete", "ask for push"),
            ("metadata/read", "ask for pull"),
            ("metadata/read,content/delete", "ask for pull"),
            ("metadata/write", "leave it out"),
            ("push,metadata/write", "leave it out"),
        ] {
            let refused = refuse_unenforceable(&permissions(actions)).unwrap_err();
            assert!(refused.contains(hint) && refused.contains("servers/nginx"), "{refused}");
        }
    }

    #[test]
    fn the_enforceable_part_leaves_out_what_the_registry_cannot_say() {
        assert!(enforceable(&permissions("content/write")).is_empty());
        assert!(enforceable(&permissions("metadata/read,metadata/write")).is_empty());
        assert_eq!(enforceable(&permissions("push,metadata/write")), permissions("push"));
        assert_eq!(
            enforceable(&permissions("content/write,content/delete")),
            permissions("content/delete")
        );
    }

    proptest! {
        #[test]
        fn f4_never_wider_than_the_permissions_never_a_star_never_another_type(
            chosen in proptest::collection::vec(any::<bool>(), 5)
        ) {
            let actions = Action::ALL.into_iter().zip(chosen).filter(|(_, on)| *on).map(|(a, _)| a);
            let given = Permissions::from_iter([Permission {
                repository: "a/b".parse().unwrap(),
                actions: actions.collect(),
            }]);
            let part = enforceable(&given);
            prop_assert!(part.is_subset_of(&given));
            prop_assert_eq!(refuse_unenforceable(&part), Ok(()));
            prop_assert_eq!(refuse_unenforceable(&given).is_ok(), part == given);
            for entry in access_claim(&part) {
                prop_assert_eq!(entry.r#type, "repository");
                prop_assert!(!entry.actions.is_empty());
                prop_assert!(entry.actions.iter().all(|a| ["pull", "push", "delete"].contains(a)));
            }
        }
    }
}
