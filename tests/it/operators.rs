//! The command line against a running broker: over the admin socket, and over TLS as an identity with a role.

use std::os::unix::fs::FileTypeExt;

use dockpass::audit::Kind;
use serde_json::json;

use crate::support::{Site, bearer, decision_id, pull, push};

/// A site with TLS, and an editor and a viewer of the registry.
async fn site_with_tls() -> (Site, String) {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["localhost".to_owned()])
        .unwrap()
        .self_signed(&key)
        .unwrap();
    let site = Site::new().await;
    let file = |name: &str, text: &str| {
        use std::os::unix::fs::PermissionsExt;
        let path = site.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path.display().to_string()
    };
    let certificate = file("tls.crt", &certificate.pem());
    file("tls.key", &key.serialize_pem());
    let tls = "[tls]\ncertificate_file = \"tls.crt\"\nkey_file = \"tls.key\"\n";
    (site.with_operators().and(tls), certificate)
}

#[tokio::test]
async fn g9_the_user_of_the_admin_socket_is_in_the_event_and_gets_no_credential() {
    let site = Site::new().await;
    let broker = site.start().await;
    let operator = broker.local_operator();
    let made =
        operator.run("dockpass scope-map create -r local -n made-here --repository a pull").await;
    assert_eq!(made.code, 0, "{made:?}");
    let uid = rustix::process::geteuid().as_raw();
    let event = site.events().pop().unwrap();
    assert_eq!(event.kind, Kind::PolicyChange);
    let identity = event.identity.unwrap().members();
    assert_eq!(identity["uid"], json!(uid), "{identity:?}");
    assert_eq!(identity["pid"], json!(std::process::id()), "{identity:?}");
    let change = event.change.unwrap();
    assert!(change["actor"].as_str().unwrap().contains(&format!("uid {uid}")), "{change}");

    // management only: no access is given, checked or taken back there
    let socket = format!("unix:{}", site.folder.path().join("admin/admin.sock").display());
    let channel = tonic::transport::Endpoint::from_shared(socket).unwrap().connect().await.unwrap();
    let mut access = dockpass::pb::access_service_client::AccessServiceClient::new(channel);
    let request = bearer(&site.identity("job"), pull("servers/nginx"));
    let refused = access.issue_access_token(request).await;
    assert_eq!(refused.unwrap_err().code(), tonic::Code::Unimplemented);
    broker.stop().await;
}

#[tokio::test]
async fn g9_the_socket_goes_with_the_broker_and_a_second_one_does_not_take_it() {
    let site = Site::new().await;
    let broker = site.start().await;
    let socket = site.folder.path().join("admin/admin.sock");
    assert!(std::fs::symlink_metadata(&socket).unwrap().file_type().is_socket());
    let second =
        dockpass::app::App::build(&site.config(), std::sync::Arc::new(site.clock.clone())).await;
    let error = format!("{:#}", second.unwrap_err());
    assert!(error.contains("another program serves it"), "{error}");
    assert_eq!(broker.local_operator().run("dockpass registry list").await.code, 0);
    broker.stop().await;
    assert!(!socket.exists());
}

#[tokio::test]
async fn g6_roles_hold_for_the_command_line_over_tls() {
    let (site, certificate) = site_with_tls().await;
    let broker = site.start().await;
    let as_whom = |subject: &str| {
        let file = site.folder.path().join(format!("{subject}.token"));
        std::fs::write(&file, site.identity(subject)).unwrap();
        format!("--ca-file {certificate} --identity-token-file {}", file.display())
    };
    let operator = broker.tls_operator();
    let create_map = "dockpass scope-map create -r local -n pullers --repository a pull";
    let create_token =
        "dockpass token create -r local -n robot --scope-map everything --no-passwords";
    let list = "dockpass scope-map list -r local";
    for (subject, line, code) in [
        ("nobody", list, 3),
        ("viewer", list, 0),
        ("viewer", create_map, 3),
        ("viewer", create_token, 3),
        ("local-token-editor", create_map, 3),
        ("local-token-editor", create_token, 0),
        ("editor", create_map, 0),
    ] {
        let outcome = operator.run(&format!("{line} {}", as_whom(subject))).await;
        assert_eq!(outcome.code, code, "{subject}: {line}: {outcome:?}");
        if code == 3 {
            assert!(outcome.err.contains("ROLE_REQUIRED"), "{outcome:?}");
        }
    }
    let anonymous = operator.run(&format!("{list} --ca-file {certificate}")).await;
    assert_eq!(anonymous.code, 1, "{anonymous:?}");
    broker.stop().await;
}

