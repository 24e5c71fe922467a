//! `audit` on a trail of several replicas.

use std::sync::Arc;

use super::ManualClock;
use super::offline::{POLICY, folder, json, run};
use crate::audit::{Event, Journal, Kind};
use crate::model::{Clock, DecisionId};
use crate::store::for_test::World;

/// A trail of two chains with two events each, and a configuration that leads to it.
async fn two_chains() -> (World, tempfile::TempDir) {
    let (world, folder) = (World::postgres().await, folder(POLICY));
    let path = folder.path().join("dockpass.toml");
    let config = std::fs::read_to_string(&path).unwrap();
    let store = format!("[store]\nurl = \"{}\"\n{config}", world.database().url());
    std::fs::write(&path, store).unwrap();
    let clock = ManualClock::at("2026-08-01T12:00:00Z".parse().unwrap());
    let stores = [world.again().await, world.again().await];
    for (number, store) in stores.iter().enumerate() {
        let key_file = folder.path().join(format!("{number}.key"));
        let journal = Journal::start(store, &key_file, Arc::new(clock.clone())).await.unwrap();
        for _ in 0..2 {
            let event = Event::new(DecisionId::new(clock.now()), clock.now(), Kind::Start);
            journal.append(event).await.unwrap();
            clock.advance(jiff::SignedDuration::from_mins(1));
        }
        journal.close().await;
    }
    (world, folder)
}

#[tokio::test]
async fn a_trail_of_two_chains_is_listed_shown_and_verified() {
    let (_world, folder) = two_chains().await;
    let page = json(&run(folder.path(), "audit list --limit 3 -o json", "").await);
    let events = page["events"].as_array().unwrap();
    let places: Vec<_> =
        events.iter().map(|event| format!("{}:{}", event["chain"], event["sequence"])).collect();
    assert_eq!(places, ["1:2", "1:1", "0:2"]);
    assert_eq!(page["next"], 2, "only chain 0 has more");
    let rest = json(&run(folder.path(), "audit list --before 2 -o json", "").await);
    assert_eq!((rest["events"].as_array().unwrap().len(), &rest["next"]), (1, &().into()));
    let page = json(&run(folder.path(), "audit list --limit 1 -o json", "").await);
    assert_eq!(page["next"], "0:3,1:2");
    assert_eq!(run(folder.path(), "audit list --before 1:2:3", "").await.code, 2);

    let show = format!("audit show {}", events[0]["id"].as_str().unwrap());
    let shown = run(folder.path(), &show, "").await;
    assert!(
        shown.out.lines().any(|line| line.split_whitespace().eq(["chain", "1"])),
        "{}",
        shown.out
    );

    let verified = json(&run(folder.path(), "audit verify -o json", "").await);
    assert_eq!((&verified["events"], verified.get("last")), (&4.into(), None));
    assert_eq!(verified["chains"][1]["chain"], 1);
    assert_eq!(verified["chains"][1]["covered"], 2);
    assert_eq!(verified["keys"].as_array().unwrap().len(), 2);
    let table = run(folder.path(), "audit verify", "").await.out;
    assert!(table.contains("4 events of 2 chains") && table.contains("COVERED UP TO"), "{table}");
}

#[tokio::test]
async fn an_export_of_two_chains_verifies_elsewhere_and_a_moved_event_is_found() {
    let (_world, folder) = two_chains().await;
    let exported = run(folder.path(), "audit export", "").await;
    assert!(exported.err.contains("wrote 4 events"), "{}", exported.err);
    let file = folder.path().join("trail.jsonl");
    let verify = format!("audit verify --export {}", file.display());
    std::fs::write(&file, &exported.out).unwrap();
    assert_eq!(super::dockpass(&verify, &[], "").await.code, 0);
    let moved = exported.out.replacen(
        "{\"event\":{\"sequence\":2",
        "{\"event\":{\"chain\":1,\"sequence\":2",
        1,
    );
    assert_ne!(moved, exported.out);
    std::fs::write(&file, moved).unwrap();
    let outcome = super::dockpass(&verify, &[], "").await;
    assert_eq!(outcome.code, 1);
    assert!(outcome.out.contains("DAMAGED: event"), "{}", outcome.out);
}

#[tokio::test]
async fn a_prune_says_where_each_chain_starts() {
    let (_world, folder) = two_chains().await;
    let prune = "audit prune --before 2027-01-01T00:00:00Z --yes";
    let outcome = run(folder.path(), prune, "").await;
    let expected = "deleted 4 events; the chains start after events 0:2,1:2 (chain:event)\n";
    assert_eq!((outcome.code, outcome.out.as_str()), (0, expected), "{}", outcome.err);
    assert_eq!(json(&run(folder.path(), "audit verify -o json", "").await)["events"], 1);
}
