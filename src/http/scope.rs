//! The `scope` parameter of the docker registry token specification: `repository:servers/nginx:pull,push`.
//!
//! What is written but can never be granted (other types, wildcards, names of other hosts, unknown actions) is
//! dropped, since lacking a right is no error at this endpoint. What cannot be read is an error.

use std::collections::BTreeSet;

use crate::broker::FieldViolation;
use crate::model::{Action, ActionSet, MAX_PERMISSIONS, Permission, Permissions, RepositoryName};

/// What a text asks for: `None` when nothing of it can ever be granted.
type Parsed = Result<Option<Permission>, String>;

/// Reads all values of `scope`, each holding any number of scopes that spaces separate.
///
/// # Errors
/// A scope that is not `type:name:actions`, a repository name against the grammar (upper case among them), or more
/// than [`MAX_PERMISSIONS`] repositories.
pub(super) fn parse_scopes<'a>(
    values: impl IntoIterator<Item = &'a str>,
) -> Result<Permissions, FieldViolation> {
    let mut permissions = Vec::new();
    let mut repositories = BTreeSet::new();
    for scope in values.into_iter().flat_map(|value| value.split(' ')).filter(|s| !s.is_empty()) {
        let Some(permission) = parse_scope(scope).map_err(violation)? else { continue };
        repositories.insert(permission.repository.clone());
        if repositories.len() > MAX_PERMISSIONS {
            return Err(violation(format!(
                "more than {MAX_PERMISSIONS} repositories: ask in several requests"
            )));
        }
        permissions.push(permission);
    }
    Ok(permissions.into())
}

/// Writes permissions as one `scope` value, in the words of the specification.
pub(super) fn format_scopes(permissions: &Permissions) -> String {
    let scopes = permissions.iter().filter_map(|permission| {
        let words = permission.actions.iter().filter_map(word).collect::<Vec<_>>();
        (!words.is_empty())
            .then(|| format!("repository:{}:{}", permission.repository, words.join(",")))
    });
    scopes.collect::<Vec<_>>().join(" ")
}

fn violation(description: String) -> FieldViolation {
    FieldViolation { field: "scope".to_owned(), description }
}

/// One scope: the type ends at the first colon, the actions begin after the last, since a name may hold a port.
fn parse_scope(scope: &str) -> Parsed {
    let malformed = || format!("`{}` is not `repository:NAME:pull,push`", shortened(scope));
    let (resource_type, rest) = scope.split_once(':').ok_or_else(malformed)?;
    let (name, actions) = rest.rsplit_once(':').ok_or_else(malformed)?;
    if !is_repository_type(resource_type) || names_no_repository_here(name) {
        return Ok(None);
    }
    let repository: RepositoryName =
        name.parse().map_err(|_| format!("`{}`: {}", shortened(name), grammar(name)))?;
    let actions =
        actions.split(',').filter_map(actions_of).fold(ActionSet::EMPTY, ActionSet::union);
    Ok((!actions.is_empty()).then_some(Permission { repository, actions }))
}

/// `repository`, or `repository(CLASS)`: the class is deprecated, and registries refuse a token that repeats it.
fn is_repository_type(resource_type: &str) -> bool {
    resource_type.strip_prefix("repository").is_some_and(|class| {
        class.is_empty() || (class.len() > 2 && class.starts_with('(') && class.ends_with(')'))
    })
}

/// Wildcards, which no registry understands, and names with a host and port, which stand for another registry.
fn names_no_repository_here(name: &str) -> bool {
    name.contains(['*', '?']) || name.split_once('/').is_some_and(|(host, _)| host.contains(':'))
}

fn grammar(name: &str) -> &'static str {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        "a repository name is lower case"
    } else {
        "a repository name is at most 255 of `a-z` and `0-9`, with `/`, `.`, `_` or `-` between"
    }
}

/// An action word of the specification; unknown ones ask for nothing. `*` asks for all that can be granted, and is
/// never written into a token.
fn actions_of(word: &str) -> Option<ActionSet> {
    match word {
        "pull" => Some(Action::ContentRead.into()),
        "push" => Some(Action::ContentWrite.into()),
        "delete" => Some(Action::ContentDelete.into()),
        "*" => Some(
            [Action::ContentRead, Action::ContentWrite, Action::ContentDelete]
                .into_iter()
                .collect(),
        ),
        _ => None,
    }
}

/// The word of the specification, for the actions that have one.
const fn word(action: Action) -> Option<&'static str> {
    match action {
        Action::ContentRead => Some("pull"),
        Action::ContentWrite => Some("push"),
        Action::ContentDelete => Some("delete"),
        Action::MetadataRead | Action::MetadataWrite => None,
    }
}

