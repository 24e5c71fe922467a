//! `audit` and `explain` on the files of a store.

use std::path::Path;

use serde_json::json;

use super::offline::{POLICY, folder, json, run, run_by};
use super::{Arc, Attended, ManualClock, Process, policy_change};
use crate::audit::{Event, Grant, Journal, Kind, RequestRecord};
use crate::config::Config;
use crate::model::{
    AccessTokenId, ActionSet, Claims, CredentialRef, DecisionId, JsonObject, Password,
    PasswordHash, PasswordSlot, Permission, Reason, TokenUid,
};
use crate::store::Store;

/// A folder whose policy is applied, and the refusal of a job with this subject for this repository.
async fn refused(subject: &str, repository: &str) -> (tempfile::TempDir, String) {
    let folder = folder(POLICY);
    let applied = run(folder.path(), "policy apply FILE", "").await;
    assert_eq!(applied.code, 0, "{}", applied.err);
    let event = refusal(subject, repository);
    let id = event.id.to_string();
    record(folder.path(), event).await;
    (folder, id)
}

fn refusal(subject: &str, repository: &str) -> Event {
    let now = "2026-08-01T12:00:00Z".parse().unwrap();
    let identity = json!({
        "kind": "workload", "issuer": "https://issuer.example.com", "subject": subject,
        "expireTime": "2026-08-01T13:00:00Z",
    });
    let permission =
        Permission { repository: repository.parse().unwrap(), actions: ActionSet::PUSH };
    Event {
        reason: Some(Reason::AccessDenied),
        identity: JsonObject::of(&identity),
        claims: json!({ "sub": subject }).as_object().map(Claims::of),
        request: Some(RequestRecord {
            registry: "local".parse().unwrap(),
            permissions: [permission].into_iter().collect(),
            lifetime: None,
            token_name: None,
            with_bearer_token: false,
            fresh: false,
        }),
        policy_revision: Some(1),
        ..Event::new(DecisionId::new(now), now, Kind::Issue)
    }
}

async fn record(folder: &Path, event: Event) {
    let config = Config::load(&folder.join("dockpass.toml")).unwrap();
    let store = Store::open(&config.store, &config.data_dir).await.unwrap();
    store.record(Journal::seal(event)).await.unwrap();
}

#[tokio::test]
async fn a_refusal_is_explained_by_the_policy_of_its_time() {
    let (folder, id) = refused("ci", "servers/apache").await;
    // the policy of today has no token at all
    std::fs::write(folder.path().join("policy.toml"), "").unwrap();
    assert_eq!(run(folder.path(), "policy apply FILE --yes", "").await.code, 0);
    let outcome = run(folder.path(), &format!("explain {id}"), "").await;
    assert_eq!(outcome.code, 0, "{}", outcome.err);
    for expected in [
        "ACCESS_DENIED",
        "workload ci of https://issuer.example.com",
        "servers/apache",
        "token nginx-ci",
        "main-branch: admits the identity",
        "servers/nginx: content/read, content/write; matches nothing",
    ] {
        assert!(outcome.out.contains(expected), "{expected} is not in\n{}", outcome.out);
    }
    let explained = json(&run(folder.path(), &format!("explain {id} -o json"), "").await);
    assert_eq!(
        (&explained["event"]["id"], &explained["trace"]["allowed"]),
        (&id.into(), &false.into())
    );
}

#[tokio::test]
async fn an_identity_that_no_token_admits_is_explained_by_what_was_wanted_and_seen() {
    let (folder, id) = refused("somebody", "servers/nginx").await;
    let outcome = run(folder.path(), &format!("explain {id}"), "").await;
    assert!(outcome.out.contains("does not admit the identity"), "{}", outcome.out);
    assert!(outcome.out.contains("somebody"), "{}", outcome.out);
}

#[tokio::test]
async fn a_decision_that_is_not_in_the_trail_is_said_so() {
    let (folder, _) = refused("ci", "servers/apache").await;
    for command in ["explain", "audit show"] {
        let outcome =
            run(folder.path(), &format!("{command} 0199f3c2-7a0e-7c55-9d3b-0c1f5b0d2a11"), "")
                .await;
        assert_eq!(outcome.code, 1);
        assert!(outcome.err.contains("there is no event"), "{}", outcome.err);
    }
}

