//! Management through the API, by operators whose identity is an identity token.

use dockpass::audit::Kind;
use dockpass::pb;
use prost_types::FieldMask;
use tonic::Code;

use crate::support::{Running, Site, bearer, pull};

async fn site() -> Site {
    Site::new().await.with_operators()
}

fn update(name: &str, paths: &[&str], wanted: pb::ScopeMap) -> pb::UpdateScopeMapRequest {
    pb::UpdateScopeMapRequest {
        scope_map: Some(pb::ScopeMap {
            registry: "local".to_owned(),
            name: name.to_owned(),
            ..wanted
        }),
        update_mask: Some(FieldMask { paths: paths.iter().map(ToString::to_string).collect() }),
        ..Default::default()
    }
}

fn get(name: &str) -> pb::GetScopeMapRequest {
    pb::GetScopeMapRequest { registry: "local".to_owned(), name: name.to_owned() }
}

fn pull_of(pattern: &str) -> pb::PatternPermission {
    pb::PatternPermission {
        repository_pattern: pattern.to_owned(),
        actions: vec![pb::Action::ContentRead.into()],
    }
}

async fn scope_map(broker: &Running<'_>, identity: &str, name: &str) -> pb::ScopeMap {
    let answer = broker.scope_maps().get_scope_map(bearer(identity, get(name))).await.unwrap();
    answer.into_inner().scope_map.unwrap()
}

#[tokio::test]
async fn promise_4_a_change_decides_the_next_request_and_is_in_the_trail() {
    let site = site().await;
    let broker = site.start().await;
    let (editor, job) = (site.identity("editor"), site.identity("job"));
    broker.issue(&job, pull("servers/nginx")).await.unwrap();
    broker.issue(&job, pull("tools/lint")).await.unwrap_err();
    let before = scope_map(&broker, &editor, "servers-push").await;
    let wanted = pb::ScopeMap { permissions: vec![pull_of("tools/*")], ..before.clone() };
    let request = update("servers-push", &["permissions"], wanted);
    let changed = broker.scope_maps().update_scope_map(bearer(&editor, request.clone())).await;
    let changed = changed.unwrap().into_inner().scope_map.unwrap();
    assert_eq!(changed, scope_map(&broker, &editor, "servers-push").await);
    assert!(changed.revision > before.revision && changed.etag != before.etag);
    broker.issue(&job, pull("tools/lint")).await.unwrap();
    broker.issue(&job, pull("servers/nginx")).await.unwrap_err();
    // the content that it was made from is gone
    let stale = broker.scope_maps().update_scope_map(bearer(&editor, request)).await;
    site.refused(&stale.unwrap_err(), Code::Aborted, "ETAG_MISMATCH");
    broker.stop().await;
    let events = site.events();
    let mut changes = events.iter().filter(|event| {
        event.kind == Kind::PolicyChange && event.identity.is_some() && event.reason.is_none()
    });
    let change = changes.next().unwrap().change.as_ref().unwrap();
    assert_eq!(change["actor"], format!("editor of {}", site.issuer.url()));
    assert_eq!((&change["kind"], &change["name"]), (&"scope_map".into(), &"servers-push".into()));
    assert!(change["before"]["permissions"].get("servers/nginx").is_some(), "{change}");
    assert!(change["after"]["permissions"].get("tools/*").is_some(), "{change}");
    assert!(changes.next().is_none());
}

#[tokio::test]
async fn g6_a_role_is_good_for_what_it_is_and_where_it_is() {
    let site = site().await;
    let broker = site.start().await;
    let request = || update("servers-push", &["description"], pb::ScopeMap::default());
    for subject in ["job", "viewer", "local-token-editor", "other-editor"] {
        let identity = site.identity(subject);
        let refused = broker.scope_maps().update_scope_map(bearer(&identity, request())).await;
        let event = site.refused(&refused.unwrap_err(), Code::PermissionDenied, "ROLE_REQUIRED");
        assert_eq!(event.kind, Kind::PolicyChange);
        let change = event.change.unwrap();
        assert_eq!(
            (&change["method"], &change["name"]),
            (&"UpdateScopeMap".into(), &"servers-push".into())
        );
    }
    for subject in ["job", "other-editor"] {
        let identity = site.identity(subject);
        let refused =
            broker.scope_maps().get_scope_map(bearer(&identity, get("servers-push"))).await;
        let there = refused.unwrap_err();
        let event = site.refused(&there, Code::PermissionDenied, "ROLE_REQUIRED");
        assert_eq!(event.kind, Kind::ManagementRead);
        // who may not look learns nothing
        let missing = broker.scope_maps().get_scope_map(bearer(&identity, get("missing"))).await;
        let missing = missing.unwrap_err();
        site.refused(&missing, Code::PermissionDenied, "ROLE_REQUIRED");
        assert_eq!(missing.message(), there.message());
    }
    for subject in ["viewer", "local-token-editor", "editor"] {
        let identity = site.identity(subject);
        scope_map(&broker, &identity, "servers-push").await;
        let missing = broker.scope_maps().get_scope_map(bearer(&identity, get("missing"))).await;
        site.refused(&missing.unwrap_err(), Code::NotFound, "NOT_FOUND");
    }
}

#[tokio::test]
async fn f6_a_password_that_was_generated_logs_in_until_it_is_deleted() {
    let site = site().await;
    let broker = site.start().await;
    let editor = site.identity("local-token-editor");
    let generate = pb::GeneratePasswordRequest {
        registry: "local".to_owned(),
        token_name: "field-vendor".to_owned(),
        password_name: pb::PasswordName::Password2.into(),
        ..Default::default()
    };
    let made = broker.tokens().generate_password(bearer(&editor, generate)).await.unwrap();
    let made = made.into_inner();
    let scopes = ["repository:servers/nginx:pull"];
    let login = async || broker.login(Some((&made.username, &made.secret)), &scopes, &[]).await;
    assert_eq!(login().await.access(), ["servers/nginx:pull"]);
    let delete = pb::DeletePasswordRequest {
        registry: "local".to_owned(),
        token_name: "field-vendor".to_owned(),
        password_name: pb::PasswordName::Password2.into(),
        etag: made.token.unwrap().etag,
    };
    broker.tokens().delete_password(bearer(&editor, delete)).await.unwrap();
    assert_eq!(login().await.status.as_u16(), 401);
    broker.stop().await;
    // the secret was shown once, and is nowhere else
    for event in site.events() {
        assert!(!format!("{event:?}").contains(&made.secret));
    }
}
