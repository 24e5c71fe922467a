//! Whole policy files.

use crate::audit::Kind;
use crate::broker::evidence::DEFAULT_WINDOW;
use crate::broker::manage::for_test::{Office, local_user, new_map, new_token, operator};
use crate::broker::manage::{
    ApplyPolicy, Candidate, ExportPolicy, Exported, PlanPolicy, Planned, Rest,
};
use crate::broker::{Operator, Refusal};
use crate::model::Reason;

const FILE: &str = "\
[[scope_maps]]
registry = \"local\"
name = \"servers\"

[scope_maps.permissions]
\"servers/*\" = [\"content/read\"]

[[tokens]]
registry = \"local\"
name = \"nginx-ci\"
scope_map = \"servers\"
";

/// Asks by a test what another registry allows.
const PROBE: &str = "\
[[tests]]
as = { issuer = \"https://issuer.example.com\", subject = \"job\" }
request = { registry = \"local\", repository = \"servers/a\", actions = [\"pull\"] }
expect = \"allow\"
";

fn candidate(text: &str, rest: Rest) -> Candidate {
    Candidate { text: text.into(), rest, base_revision: None }
}

async fn apply(office: &Office, by: Operator, text: &str) -> Result<Planned, Refusal> {
    let candidate = candidate(text, Rest::DeleteInNamedRegistries);
    office.change(by, ApplyPolicy { candidate }).await
}

async fn export(office: &Office, by: &str, registry: Option<&str>) -> Exported {
    let registry = registry.map(|name| name.parse().unwrap());
    office.read(operator(by), ExportPolicy { registry }).await.unwrap()
}

fn named(planned: &Planned) -> Vec<&str> {
    planned.changes.iter().map(|change| change.name.as_str()).collect()
}

#[tokio::test]
async fn the_export_of_an_applied_file_is_the_same_file_and_applying_it_again_changes_nothing() {
    let office = Office::open().await;
    let applied = apply(&office, local_user(), FILE).await.unwrap();
    assert_eq!((named(&applied), applied.revision), (vec!["servers", "nginx-ci"], 1));
    assert_eq!(office.events(Kind::PolicyChange).await.len(), 2);
    let exported = export(&office, "viewer", None).await;
    assert_eq!((exported.text.as_str(), exported.revision), (FILE, 1));
    let again = apply(&office, local_user(), &exported.text).await.unwrap();
    assert!(again.changes.is_empty());
    assert_eq!(again.revision, 1);
}

#[tokio::test]
async fn what_a_file_does_not_name_goes_only_where_it_is_said() {
    let office = Office::open().await;
    apply(&office, local_user(), FILE).await.unwrap();
    office.by_editor(new_map("unnamed", &[("a", "pull")])).await;
    let mut elsewhere = new_map("elsewhere", &[("a", "pull")]);
    elsewhere.registry = "other".parse().unwrap();
    office.by_editor(elsewhere).await;
    let plan = |rest| PlanPolicy { candidate: candidate(FILE, rest), usage_window: DEFAULT_WINDOW };
    let kept = office.read(operator("viewer"), plan(Rest::Keep)).await.unwrap();
    assert!(kept.changes.is_empty());
    let pruned = plan(Rest::DeleteInNamedRegistries);
    let pruned = office.read(operator("viewer"), pruned).await.unwrap();
    assert_eq!(named(&pruned), ["unnamed"]);
    assert_eq!(
        office.scope_map("unnamed").await.name.as_str(),
        "unnamed",
        "a plan changes nothing"
    );
    assert_eq!(named(&apply(&office, local_user(), FILE).await.unwrap()), ["unnamed"]);
}

#[tokio::test]
async fn g6_a_file_needs_the_role_in_every_registry_that_it_changes() {
    let office = Office::open().await;
    for by in ["viewer", "token-editor", "job", "other-editor"] {
        let refusal = apply(&office, operator(by), FILE).await.unwrap_err();
        assert_eq!(refusal.error.reason(), Reason::RoleRequired, "{by}");
    }
    let both = format!("{FILE}\n{}", FILE.replace("local", "other"));
    let refusal = apply(&office, operator("other-editor"), &both).await.unwrap_err();
    assert_eq!(refusal.error.reason(), Reason::RoleRequired);
    apply(&office, operator("other-editor"), &FILE.replace("local", "other")).await.unwrap();
    apply(&office, operator("editor"), FILE).await.unwrap();
    // whether a file is in force there already is nobody else's business, nor what its tests say
    let tokens = FILE.split_at(FILE.find("[[tokens]]").unwrap()).1;
    for text in [FILE, tokens, PROBE] {
        let refusal = apply(&office, operator("other-editor"), text).await.unwrap_err();
        assert_eq!(refusal.error.reason(), Reason::RoleRequired, "{text}");
    }
    // what is exported is of the registries in which one has a role
    let own = export(&office, "other-editor", None).await.text;
    assert_eq!(own, FILE.replace("local", "other"));
    assert_eq!(export(&office, "viewer", Some("local")).await.text, FILE);
    let plan = PlanPolicy { candidate: candidate("", Rest::Keep), usage_window: DEFAULT_WINDOW };
    let refusal = office.read(operator("job"), plan).await.unwrap_err();
    assert_eq!(refusal.error.reason(), Reason::RoleRequired);
}

#[tokio::test]
async fn a_file_applies_all_or_nothing() {
    let office = Office::open().await;
    apply(&office, local_user(), FILE).await.unwrap();
    let before = office.store().await.definitions().await.unwrap();
    let failing = format!(
        "{}\n[[tests]]\nas = {{ issuer = 'https://issuer.example.com', subject = 'x' }}\n\
         request = {{ registry = 'local', repository = 'a', actions = ['pull'] }}\nexpect = 'allow'\n",
        FILE.replace("servers/*", "a")
    );
    let dangling = FILE.replace("scope_map = \"servers\"", "scope_map = \"missing\"");
    let unknown = FILE.replace("\"local\"", "\"nowhere\"");
    for (text, word) in [
        ("[[scope_maps]", "line 1"),
        (dangling.as_str(), "`missing`"),
        (unknown.as_str(), "registry is not configured"),
        (failing.as_str(), "a test fails"),
    ] {
        let refusal = apply(&office, local_user(), text).await.unwrap_err();
        let violations = format!("{:?}", refusal.error);
        assert_eq!(refusal.error.reason(), Reason::InvalidRequest, "{violations}");
        assert!(violations.contains(word), "{violations}");
        assert_eq!(office.store().await.definitions().await.unwrap(), before);
    }
}

#[tokio::test]
async fn a_concurrent_change_is_detected() {
    let office = Office::open().await;
    let base = apply(&office, local_user(), FILE).await.unwrap().revision;
    office.by_editor(new_token("between", "servers")).await;
    let candidate =
        Candidate { base_revision: Some(base), ..candidate(FILE, Rest::DeleteInNamedRegistries) };
    let refusal = office.change(local_user(), ApplyPolicy { candidate }).await.unwrap_err();
    assert_eq!(refusal.error.reason(), Reason::EtagMismatch);
}

#[tokio::test]
async fn applying_never_enables_a_disabled_token() {
    let office = Office::open().await;
    apply(&office, local_user(), FILE).await.unwrap();
    let disabled =
        FILE.replace("scope_map = \"servers\"", "scope_map = \"servers\"\nstatus = \"disabled\"");
    apply(&office, local_user(), &disabled).await.unwrap();
    apply(&office, local_user(), FILE).await.unwrap();
    let token = office.token("nginx-ci").await;
    assert_eq!(token.status, crate::model::Status::Disabled);
}