#[tokio::test]
async fn events_are_listed_filtered_and_shown() {
    let (folder, id) = refused("ci\u{1b}[2J", "servers/apache").await;
    let all = json(&run(folder.path(), "audit list -o json", "").await);
    assert_eq!(all["events"].as_array().unwrap().len(), 3);
    assert_eq!((&all["events"][0]["id"], &all["next"]), (&id.as_str().into(), &().into()));
    for (filter, count) in [
        ("--refused", 1),
        ("--reason ACCESS_DENIED", 1),
        ("--reason OVERLOADED", 0),
        ("--kind policy_change", 2),
        ("--repository servers/apache", 1),
        ("--since 2026-08-01T12:00:01Z", 0),
        ("--limit 2", 2),
    ] {
        let listed = json(&run(folder.path(), &format!("audit list -o json {filter}"), "").await);
        assert_eq!(listed["events"].as_array().unwrap().len(), count, "{filter}");
    }
    let listed = run(folder.path(), "audit list --limit 1", "").await;
    assert!(listed.err.contains("--before 3"), "{}", listed.err);
    let shown = run(folder.path(), &format!("audit show {id}"), "").await;
    assert!(shown.out.contains("local servers/apache:content/read,content/write"), "{}", shown.out);
    assert!(!shown.out.contains('\u{1b}') && !listed.out.contains('\u{1b}'), "{shown:?}");
    for wrong in ["--kind nothing", "--reason nothing", "--refused --allowed", "--limit 0"] {
        assert_eq!(run(folder.path(), &format!("audit list {wrong}"), "").await.code, 2, "{wrong}");
    }
}

#[tokio::test]
async fn a_trail_verifies_here_and_as_an_export_and_a_changed_one_does_not() {
    let (folder, id) = refused("ci", "servers/apache").await;
    let verified = json(&run(folder.path(), "audit verify -o json", "").await);
    assert_eq!((&verified["verified"], &verified["events"]), (&true.into(), &3.into()));

    let file = folder.path().join("trail.jsonl");
    let verify = format!("audit verify --export {}", file.display());
    for flags in ["", "--redact"] {
        let exported = run(folder.path(), &format!("audit export {flags}"), "").await;
        assert!(exported.err.contains("wrote 3 events"), "{}", exported.err);
        // the end of the identity token is nowhere else
        assert_eq!(exported.out.contains("13:00:00Z"), flags.is_empty());
        std::fs::write(&file, &exported.out).unwrap();
        let elsewhere = super::dockpass(&verify, &[], "").await;
        assert_eq!(elsewhere.code, 0, "{}", elsewhere.err);
        std::fs::write(&file, exported.out.replace("servers/apache", "servers/nginxx")).unwrap();
        let outcome = super::dockpass(&verify, &[], "").await;
        assert_eq!((outcome.code, outcome.err.as_str()), (1, ""));
        assert!(
            outcome.out.contains("DAMAGED: event 3") && outcome.out.contains(&id),
            "{}",
            outcome.out
        );
    }
    let again = run(folder.path(), &format!("audit export --file {}", file.display()), "").await;
    assert_eq!(again.code, 1, "an export replaced a file");
}

#[tokio::test]
async fn pruning_asks_first_and_keeps_what_no_checkpoint_covers() {
    let (folder, _) = refused("ci", "servers/apache").await;
    let prune = "audit prune --before 2027-01-01T00:00:00Z";
    let outcome = run(folder.path(), prune, "yes\n").await;
    assert_eq!(outcome.code, 2);
    let outcome = run_by(Attended::Yes, folder.path(), prune, "no\n").await;
    assert_eq!(outcome.code, 1);
    assert!(outcome.err.contains("nothing was changed"), "{}", outcome.err);
    let outcome = run(folder.path(), &format!("{prune} --yes"), "").await;
    assert_eq!(
        (outcome.code, outcome.out.as_str()),
        (0, "deleted 0 events; the chain starts after event 0\n"),
        "{}",
        outcome.err
    );
    let listed = json(&run(folder.path(), "audit list -o json", "").await);
    assert_eq!(listed["events"][0]["kind"], "prune");
    assert_eq!(json(&run(folder.path(), "audit verify -o json", "").await)["events"], 4);
}

