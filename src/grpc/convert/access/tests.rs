use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::model::Lifetime;

fn permission(repository: &str, actions: &[i32]) -> pb::RepositoryPermission {
    pb::RepositoryPermission { repository: repository.to_owned(), actions: actions.to_vec() }
}

const fn seconds(seconds: i64) -> prost_types::Duration {
    prost_types::Duration { seconds, nanos: 0 }
}

fn good() -> pb::IssueAccessTokenRequest {
    pb::IssueAccessTokenRequest {
        registry: "local".to_owned(),
        permissions: vec![permission("servers/nginx", &[1, 2])],
        ..pb::IssueAccessTokenRequest::default()
    }
}

/// The fields that are refused after `change`, in their order.
fn refused(change: impl FnOnce(&mut pb::IssueAccessTokenRequest)) -> Vec<String> {
    let mut message = good();
    change(&mut message);
    let violations = access_request(&message).expect_err("it is refused");
    assert!(violations.iter().all(|violation| !violation.description.is_empty()));
    violations.into_iter().map(|violation| violation.field).collect()
}

#[test]
fn a_request_with_everything_is_understood() {
    let request = access_request(&pb::IssueAccessTokenRequest {
        lifetime: Some(seconds(900)),
        minimum_remaining: Some(seconds(300)),
        token_name: "nginx-ci".to_owned(),
        with_bearer_token: true,
        ..good()
    })
    .unwrap();
    assert_eq!(request.registry.as_str(), "local");
    assert_eq!(request.permissions.to_string(), "servers/nginx:content/read,content/write");
    assert_eq!(request.lifetime.map(Lifetime::as_secs), Some(900));
    assert_eq!(request.token_name.unwrap().as_str(), "nginx-ci");
    assert_eq!(request.form, Form::PasswordAndBearer);
    assert_eq!(request.reuse, Reuse::WithRemaining(Duration::from_mins(5)));
}

#[test]
fn what_is_absent_has_its_default() {
    let request = access_request(&good()).unwrap();
    assert_eq!((request.lifetime, request.token_name), (None, None));
    assert_eq!((request.form, request.reuse), (Form::Password, Reuse::default()));
}

#[test]
fn fresh_is_never_reused_whatever_else_is_asked() {
    let message =
        pb::IssueAccessTokenRequest { fresh: true, minimum_remaining: Some(seconds(0)), ..good() };
    assert_eq!(access_request(&message).unwrap().reuse, Reuse::Never);
    let message = pb::IssueAccessTokenRequest { fresh: true, ..good() };
    assert_eq!(access_request(&message).unwrap().reuse, Reuse::Never);
}

#[test]
fn all_violations_are_named_at_once() {
    let fields = refused(|message| {
        message.registry = String::new();
        message.permissions = vec![
            permission("ok", &[1]),
            permission("Upper", &[]),
            permission("a//b", &[1, 0]),
            permission("x", &[6]),
        ];
        message.lifetime = Some(seconds(59));
        message.minimum_remaining = Some(seconds(-1));
        message.token_name = "no_such".to_owned();
    });
    assert_eq!(
        fields,
        [
            "registry",
            "permissions[1].repository",
            "permissions[1].actions",
            "permissions[2].repository",
            "permissions[2].actions[1]",
            "permissions[3].actions[0]",
            "lifetime",
            "minimum_remaining",
            "token_name",
        ]
    );
}

#[test]
fn c1_repositories_outside_the_oci_grammar_are_refused() {
    for repository in [
        "",
        "a|b",
        "a)(b",
        "a\nb",
        "a/../b",
        "..",
        "a//b",
        "a%2fb",
        "A",
        "host:5000/a",
        "a/*",
        "*",
        "a ",
        "é",
    ] {
        let fields = refused(|message| message.permissions = vec![permission(repository, &[1])]);
        assert_eq!(fields, ["permissions[0].repository"], "{repository:?}");
    }
    let long = "a".repeat(64 * 1024);
    let message =
        pb::IssueAccessTokenRequest { permissions: vec![permission(&long, &[1])], ..good() };
    let violations = access_request(&message).unwrap_err();
    assert!(violations[0].description.len() < 300, "what was sent comes back short");
}

#[test]
fn h2_no_permission_101_and_10_000_are_one_violation() {
    for count in [0, 101, 10_000] {
        let fields = refused(|message| message.permissions = vec![permission("!", &[0]); count]);
        assert_eq!(fields, ["permissions"], "{count}");
    }
    let hundred = (0..100).map(|number| permission(&format!("a/{number}"), &[1])).collect();
    let message = pb::IssueAccessTokenRequest { permissions: hundred, ..good() };
    assert_eq!(access_request(&message).unwrap().permissions.len(), 100);
}

