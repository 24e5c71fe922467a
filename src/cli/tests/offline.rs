//! Commands on the files themselves.

use std::path::Path;

use super::{Attended, Outcome, dockpass, dockpass_by};

const CONFIG: &str = r#"
[[issuers]]
issuer = "https://issuer.example.com"
audience = "https://broker.example.com"

[[registries]]
name = "local"
host = "localhost:5000"
driver = "distribution"
service = "localhost:5000"
token_issuer = "dockpass"
"#;

pub(super) const POLICY: &str = r#"
[[scope_maps]]
registry = "local"
name = "servers-push"
permissions."servers/nginx" = ["content/read", "content/write"]

[[tokens]]
registry = "local"
name = "nginx-ci"
scope_map = "servers-push"

[[tokens.federated_credentials]]
name = "main-branch"
issuer = "https://issuer.example.com"
subject = "ci"

[[tests]]
as = { issuer = "https://issuer.example.com", subject = "ci", claims = {} }
request = { registry = "local", repository = "servers/nginx", actions = ["push"] }
expect = "allow"
"#;

/// A folder with a configuration and a policy file.
pub(super) fn folder(policy: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("dockpass.toml"), CONFIG).unwrap();
    std::fs::write(folder.path().join("policy.toml"), policy).unwrap();
    folder
}

pub(super) async fn run(folder: &Path, arguments: &str, input: &str) -> Outcome {
    run_by(Attended::No, folder, arguments, input).await
}

/// The same, with somebody at the terminal, or nobody.
pub(super) async fn run_by(
    attended: Attended,
    folder: &Path,
    arguments: &str,
    input: &str,
) -> Outcome {
    let shown = folder.display();
    let arguments = arguments.replace("FILE", &format!("{shown}/policy.toml"));
    let arguments = format!("{arguments} --config {shown}/dockpass.toml");
    dockpass_by(attended, &arguments, &[], input).await
}

pub(super) fn json(outcome: &Outcome) -> serde_json::Value {
    assert_eq!(outcome.code, 0, "{}", outcome.err);
    serde_json::from_str(&outcome.out).unwrap()
}

#[tokio::test]
async fn a_configuration_is_checked_and_dumped() {
    let folder = folder(POLICY);
    let checked = json(&run(folder.path(), "config check -o json", "").await);
    assert_eq!((&checked["issuers"], &checked["policyRevision"]), (&1.into(), &().into()));
    let dumped = run(folder.path(), "config dump", "").await;
    let dumped: toml::Table = dumped.out.parse().unwrap();
    assert_eq!(dumped["grpc"]["listen"].as_str(), Some("127.0.0.1:7443"));
    let path = folder.path().join("dockpass.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text + "[cache]\nurl = \"redis://user:canary@redis.test\"").unwrap();
    let dumped = run(folder.path(), "config dump", "").await;
    assert!(!dumped.out.contains("canary") && !dumped.out.contains("user"), "{}", dumped.out);
    let dumped: toml::Table = dumped.out.parse().unwrap();
    assert_eq!(dumped["cache"]["url"].as_str(), Some("redis://…@redis.test"));

    std::fs::write(&path, "[grpc]\nlisen = \"x\"").unwrap();
    let outcome = run(folder.path(), "config check", "").await;
    assert_eq!((outcome.code, outcome.out.as_str()), (1, ""));
    assert!(outcome.err.contains("lisen"), "{}", outcome.err);
}

#[tokio::test]
async fn a_policy_is_applied_once_and_exported_as_it_was() {
    let folder = folder(POLICY);
    let applied = json(&run(folder.path(), "policy apply FILE -o json", "").await);
    assert_eq!(applied["policyRevision"], 1);
    assert_eq!(applied["changes"][1]["name"], "nginx-ci");
    assert_eq!(applied["changes"][1]["change"], "added");

    let again = json(&run(folder.path(), "policy apply FILE -o json", "").await);
    assert_eq!((&again["policyRevision"], &again["changes"]), (&1.into(), &serde_json::json!([])));

    let exported = run(folder.path(), "policy export", "").await;
    assert_eq!(exported.code, 0, "{}", exported.err);
    std::fs::write(folder.path().join("policy.toml"), &exported.out).unwrap();
    let again = json(&run(folder.path(), "policy apply FILE -o json", "").await);
    assert_eq!(again["changes"], serde_json::json!([]), "{}", exported.out);
}

#[tokio::test]
async fn what_is_not_in_the_file_goes_only_after_a_yes() {
    let folder = folder(POLICY);
    assert_eq!(run(folder.path(), "policy apply FILE", "").await.code, 0);
    std::fs::write(folder.path().join("policy.toml"), "").unwrap();
    let apply = "policy apply FILE";
    for (attended, input, code) in [
        (Attended::Yes, "", 1),
        (Attended::Yes, "no\n", 1),
        (Attended::Yes, "y\n", 1),
        (Attended::No, "yes\n", 2),
    ] {
        let outcome = run_by(attended, folder.path(), apply, input).await;
        assert_eq!(outcome.code, code);
        for expected in ["token local/nginx-ci", "nothing was changed", "--yes"] {
            assert!(outcome.err.contains(expected), "{}", outcome.err);
        }
        assert!(run(folder.path(), "policy export", "").await.out.contains("nginx-ci"));
    }
    let kept = run(folder.path(), "policy apply FILE --no-prune", "").await;
    assert!(kept.out.contains("nothing differs"), "{kept:?}");
    let outcome = run_by(Attended::Yes, folder.path(), apply, "yes\n").await;
    assert_eq!(outcome.code, 0, "{}", outcome.err);
    assert!(!run(folder.path(), "policy export", "").await.out.contains("nginx-ci"));
    let former = run(folder.path(), "policy export --revision 1", "").await;
    assert!(former.out.contains("nginx-ci"), "{}", former.out);
}

