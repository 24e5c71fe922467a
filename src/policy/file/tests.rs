//! Policy files: read, applied, written, and refused.

use super::*;
use crate::model::{PasswordSlot, Status};
use crate::policy::for_test::{GITHUB, after, context, now, password, uid};
use crate::policy::{Change, Snapshot, run_tests};

const SAMPLE: &str = r#"
[[scope_maps]]
registry = "local"
name = "servers-push"
owner = "team-web"
max_lifetime = "30m"
permissions."servers/nginx" = ["content/read", "content/write"]
permissions."servers/base/*" = ["pull"]

[[tokens]]
registry = "local"
name = "nginx-ci"
scope_map = "servers-push"
expire_time = 2027-01-01T00:00:00Z

[[tokens.federated_credentials]]
name = "main-branch"
issuer = "https://token.actions.githubusercontent.com"
subject = "repo:*"
max_lifetime = "5m"
bind_to_identity_expiry = true
claims.repository_id = ["123456", 123456]
claims.ref = "refs/heads/main"
claims."/kubernetes.io/namespace" = ["web-*"]

[[tokens]]
registry = "local"
name = "vendor"
scope_map = "servers-push"
status = "disabled"
expire_time = "2027-01-01T01:00:00+01:00"

[[tests]]
as = { issuer = "https://token.actions.githubusercontent.com", subject = "repo:any", claims = { repository_id = "123456", ref = "refs/heads/main", "kubernetes.io" = { namespace = "web-1" } } }
request = { registry = "local", repository = "servers/nginx", actions = ["push"] }
expect = "allow"
token_name = "nginx-ci"

[[tests]]
as = { issuer = "https://token.actions.githubusercontent.com", subject = "repo:any", claims = { repository_id = "123457", ref = "refs/heads/main" } }
request = { registry = "local", repository = "servers/nginx", actions = ["pull"] }
expect = "deny"
"#;

fn apply(text: &str, present: &Definitions) -> Definitions {
    PolicyFile::parse(text).unwrap().onto(present, now(), "someone", &mut uid)
}

#[test]
fn the_sample_compiles_and_its_tests_pass() {
    let definitions = apply(SAMPLE, &Definitions::default());
    assert_eq!(definitions.revision, 1);
    assert_eq!(definitions.tokens[0].expire_time, definitions.tokens[1].expire_time);
    assert_eq!(definitions.tokens[0].federated_credentials[0].issuer.as_str(), GITHUB);
    Snapshot::compile(definitions.clone(), &context()).unwrap();
    let tests = PolicyFile::parse(SAMPLE).unwrap().tests;
    for outcome in run_tests(&tests, &definitions, &context(), now()) {
        assert!(outcome.passed, "{outcome:?}");
    }
}