#[test]
fn h2_a_list_of_unknown_actions_is_one_violation() {
    let fields = refused(|message| message.permissions = vec![permission("a", &[9; 10_000])]);
    assert_eq!(fields, ["permissions[0].actions[0]"]);
}

#[test]
fn lengths_of_time_outside_their_range_are_refused() {
    let range = [
        (i64::MIN, 0),
        (-1, 0),
        (60, -1),
        (60, 1_000_000_000),
        (60, i32::MIN),
        (i64::MAX, 0),
        (315_576_000_001, 0),
    ];
    for (seconds, nanos) in range {
        let wrong = Some(prost_types::Duration { seconds, nanos });
        assert_eq!(refused(|message| message.lifetime = wrong), ["lifetime"]);
        assert_eq!(refused(|message| message.minimum_remaining = wrong), ["minimum_remaining"]);
    }
    let just_under = Some(prost_types::Duration { seconds: 59, nanos: 999_999_999 });
    assert_eq!(refused(|message| message.lifetime = just_under), ["lifetime"]);
}

#[test]
fn a_check_is_read_by_the_same_rules() {
    let message = pb::CheckAccessRequest {
        registry: "local".to_owned(),
        permissions: vec![permission("servers/nginx", &[1]), permission("B", &[1])],
        lifetime: Some(seconds(1)),
        token_name: String::new(),
    };
    let fields: Vec<_> =
        check_request(message).unwrap_err().into_iter().map(|violation| violation.field).collect();
    assert_eq!(fields, ["permissions[1].repository", "lifetime"]);
}

#[test]
fn an_access_token_is_named_by_its_uuid() {
    let id = "01890a5d-ac96-774b-bcce-b302099a8057";
    let message = |text: &str| pb::RevokeAccessTokenRequest { access_token_id: text.to_owned() };
    assert_eq!(access_token_id(&message(id)).unwrap().to_string(), id);
    for bad in ["", "1", "*", "dps_x"] {
        assert_eq!(access_token_id(&message(bad)).unwrap_err()[0].field, "access_token_id");
    }
}

#[test]
fn g7_a_denied_check_says_nothing_but_its_decision() {
    let decision_id = crate::model::DecisionId::new(Timestamp::UNIX_EPOCH);
    let response = check_response(&Checked { decision_id, allowed: None });
    assert_eq!(
        response,
        pb::CheckAccessResponse {
            reason: "ACCESS_DENIED".to_owned(),
            decision_id: decision_id.to_string(),
            ..pb::CheckAccessResponse::default()
        }
    );
}

#[test]
fn an_allowed_check_names_token_scope_map_and_end() {
    let decision_id = crate::model::DecisionId::new(Timestamp::UNIX_EPOCH);
    let end = Timestamp::from_second(900).unwrap();
    let allowed = Some(("nginx-ci".parse().unwrap(), "servers-push".parse().unwrap(), end));
    let response = check_response(&Checked { decision_id, allowed });
    assert!(response.allowed && response.reason.is_empty());
    assert_eq!((&*response.token_name, &*response.scope_map), ("nginx-ci", "servers-push"));
    assert_eq!(response.expire_time, Some(prost_types::Timestamp { seconds: 900, nanos: 0 }));
}

proptest! {
    /// Whatever is sent: a request comes out that is within all bounds, or a list of violations that is not empty.
    #[test]
    fn nothing_ill_formed_passes(
        registry in "\\PC{0,8}|local",
        repositories in prop::collection::vec(("[a-zA-Z/._*-]{0,8}", prop::collection::vec(-1..8, 0..4)), 0..4),
        lifetime in prop::option::of((any::<i64>(), any::<i32>())),
        token_name in "[A-Za-z0-9_-]{0,7}",
    ) {
        let message = pb::IssueAccessTokenRequest {
            registry,
            permissions: repositories.iter().map(|(name, actions)| permission(name, actions)).collect(),
            lifetime: lifetime.map(|(seconds, nanos)| prost_types::Duration { seconds, nanos }),
            token_name,
            ..pb::IssueAccessTokenRequest::default()
        };
        match access_request(&message) {
            Ok(request) => {
                prop_assert!((1..=MAX_PERMISSIONS).contains(&request.permissions.len()));
                prop_assert!(request.permissions.iter().all(|p| !p.actions.is_empty()));
                prop_assert_eq!(request.lifetime.is_some(), message.lifetime.is_some());
                prop_assert_eq!(request.token_name.is_some(), !message.token_name.is_empty());
            }
            Err(violations) => prop_assert!(!violations.is_empty()),
        }
    }
}
