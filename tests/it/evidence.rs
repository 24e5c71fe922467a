//! What follows from the audit trail: who used what, the review, replays.

use dockpass::model::Clock;
use dockpass::pb;
use serde_json::json;

use crate::support::{Running, bearer, eventually, pull, push};
use crate::trail::{everything, list, refused, site};

pub(crate) fn review(registry: &str) -> pb::ReviewAccessRequest {
    pb::ReviewAccessRequest { registry: registry.to_owned(), ..Default::default() }
}

#[tokio::test]
async fn the_review_finds_what_was_planted() {
    let site = site().await;
    site.password_of("field-vendor").await;
    let broker = site.start().await;
    broker.issue(&site.identity("job"), pull("servers/nginx")).await.unwrap();
    let viewer = site.identity("viewer");
    let answer = broker.audit().review_access(bearer(&viewer, review("local"))).await.unwrap();
    let tokens = answer.into_inner().tokens;
    let of = |name: &str| {
        let token = |one: &&pb::TokenReview| one.token.as_ref().is_some_and(|it| it.name == name);
        tokens.iter().find(token).unwrap_or_else(|| panic!("{name} is not in {tokens:#?}"))
    };
    for (name, words) in [
        ("field-vendor", "password1 never expires"),
        ("field-vendor", "it was never used"),
        ("switched-off", "it is disabled"),
        ("past-its-end", "it expired at 2020-01-01"),
    ] {
        let findings = of(name).findings.join("; ");
        assert!(findings.contains(words), "{name}: {words} is not in {findings}");
    }
    let used = of("nginx-ci");
    assert_eq!(used.findings, Vec::<String>::new());
    assert!(used.token.as_ref().unwrap().last_use_time.is_some());
    let [one] = used.uses.as_slice() else { panic!("{used:#?}") };
    assert_eq!(
        (one.subject.as_str(), one.repository.as_str(), one.count),
        ("job", "servers/nginx", 1)
    );
    let [enough] = used.sufficient.as_slice() else { panic!("{used:#?}") };
    assert_eq!(enough.repository, "servers/nginx");
    assert_eq!(enough.actions, [i32::from(pb::Action::ContentRead)]);
    let unused: Vec<_> = used
        .unused
        .iter()
        .map(|one| (one.repository_pattern.as_str(), one.actions.len()))
        .collect();
    assert_eq!(unused, [("servers/base/*", 1), ("servers/nginx", 2)]);
    broker.stop().await;
}

#[tokio::test]
async fn a_preview_names_the_tokens_and_who_used_what_would_go() {
    let site = site().await;
    let broker = site.start().await;
    broker.issue(&site.identity("job"), push("servers/nginx")).await.unwrap();
    broker.issue(&site.identity("job"), pull("servers/nginx")).await.unwrap();
    let write = pb::PatternPermission {
        repository_pattern: "servers/nginx".to_owned(),
        actions: vec![pb::Action::ContentWrite.into()],
    };
    let update = pb::UpdateScopeMapRequest {
        scope_map: Some(pb::ScopeMap {
            registry: "local".to_owned(),
            name: "servers-push".to_owned(),
            ..Default::default()
        }),
        remove_permissions: vec![write],
        ..Default::default()
    };
    let request = pb::PreviewScopeMapUpdateRequest { update: Some(update), usage_window: None };
    let viewer = site.identity("viewer");
    let preview = broker.scope_maps().preview_scope_map_update(bearer(&viewer, request)).await;
    let preview = preview.unwrap().into_inner();
    assert!(preview.token_names.contains(&"nginx-ci".to_owned()), "{preview:?}");
    let [lost] = preview.lost_uses.as_slice() else {
        panic!("only the push is lost: {preview:#?}")
    };
    assert_eq!((lost.subject.as_str(), lost.token_name.as_str()), ("job", "nginx-ci"));
    assert_eq!((lost.action(), lost.count), (pb::Action::ContentWrite, 1));
    broker.stop().await;
}

#[tokio::test]
async fn the_last_use_of_a_token_and_of_each_credential_is_told() {
    let site = site().await;
    let broker = site.start().await;
    let viewer = site.identity("viewer");
    let token = async || {
        let request =
            pb::GetTokenRequest { registry: "local".to_owned(), name: "nginx-ci".to_owned() };
        let token = broker.tokens().get_token(bearer(&viewer, request)).await.unwrap();
        token.into_inner().token.unwrap()
    };
    assert_eq!(token().await.last_use_time, None);
    broker.issue(&site.identity("job"), pull("servers/nginx")).await.unwrap();
    let used = token().await;
    assert!(used.last_use_time.is_some());
    let last: Vec<_> = used
        .federated_credentials
        .iter()
        .map(|own| (own.name.as_str(), own.last_use_time.is_some()))
        .collect();
    assert_eq!(last, [("main-branch", true), ("team-web", false)]);
    broker.stop().await;
}

#[tokio::test]
async fn the_last_use_of_a_password_is_told_and_a_new_one_in_its_slot_has_none() {
    let site = site().await;
    let secret = site.password_of("field-vendor").await;
    let broker = site.start().await;
    let operator = broker.local_operator();
    let line = "dockpass token show -r local -n field-vendor -o json";
    let last = async || {
        let shown = operator.run(line).await.json();
        shown["credentials"]["passwords"][0]["lastUseTime"].clone()
    };
    assert!(last().await.is_null());
    let scopes = ["repository:servers/nginx:pull"];
    let answer = broker.login(Some(("field-vendor", &secret)), &scopes, &[]).await;
    assert_eq!(answer.access(), ["servers/nginx:pull"]);
    assert_eq!(last().await, json!(site.clock.now().to_string()));
    let again = "dockpass token credential generate -r local -n field-vendor --password1";
    let again = operator.run(again).await;
    assert_eq!(again.code, 0, "{again:?}");
    assert!(last().await.is_null());
    broker.stop().await;
}