#[tokio::test]
async fn a_list_says_how_much_of_what_was_asked_for_was_given() {
    let (folder, _) = refused("ci", "servers/apache").await;
    for (subject, issuer, granted) in [
        ("ci", "https://issuer.example.com", ActionSet::PUSH),
        ("ci", "https://other.example.com", ActionSet::PULL),
        ("job", "https://other.example.com", ActionSet::EMPTY),
    ] {
        let mut event = refusal(subject, "field/agent");
        event.reason = None;
        let mut facts = event.identity.unwrap().members();
        facts.insert("issuer".to_owned(), issuer.into());
        event.identity = JsonObject::of(&facts);
        event.grant = Some(grant("field/agent", granted));
        record(folder.path(), event).await;
    }
    let listed = run(folder.path(), "audit list", "").await.out;
    let lines: Vec<Vec<&str>> =
        listed.lines().map(|line| line.split_whitespace().skip(1).collect()).collect();
    let line = |number: usize| lines[number][..lines[number].len() - 1].join(" ");
    assert_eq!(
        line(1),
        "issue nothing job local field/agent:nothing of content/read,content/write"
    );
    assert_eq!(
        line(2),
        "issue partly ci of https://other.example.com local field/agent:content/read of content/read,content/write"
    );
    assert_eq!(
        line(3),
        "issue allowed ci of https://issuer.example.com local field/agent:content/read,content/write"
    );
    assert!(line(5).starts_with("policy_change done offline:"), "{listed}");
    let found = json(&run(folder.path(), "audit list --allowed --kind issue -o json", "").await);
    assert_eq!(found["events"].as_array().unwrap().len(), 3, "{found}");
}

fn grant(repository: &str, actions: ActionSet) -> Grant {
    let now = "2026-08-01T12:00:00Z".parse().unwrap();
    let permission = Permission { repository: repository.parse().unwrap(), actions };
    Grant {
        access_token: AccessTokenId::new(now),
        token: TokenUid::new(now),
        token_name: "nginx-ci".parse().unwrap(),
        scope_map: "servers-push".parse().unwrap(),
        credential: CredentialRef::Anonymous,
        permissions: [permission].into_iter().filter(|one| !one.actions.is_empty()).collect(),
        expire_time: now,
        reused: false,
    }
}

#[tokio::test]
async fn promise_9_the_hash_of_a_password_is_in_no_event_and_still_in_the_history() {
    let (folder, _) = refused("ci", "servers/apache").await;
    let config = Config::load(&folder.path().join("dockpass.toml")).unwrap();
    let store = Store::open(&config.store, &config.data_dir).await.unwrap();
    let before = store.definitions().await.unwrap();
    let now = "2026-08-01T12:00:00Z".parse().unwrap();
    let hash = PasswordHash::try_from(format!("{}A", "canary".repeat(7))).unwrap();
    let canary = serde_json::to_string(&hash).unwrap();
    let mut after = before.clone();
    after.revision += 1;
    after.tokens[0].passwords.push(Password {
        slot: PasswordSlot::Password1,
        generation: 1,
        hash,
        last_four: "abcd".into(),
        create_time: now,
        expire_time: None,
    });
    let process = Process {
        out: Box::new(std::io::sink()),
        err: Box::new(std::io::sink()),
        input: Box::new(std::io::empty()),
        attended: Attended::No,
        environment: std::iter::empty().collect(),
        clock: Arc::new(ManualClock::at(now)),
    };
    policy_change::commit(&store, &before, after.clone(), &process).await.unwrap();
    std::fs::write(folder.path().join("policy.toml"), "").unwrap();
    assert_eq!(run(folder.path(), "policy apply FILE --yes", "").await.code, 0);
    for command in ["audit export", "audit list -o json"] {
        let shown = run(folder.path(), command, "").await.out;
        assert!(shown.contains("abcd"), "the change is not in it: {shown}");
        assert!(!shown.contains(canary.trim_matches('"')), "{shown}");
    }
    assert_eq!(store.definitions_at(after.revision).await.unwrap(), after);
}