#[test]
fn a_test_that_expects_something_else_fails_and_says_why() {
    let text = SAMPLE
        .replace(r#"expect = "allow""#, r#"expect = "deny""#)
        .replace(r#"["push"]"#, r#"["content/read"]"#);
    let definitions = apply(&text, &Definitions::default());
    let outcomes =
        run_tests(&PolicyFile::parse(&text).unwrap().tests, &definitions, &context(), now());
    assert!(!outcomes[0].passed && outcomes[1].passed);
    assert!(outcomes[0].detail.contains("allowed by token `nginx-ci`"), "{}", outcomes[0].detail);
    let other = SAMPLE.replace(r#"token_name = "nginx-ci""#, r#"token_name = "vendor""#);
    let outcomes =
        run_tests(&PolicyFile::parse(&other).unwrap().tests, &definitions, &context(), now());
    assert!(!outcomes[0].passed);
}

#[test]
fn what_is_written_and_applied_again_changes_nothing() {
    let definitions = apply(SAMPLE, &Definitions::default());
    let written = PolicyFile::render(&definitions);
    let file = PolicyFile::parse(&written).unwrap();
    let again = file.onto(&definitions, after(60), "another", &mut uid);
    assert_eq!(again, definitions, "{written}");
    // and without anything before it, the same comes again but for uids
    assert_eq!(PolicyFile::render(&apply(&written, &Definitions::default())), written);
}

#[test]
fn what_differs_has_the_new_revision_and_the_rest_keeps_its_own() {
    let mut before = apply(SAMPLE, &Definitions::default());
    before.tokens[1].passwords.push(password(PasswordSlot::Password1, 1, 1));
    let changed = SAMPLE.replace(r#"max_lifetime = "30m""#, r#"max_lifetime = "20m""#);
    let after = apply(&changed, &before);
    assert_eq!((after.revision, after.scope_maps[0].revision), (2, 2));
    assert_eq!(after.tokens, before.tokens);
    let narrowed = SAMPLE.replace("123456, ", "").replace(r#"["123456", 123456]"#, r#"["123456"]"#);
    let after = apply(&narrowed, &before);
    assert_eq!(after.tokens[0].uid, before.tokens[0].uid);
    assert_eq!(after.tokens[0].federated_credentials[0].revision, 2);
    assert_eq!((after.scope_maps[0].revision, after.tokens[1].revision), (1, 1));
}

#[test]
fn applying_a_file_never_enables_what_somebody_disabled() {
    let mut before = apply(SAMPLE, &Definitions::default());
    before.tokens[0].status = Status::Disabled;
    assert_eq!(apply(SAMPLE, &before).tokens[0].status, Status::Disabled);
    let enabled = SAMPLE.replacen(
        "scope_map = \"servers-push\"",
        "scope_map = \"servers-push\"\nstatus = \"enabled\"",
        1,
    );
    assert_eq!(apply(&enabled, &before).tokens[0].status, Status::Enabled);
}

#[test]
fn changes_are_told_without_secrets() {
    let mut before = apply(SAMPLE, &Definitions::default());
    before.tokens[1].passwords.push(password(PasswordSlot::Password1, 1, 1));
    let after = apply("", &before);
    let changes = Change::between(&before, &after);
    let names: Vec<_> =
        changes.iter().map(|c| (c.kind, c.name.as_str(), c.after.is_none())).collect();
    assert_eq!(
        names,
        [
            ("scope_map", "servers-push", true),
            ("token", "nginx-ci", true),
            ("token", "vendor", true)
        ]
    );
    assert!(!format!("{changes:?}").contains("hash"));
    assert_eq!(Change::between(&after, &after), []);
}

#[test]
fn c4_unknown_keys_and_bad_values_are_refused_with_line_and_remedy() {
    let refused = |from: &str, to: &str| {
        let text = SAMPLE.replacen(from, to, 1);
        assert_ne!(text, SAMPLE, "{from}");
        PolicyFile::parse(&text).unwrap_err().to_string()
    };
    for (from, to, remedy) in [
        ("owner =", "ownr =", "unknown field `ownr`"),
        ("subject = \"repo:*\"", "subjct = \"x\"", "unknown field `subjct`"),
        ("expect = \"allow\"", "expects = \"allow\"", "unknown field `expects`"),
        ("\"pull\"]", "\"poll\"]", "unknown action `poll`"),
        ("\"servers/base/*\"", "\"servers/b*\"", "repository pattern"),
        ("\"servers/base/*\"", "\"servers/nginx\"", "duplicate key"),
        ("\"30m\"", "\"30\"", "write it like 15m"),
        ("\"30m\"", "\"30s\"", "at least one minute"),
        ("2027-01-01T00:00:00Z", "2027-01-01", "write it like 2026-12-31T23:59:59Z"),
        ("2027-01-01T00:00:00Z", "2027-01-01T00:00:00", "write it like 2026-12-31T23:59:59Z"),
        ("\"nginx-ci\"", "\"nginx_ci\"", "a token's name has"),
        ("\"refs/heads/main\"", "1.5", "`1.5` cannot be compared"),
        ("\"refs/heads/main\"", "\"a***\"", "`***` has no meaning"),
        ("[[tests]]", "[[test]]", "unknown field `test`"),
        ("status = \"disabled\"", "status = \"off\"", "unknown variant `off`"),
    ] {
        let error = refused(from, to);
        let (before, _) = SAMPLE.split_once(from).unwrap();
        let line = format!("line {}", before.matches('\n').count() + 1);
        assert!(error.contains(&line) && error.contains(remedy), "{from} -> {to}: {error}");
    }
    let missing = refused("scope_map = ", "# ");
    assert!(
        missing.contains("line 10") && missing.contains("missing field `scope_map`"),
        "{missing}"
    );
}

#[test]
fn c4_two_of_one_name_are_refused_with_the_line_of_the_second() {
    let twice = format!(
        "{SAMPLE}\n[[tokens]]\nregistry = \"local\"\nname = \"vendor\"\nscope_map = \"servers-push\"\n"
    );
    let error = PolicyFile::parse(&twice).unwrap_err().to_string();
    let line = twice.lines().count() - 1;
    assert!(error.contains(&format!("line {line}: token `vendor`")), "{error}");
}