#[tokio::test]
async fn what_cannot_be_undone_asks_and_is_wrong_usage_where_nobody_can_be_asked() {
    let site = Site::new().await;
    let broker = site.start().await;
    let operator = broker.local_operator();
    for line in [
        "dockpass token delete -r local -n field-vendor",
        "dockpass scope-map delete -r local -n everything --force",
        "dockpass token credential delete -r local -n field-vendor --password1",
        "dockpass token federation remove -r local -n nginx-ci --credential-name main-branch",
    ] {
        let outcome = operator.run_unattended(line).await;
        assert_eq!(outcome.code, 2, "{line}: {outcome:?}");
        assert!(
            outcome.err.contains("--yes") && outcome.err.contains("nothing was changed"),
            "{outcome:?}"
        );
    }
    assert_eq!(site.count(Kind::PolicyChange), 1, "the policy of the site alone");
    let gone =
        operator.run_unattended("dockpass token delete -r local -n field-vendor --yes").await;
    assert_eq!(gone.code, 0, "{gone:?}");
    broker.stop().await;
}

#[tokio::test]
async fn federated_credentials_come_and_go() {
    let site = Site::new().await;
    let broker = site.start().await;
    let operator = broker.local_operator();
    let issuer = site.issuer.url();
    let added = operator
        .run(&format!(
            "dockpass token federation add -r local -n field-vendor --credential-name jobs --issuer {issuer} --claim team=ops --claim team=web --claim level:=3 -o json"
        ))
        .await
        .json();
    assert_eq!(
        added["federatedCredentials"][0]["claims"],
        json!({"team": ["ops", "web"], "level": [3]})
    );
    let identity = site.identity_with(&json!({"sub": "x", "team": "ops", "level": 3}));
    let granted = broker.issue(&identity, pull("servers/nginx")).await.unwrap();
    assert_eq!(granted.token_name, "field-vendor");
    let listed = operator.run("dockpass token federation list -r local -n field-vendor").await;
    assert!(listed.out.contains("team=ops|web"), "{listed:?}");
    let removed = operator
        .run("dockpass token federation remove -r local -n field-vendor --credential-name jobs --yes")
        .await;
    assert_eq!(removed.code, 0, "{removed:?}");
    assert!(broker.issue(&identity, pull("servers/nginx")).await.is_err());
    let unbounded = format!(
        "dockpass token federation add -r local -n field-vendor --credential-name jobs --issuer {issuer}"
    );
    let unbounded = operator.run(&unbounded).await;
    assert_eq!(unbounded.code, 1, "{unbounded:?}");
    broker.stop().await;
}

