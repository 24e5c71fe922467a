//! Several replicas, each with its chain: lists, watches, verification and prunes see all of them; a chain that is lost is survived.

mod cluster;
mod damage;
mod fencing;

use self::cluster::Cluster;
use super::super::key::SigningKey;
use super::super::trail::Trail;
use super::super::verify::Entry;
use super::*;
use crate::store::Chain;

/// The places of a whole list, read in pages.
fn list(archive: &Archive, filter: &Filter, size: u32) -> Vec<(u32, u64)> {
    let (mut found, mut before) = (Vec::new(), None);
    loop {
        let page = archive.list(filter, before.as_ref(), size).unwrap();
        assert!(page.events.len() <= size as usize);
        found.extend(page.events.iter().map(|one| (one.chain.0, one.sequence)));
        // as it travels
        before = page.next.map(|next| next.to_string().parse::<Places>().unwrap());
        if before.is_none() {
            return found;
        }
    }
}

#[tokio::test]
async fn a_list_is_merged_newest_first_and_goes_on_in_each_chain() {
    let (_cluster, archive) = Cluster::closed(3, 20).await;
    // recorded in turns: 0, 1, 2, 0, …
    let expected: Vec<_> = (0..20_u32).rev().map(|one| (one % 3, u64::from(one / 3) + 1)).collect();
    for size in [1, 2, 3, 7, 19, 20, 21, 100] {
        assert_eq!(list(&archive, &Filter::default(), size), expected, "pages of {size}");
    }
    let refused = Filter { outcome: Some(Outcome::Refused), ..Filter::default() };
    let expected: Vec<_> = expected.into_iter().filter(|(chain, _)| *chain == 2).collect();
    assert_eq!(list(&archive, &refused, 2), expected);
}

#[tokio::test]
async fn a_list_that_was_begun_leaves_out_what_comes_later() {
    let (cluster, replicas) = Cluster::with_events(2, 6).await;
    let archive = Archive::open(&replicas[0].store);
    let page = archive.list(&Filter::default(), None, 2).unwrap();
    replicas[0].record(&cluster, 6).await;
    let third = cluster.replica(2).await;
    third.record(&cluster, 7).await;
    let rest = archive.list(&Filter::default(), page.next.as_ref(), 100).unwrap();
    let rest: Vec<_> = rest.events.iter().map(|one| (one.chain.0, one.sequence)).collect();
    assert_eq!(rest, [(1, 2), (0, 2), (1, 1), (0, 1)]);
}

#[tokio::test]
async fn a_decision_of_any_replica_is_found_by_all_also_when_that_one_is_gone() {
    let (cluster, mut replicas) = Cluster::with_events(3, 0).await;
    let event = replicas[2].record(&cluster, 1).await;
    drop(replicas.pop());
    for replica in &replicas {
        let found = replica.journal.find(event.id).await.unwrap();
        assert_eq!(found.as_ref(), Some(&event));
    }
    let archive = Archive::open(&replicas[0].store);
    assert_eq!(archive.find(event.id).unwrap().unwrap().chain, Chain(2));
    assert_eq!(archive.find(DecisionId::new(far())).unwrap(), None);
}

#[tokio::test]
async fn a_watch_follows_all_chains_and_those_that_appear() {
    let (cluster, replicas) = Cluster::with_events(2, 4).await;
    let archive = Archive::open(&replicas[0].store);
    let begin = archive.last_places().unwrap();
    assert_eq!(begin.to_string(), "0:2,1:2");
    let third = cluster.replica(2).await;
    let mut expected = Vec::new();
    for (number, replica) in (0..).zip([&replicas[1], &third, &replicas[0], &third]) {
        expected.push(replica.record(&cluster, number).await.id);
    }
    for limit in [1, 2, 100] {
        let (mut seen, mut places) = (Vec::new(), begin.clone());
        loop {
            let followed = archive.follow(&Filter::default(), &places, limit).unwrap();
            seen.extend(followed.events.iter().map(|found| found.event.id));
            places = followed.last;
            if followed.is_all {
                break;
            }
        }
        assert_eq!(places.to_string(), "0:3,1:3,2:2");
        seen.sort();
        let mut all = expected.clone();
        all.sort();
        assert_eq!(seen, all, "looks at {limit} events");
    }
    let followed = archive.follow(&Filter::default(), &begin, 100).unwrap();
    let seen: Vec<_> = followed.events.iter().map(|found| found.event.id).collect();
    assert_eq!(seen, expected, "within one look by time");
}