#[tokio::test]
async fn a_policy_whose_tests_fail_or_that_does_not_compile_changes_nothing() {
    let failing = POLICY.replace("expect = \"allow\"", "expect = \"deny\"");
    let folder = folder(&failing);
    let outcome = run(folder.path(), "policy test FILE", "").await;
    assert_eq!(outcome.code, 1);
    assert!(outcome.out.contains("FAIL"), "{}", outcome.out);
    let outcome = run(folder.path(), "policy apply FILE", "").await;
    assert_eq!(outcome.code, 1);
    assert!(outcome.err.contains("nothing was changed"), "{}", outcome.err);

    std::fs::write(
        folder.path().join("policy.toml"),
        POLICY.replace(
            "https://issuer.example.com\"\nsubject",
            "https://other.example.com\"\nsubject",
        ),
    )
    .unwrap();
    for command in ["check", "apply"] {
        let outcome = run(folder.path(), &format!("policy {command} FILE"), "").await;
        assert_eq!(outcome.code, 1, "{command}");
        assert!(outcome.err.contains("https://other.example.com"), "{}", outcome.err);
    }
    let exported = run(folder.path(), "policy export", "").await;
    assert!(!exported.out.contains("nginx-ci"), "{}", exported.out);
}

#[tokio::test]
async fn a_password_is_shown_once_survives_the_policy_file_and_is_deleted() {
    let folder = folder(POLICY);
    assert_eq!(run(folder.path(), "policy apply FILE", "").await.code, 0);
    let generate = "token credential generate --registry local --name nginx-ci -o json";
    let generated = json(
        &run(folder.path(), &format!("{generate} --password1 --expiration-in-days 2"), "").await,
    );
    let password = &generated["passwords"][0];
    assert_eq!(
        (&generated["username"], &password["name"]),
        (&"nginx-ci".into(), &"password1".into())
    );
    assert!(crate::model::PasswordSecret::parse(password["value"].as_str().unwrap()).is_some());
    assert_eq!(password["expiry"], "2026-08-03T12:00:00Z");

    let outcome = run(folder.path(), "policy apply FILE", "").await;
    assert!(outcome.out.contains("nothing differs"), "{}", outcome.out);
    let delete = "token credential delete --registry local --name nginx-ci --yes";
    let outcome = run(folder.path(), &format!("{delete} --password2"), "").await;
    assert_eq!(outcome.code, 1);
    assert!(outcome.err.contains("has no password2"), "{}", outcome.err);
    let outcome = run(folder.path(), &format!("{delete} --password1"), "").await;
    assert_eq!((outcome.code, outcome.out.as_str()), (0, "deleted password1 of token nginx-ci\n"));

    let past = run(
        folder.path(),
        &format!("{generate} --password1 --expiration 2020-01-01T00:00:00Z"),
        "",
    )
    .await;
    assert_eq!(past.code, 2, "{}", past.err);
    let other = generate.replace("nginx-ci", "other-ci");
    let outcome = run(folder.path(), &format!("{other} --password1"), "").await;
    assert!(outcome.err.contains("has no token `other-ci`"), "{}", outcome.err);
}

#[tokio::test]
async fn commands_that_read_make_no_store() {
    let folder = folder(POLICY);
    for arguments in [
        "policy export",
        "token credential delete --registry local --name nginx-ci --password1 --yes",
    ] {
        let outcome = run(folder.path(), arguments, "").await;
        assert_eq!(outcome.code, 1);
        assert!(outcome.err.contains("there is no store at"), "{}", outcome.err);
    }
    assert!(!folder.path().join("dockpass.db").exists());
}

#[tokio::test]
async fn a_registry_is_configured_before_the_first_start_and_the_keys_are_its_owners() {
    use std::os::unix::fs::PermissionsExt;

    let folder = folder(POLICY);
    let config = folder.path().join("dockpass.toml");
    std::fs::write(&config, format!("data_dir = \"data\"\n{CONFIG}")).unwrap();
    let flags = format!("--config {}", config.display());
    let bundle = dockpass(&format!("registry show local --bundle {flags}"), &[], "").await;
    assert_eq!(bundle.code, 0, "{}", bundle.err);
    assert!(bundle.out.starts_with("-----BEGIN CERTIFICATE-----"), "{}", bundle.out);
    let again = dockpass(&format!("registry show local --bundle {flags}"), &[], "").await;
    assert_eq!(again.out, bundle.out);
    for (file, wanted) in [("", 0o700), ("seal.keys", 0o600), ("root.key", 0o600)] {
        let path = folder.path().join("data").join(file);
        let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, wanted, "{}", path.display());
    }

    let key = folder.path().join("data/seal.keys");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let refused = dockpass(&format!("registry show local --bundle {flags}"), &[], "").await;
    assert_eq!(refused.err.matches("chmod 600").count(), 1, "told once: {}", refused.err);
}