#[tokio::test]
async fn a_replay_in_which_something_breaks_exits_with_three() {
    let site = site().await;
    let broker = site.start().await;
    broker.issue(&site.identity("job"), push("servers/nginx")).await.unwrap();
    let operator = broker.local_operator();
    let file = site.folder.path().join("candidate.toml");
    let line = format!("dockpass policy replay {} --since 7d -o json", file.display());
    std::fs::write(&file, site.policy()).unwrap();
    let same = operator.run(&line).await.json();
    assert_eq!((&same["decided"], &same["newlyRefused"]), (&json!(1), &json!(0)), "{same}");
    let narrower = site.policy().replace(r#", "content/write", "content/delete"]"#, "]");
    std::fs::write(&file, narrower).unwrap();
    let breaks = operator.run(&line).await;
    assert_eq!(breaks.code, 3, "{breaks:?}");
    let told: serde_json::Value = serde_json::from_str(&breaks.out).unwrap();
    assert_eq!((&told["newlyRefused"], &told["changes"][0]["now"]), (&json!(1), &json!("refused")));
    broker.stop().await;
}

/// Replays under a file, and gives the differences and the summary.
async fn replay(
    broker: &Running<'_>,
    identity: &str,
    file: &str,
) -> (Vec<pb::ReplayPolicyResponse>, pb::ReplayPolicyResponse) {
    let pieces: Vec<_> = file
        .as_bytes()
        .chunks(1000)
        .map(|chunk| pb::ReplayPolicyRequest { chunk: chunk.to_vec(), ..Default::default() })
        .collect();
    let request = bearer(identity, futures_util::stream::iter(pieces));
    let mut answers = broker.policy_files().replay_policy(request).await.unwrap().into_inner();
    let mut all = Vec::new();
    while let Some(answer) = answers.message().await.unwrap() {
        all.push(answer);
    }
    let summary = all.pop().unwrap();
    (all, summary)
}

#[tokio::test]
async fn a_replay_tells_what_would_newly_be_refused_and_allowed() {
    let site = site().await;
    let broker = site.start().await;
    broker.issue(&site.identity("job"), push("servers/nginx")).await.unwrap();
    broker.issue(&site.identity("job"), pull("servers/nginx")).await.unwrap();
    refused(&site, &broker).await;
    let viewer = site.identity("viewer");
    let (none, summary) = replay(&broker, &viewer, &site.policy()).await;
    assert_eq!((none.len(), summary.decided), (0, 3), "{none:#?}");

    let narrower = site.policy().replace(
        r#"permissions."servers/nginx" = ["content/read", "content/write", "content/delete"]"#,
        r#"permissions."servers/nginx" = ["content/read"]
permissions."servers/apache" = ["content/read", "content/write"]"#,
    );
    let (differences, summary) = replay(&broker, &viewer, &narrower).await;
    assert_eq!((summary.newly_allowed_count, summary.newly_refused_count), (1, 1));
    let of =
        |newly_allowed| differences.iter().find(|one| one.newly_allowed == newly_allowed).unwrap();
    assert!(of(true).request.contains("servers/apache"), "{differences:#?}");
    assert!(of(false).request.contains("servers/nginx"), "{differences:#?}");
    assert!(of(false).reason.contains("content/write"), "{differences:#?}");
    assert_eq!(of(false).caller, format!("{} job", site.issuer.url()));
    // nothing was changed by it
    broker.issue(&site.identity("job"), push("servers/nginx")).await.unwrap();
    broker.stop().await;
}

#[tokio::test]
async fn a_use_that_a_registry_reports_is_seen_by_its_viewers() {
    let mut site = site().await;
    let secret = "bm90LWEtc2VjcmV0LW5vdC1hLXNlY3JldA==";
    let file = site.folder.path().join("notifications.token");
    std::fs::write(&file, secret).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&file, mode).unwrap();
    let key = "token_issuer = \"dockpass-test\"";
    site.reconfigure(key, &format!("{key}\nnotifications_token_file = \"notifications.token\""));
    let broker = site.start().await;
    let issued = broker.issue(&site.identity("job"), push("servers/nginx")).await.unwrap();
    let report = |id: &str, actor: &str| {
        json!({"events": [{
            "id": id,
            "timestamp": site.clock.now().to_string(),
            "action": "push",
            "target": {"repository": "servers/nginx", "tag": "1"},
            "actor": {"name": actor},
        }]})
        .to_string()
    };
    for (id, actor) in [("a", issued.id.as_str()), ("b", "somebody")] {
        let request = crate::support::http().post(broker.url("/notifications/local"));
        let sent = request.bearer_auth(secret).body(report(id, actor)).send().await.unwrap();
        assert!(sent.status().is_success(), "{sent:?}");
    }
    let own = site.identity("local-token-editor");
    let of = |outcome: &str| pb::ListAuditEventsRequest {
        filter: Some(pb::AuditFilter {
            kind: "registry_push".to_owned(),
            outcome: outcome.to_owned(),
            ..Default::default()
        }),
        ..everything()
    };
    let uses = eventually("both uses", async || {
        let uses = list(&broker, &own, of("")).await;
        (uses.len() == 2).then_some(uses)
    });
    assert!(uses.await.iter().all(|event| event.r#use.is_some()));
    let bypasses = list(&broker, &own, of("BYPASS")).await;
    assert_eq!(bypasses.len(), 1);
    let answer = broker.audit().review_access(bearer(&own, review("local"))).await.unwrap();
    let findings = answer.into_inner().registry_findings;
    assert!(findings.concat().contains("was pushed to by `somebody`"), "{findings:?}");
    broker.stop().await;
}