/// The beginning of a text that somebody else wrote, in ASCII: enough to find it.
fn shortened(text: &str) -> String {
    text.chars().take(80).flat_map(char::escape_default).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(values: &[&str]) -> Result<String, String> {
        parse_scopes(values.iter().copied())
            .map(|permissions| permissions.to_string())
            .map_err(|violation| violation.description)
    }

    #[test]
    fn f1_pull_asks_for_pull_alone_and_push_for_push_alone() {
        assert_eq!(
            parse(&["repository:servers/nginx:pull"]).unwrap(),
            "servers/nginx:content/read"
        );
        assert_eq!(
            parse(&["repository:servers/nginx:push"]).unwrap(),
            "servers/nginx:content/write"
        );
        assert_eq!(parse(&["repository:a:delete"]).unwrap(), "a:content/delete");
    }

    #[test]
    fn f8_repeated_joined_and_duplicate_scopes_are_one_list() {
        let expected = "a:content/read,content/write b:content/read";
        for values in [
            &["repository:a:pull,push", "repository:b:pull"][..],
            &["repository:b:pull  repository:a:push,pull"],
            &["repository:a:pull repository:a:push", "", "repository:b:pull,pull"],
        ] {
            assert_eq!(parse(values).unwrap(), expected, "{values:?}");
        }
        for nothing in [&[][..], &[""], &[" "]] {
            assert_eq!(parse(nothing).unwrap(), "", "{nothing:?}");
        }
    }

    #[test]
    fn f4_what_can_never_be_granted_is_dropped() {
        for scope in [
            "registry:catalog:*",
            "artifact:a:pull",
            "repositoryx:a:pull",
            "repository():a:pull",
            "repository(plugin:a:pull",
            "repository:*:pull",
            "repository:team/*:pull",
            "repository:te?m:pull",
            "repository:registry.example.com:5000/a:pull",
            "repository:a:",
            "repository:a:Pull,PUSH,content/read,admin",
            "REPOSITORY:a:pull",
        ] {
            assert_eq!(parse(&[scope]).unwrap(), "", "{scope}");
        }
        assert_eq!(parse(&["registry:catalog:* repository:a:pull"]).unwrap(), "a:content/read");
    }

    #[test]
    fn f4_a_class_is_stripped_and_a_star_asks_for_what_can_be_granted() {
        assert_eq!(parse(&["repository(plugin):a:pull"]).unwrap(), "a:content/read");
        let all = "a:content/read,content/write,content/delete";
        assert_eq!(parse(&["repository:a:*"]).unwrap(), all);
        assert_eq!(parse(&["repository:a:*,delete,nonsense"]).unwrap(), all);
    }

    #[test]
    fn c1_names_against_the_grammar_are_refused_with_the_rule() {
        for (scope, rule) in [
            ("repository:Team/app:pull", "lower case"),
            ("repository:../etc:pull", "with `/`"),
            ("repository:a//b:pull", "with `/`"),
            ("repository::pull", "with `/`"),
            ("repository:a%2fb:pull", "with `/`"),
            ("repository:a|b:pull", "with `/`"),
            ("repository:image:tag:pull", "with `/`"),
            ("repository:\u{e9}:pull", "with `/`"),
            ("repository:a", "is not `repository:NAME"),
            ("nonsense", "is not `repository:NAME"),
            ("repository:a\n:pull", "with `/`"),
        ] {
            let refusal = parse(&[scope]).unwrap_err();
            assert!(refusal.contains(rule), "{scope}: {refusal}");
            assert!(refusal.is_ascii() && !refusal.contains('\n'), "{refusal:?}");
        }
        let long = format!("repository:{}:pull", "a".repeat(64 << 10));
        assert!(parse(&[&long]).unwrap_err().len() < 300);
    }

    #[test]
    fn f9_over_a_hundred_repositories_are_refused() {
        let scopes = |count: usize| {
            (0..count).map(|n| format!("repository:r{n}:pull")).collect::<Vec<_>>().join(" ")
        };
        assert!(parse(&[&scopes(100)]).is_ok());
        assert!(parse(&[&scopes(100), "repository:r0:push"]).is_ok());
        assert!(parse(&[&scopes(101)]).unwrap_err().contains("more than 100"));
        assert!(parse(&[&scopes(60), &scopes(101)]).is_err());
    }

    #[test]
    fn permissions_are_written_in_the_words_of_the_specification() {
        let text = "repository:a:pull,push repository:b/c:delete";
        assert_eq!(format_scopes(&parse_scopes([text]).unwrap()), text);
        let metadata =
            Permission { repository: "m".parse().unwrap(), actions: Action::MetadataRead.into() };
        assert_eq!(format_scopes(&vec![metadata].into()), "");
    }

    proptest! {
        #[test]
        fn f4_no_text_gives_a_permission_that_it_does_not_name(text in "(repository|registry|[a-zR(:]{0,4})(\\(.{0,3}\\))?:[a-zA-Z0-9/:.*_ -]{0,20}:[a-z*,]{0,20}|.{0,60}") {
            let Ok(permissions) = parse_scopes([text.as_str()]) else { return Ok(()) };
            for permission in &permissions {
                let named = format!(":{}:", permission.repository);
                prop_assert!(text.contains(&named), "{text:?} gave {permission:?}");
                for action in permission.actions.iter() {
                    let word = word(action).expect("only actions with a word");
                    prop_assert!(text.contains(word) || text.contains('*'), "{text:?} gave {action}");
                }
            }
            // what is written back asks for the same
            prop_assert_eq!(parse_scopes([format_scopes(&permissions).as_str()]), Ok(permissions));
        }
    }
}