#[tokio::test]
async fn a_policy_makes_the_round_trip_and_somebody_elses_change_is_not_lost() {
    let site = Site::new().await;
    let broker = site.start().await;
    let operator = broker.local_operator();
    let file = site.folder.path().join("exported.toml");
    let shown = file.display().to_string();
    let exported = operator.run("dockpass policy export").await;
    assert_eq!(exported.code, 0, "{exported:?}");
    std::fs::write(&file, &exported.out).unwrap();
    let planned = operator.run(&format!("dockpass policy plan {shown}")).await;
    assert_eq!((planned.code, planned.out.as_str()), (0, "nothing differs\n"), "{planned:?}");
    let without = exported.out.replace("servers/base/*", "servers/ground/*");
    assert_ne!(without, exported.out);
    std::fs::write(&file, &without).unwrap();
    let planned = operator.run(&format!("dockpass policy plan {shown} -o json")).await.json();
    assert_eq!(planned["changes"][0]["change"], "changed", "{planned}");
    let revision = planned["policyRevision"].as_u64().unwrap();
    let other =
        operator.run("dockpass token update -r local -n field-vendor --owner somebody").await;
    assert_eq!(other.code, 0, "{other:?}");
    let stale =
        operator.run(&format!("dockpass policy apply {shown} --if-match {revision} --yes")).await;
    assert_eq!(stale.code, 1, "{stale:?}");
    assert!(stale.err.contains("ETAG_MISMATCH"), "{stale:?}");
    let applied = operator.run(&format!("dockpass policy apply {shown} --no-prune")).await;
    assert_eq!(applied.code, 0, "{applied:?}");
    assert_eq!(operator.run("dockpass policy export").await.out, without);
    // once more: nothing changes, and the trail says what was asked, and under which policy
    let revision = site.events().last().unwrap().policy_revision;
    let again = operator.run(&format!("dockpass policy apply {shown}")).await;
    assert!(again.out.starts_with("nothing differs"), "{again:?}");
    assert_eq!(site.events().last().unwrap().policy_revision, revision);
    let listed = operator.run("dockpass audit list --limit 1").await;
    assert!(listed.out.contains("ApplyPolicy"), "{listed:?}");
    broker.stop().await;
}

#[tokio::test]
async fn the_trail_is_read_through_the_broker() {
    let site = Site::new().await;
    let broker = site.start().await;
    let operator = broker.local_operator();
    let refused = broker.issue(&site.identity("job"), push("servers/apache")).await.unwrap_err();
    let id = decision_id(&refused);
    for (line, expected) in [
        ("dockpass audit list --refused".to_owned(), "servers/apache"),
        (format!("dockpass audit show {id}"), "workload job"),
        (format!("dockpass explain {id}"), "servers/nginx"),
        ("dockpass audit verify".to_owned(), "verified"),
        ("dockpass audit watch --after 1 --limit 1".to_owned(), "start"),
        ("dockpass review --registry local".to_owned(), "nginx-ci"),
        ("dockpass review --registry local --output html".to_owned(), "Access review of"),
        ("dockpass review --registry local --output csv".to_owned(), "local,nginx-ci,enabled,"),
        ("dockpass review --registry local --output json".to_owned(), "\"sufficient\""),
        ("dockpass registry check local".to_owned(), "CHECK"),
    ] {
        let outcome = operator.run(&line).await;
        assert!(outcome.out.contains(expected), "{line}: {outcome:?}");
    }
    let listed = operator.run("dockpass audit list --limit 1 -o json").await.json();
    let next = listed["next"].as_str().unwrap();
    let more = operator
        .run(&format!("dockpass audit list --limit 1 -o json --before {next}"))
        .await
        .json();
    assert_ne!(listed["events"][0]["id"], more["events"][0]["id"]);
    broker.stop().await;
}

#[tokio::test]
async fn a_dry_run_changes_nothing_and_names_the_tokens() {
    let site = Site::new().await;
    let broker = site.start().await;
    let operator = broker.local_operator();
    let line = "dockpass scope-map update -r local -n servers-push --remove-repository servers/nginx content/write";
    let preview = operator.run(&format!("{line} --dry-run")).await;
    assert_eq!(preview.code, 0, "{preview:?}");
    for expected in ["nothing was changed", "adds nothing", "content/write", "nginx-ci"] {
        assert!(preview.out.contains(expected), "{expected}: {preview:?}");
    }
    assert_eq!(site.count(Kind::PolicyChange), 1, "the policy of the site alone");
    let stale = operator.run(&format!("{line} --if-match stale")).await;
    assert_eq!(stale.code, 1, "{stale:?}");
    assert!(stale.err.contains("ETAG_MISMATCH"), "{stale:?}");
    let shown =
        operator.run("dockpass scope-map show -r local -n servers-push -o json").await.json();
    let etag = shown["etag"].as_str().unwrap();
    assert_eq!(operator.run(&format!("{line} --if-match {etag}")).await.code, 0);
    broker.stop().await;
}