#[tokio::test]
async fn promise_2_the_chains_of_all_replicas_verify_in_the_store_and_in_an_export() {
    let (cluster, archive) = Cluster::closed(3, 20).await;
    let report = archive.verify(None).unwrap();
    let chains: Vec<_> = report.chains.iter().map(|one| (one.last, one.covered)).collect();
    assert_eq!(chains, [(7, 7), (7, 7), (6, 6)]);
    assert_eq!((report.events, report.keys.len()), (20, 3));
    for disclosure in [Disclosure::Full, Disclosure::Redacted] {
        let lines = export(&archive, disclosure);
        assert_eq!(verify_lines(&lines, None).unwrap(), report);
    }
    // a replica that starts with the file of another signs with the same key
    let shared = cluster.world.again().await;
    let clock = Arc::new(cluster.clock.clone());
    let journal = Journal::start(&shared, &cluster.key_file(0), clock).await.unwrap();
    journal.append(event(&cluster.clock, 1)).await.unwrap();
    journal.close().await;
    assert_eq!(archive.verify(None).unwrap().keys.len(), 3);
}

#[tokio::test]
async fn a_checkpoint_that_names_a_chain_made_while_it_is_read_is_left_out() {
    let (cluster, replicas) = Cluster::with_events(1, 3).await;
    replicas[0].journal.close().await;
    let archive = Archive::open(&replicas[0].store);
    let trail = Trail::open(&archive).unwrap();
    let second = cluster.replica(1).await;
    second.record(&cluster, 3).await;
    // in the place of the one that was there, as nothing was added to its chain
    let mut writer = replicas[0].store.journal().unwrap();
    let heads = writer.heads().unwrap();
    assert_eq!((writer.chain(), heads.len()), (Chain(0), 2));
    let key = SigningKey::open(&cluster.key_file(0)).unwrap();
    let late = Checkpoint::sign(Statement::Checkpoint, cluster.clock.now(), heads, &key);
    writer.add_checkpoint(3, &late.to_json()).unwrap();
    let report = verify(trail.map(|item| item.map(Entry::from)), None).unwrap();
    assert_eq!((report.events, report.checkpoints), (3, 0));
    second.journal.close().await;
    assert_eq!(archive.verify(None).unwrap().chains.len(), 2);
}

#[tokio::test]
async fn promise_2_the_checkpoint_of_one_replica_covers_the_chain_of_one_that_died() {
    let (cluster, mut replicas) = Cluster::with_events(2, 4).await;
    // it signs nothing any more
    cluster.cut_off(1);
    cluster.run("UPDATE audit_chain SET owner = 'somebody else' WHERE chain = 1");
    drop(replicas.pop());
    replicas[0].journal.close().await;
    let archive = Archive::open(&replicas[0].store);
    let report = archive.verify(None).unwrap();
    assert_eq!(report.chains.iter().map(|one| one.covered).collect::<Vec<_>>(), [2, 2]);
    let outside =
        export(&archive, Disclosure::Full).into_iter().find(|line| line.contains("checkpoint"));
    let outside: Value = serde_json::from_str(&outside.unwrap()).unwrap();
    let outside: Checkpoint = serde_json::from_value(outside["checkpoint"].clone()).unwrap();
    // and with it a prune of that chain goes as far
    let key_file = cluster.key_file(0);
    let pruned = archive.prune(far(), "admin", &key_file, &cluster.clock).await.unwrap();
    assert_eq!((pruned.events, pruned.start.to_string().as_str()), (4, "0:2,1:2"));
    let report = archive.verify(Some(&outside)).unwrap();
    assert_eq!(report.events, 1, "the prune itself");
    let lines = export(&archive, Disclosure::Full);
    assert_eq!(verify_lines(&lines, Some(&outside)).unwrap(), report);
}

#[tokio::test]
async fn a_prune_takes_the_old_of_each_chain_and_the_rest_verifies() {
    let (cluster, archive) = Cluster::closed(3, 18).await;
    let before = archive.list(&Filter::default(), None, 8).unwrap().events[7].event.time;
    let key_file = cluster.key_file(7);
    let pruned = archive.prune(before, "admin", &key_file, &cluster.clock).await.unwrap();
    assert_eq!((pruned.events, pruned.start.to_string().as_str()), (10, "0:4,1:3,2:3"));
    let report = archive.verify(None).unwrap();
    assert_eq!(report.chains.iter().map(|one| one.start).collect::<Vec<_>>(), [4, 3, 3]);
    let listed = archive.list(&Filter::default(), None, 100).unwrap().events;
    assert_eq!(listed.len(), 9);
    let prune = listed.iter().find(|found| found.event.kind == Kind::Prune).unwrap();
    assert_eq!(prune.event.change.as_ref().unwrap()["start"], "0:4,1:3,2:3");
    let lines = export(&archive, Disclosure::Full);
    assert_eq!(verify_lines(&lines, None).unwrap(), report);
}
