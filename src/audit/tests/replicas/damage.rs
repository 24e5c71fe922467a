//! Promise 2: what somebody with access to the database could do across chains is found.

use super::super::chains::place;
use super::*;

/// What is found after `sql`, with a checkpoint that was kept outside or without.
async fn after(replicas: u32, sql: &str) -> (u32, u64, Damage) {
    let (cluster, archive) = Cluster::closed(replicas, 12).await;
    assert!(archive.verify(None).is_ok());
    cluster.run(sql);
    place(archive.verify(None))
}

#[tokio::test]
async fn promise_2_a_row_moved_to_another_chain_is_found() {
    let sql = "UPDATE audit_event SET sequence = sequence + 100 WHERE chain = 1 AND sequence >= 2;
        UPDATE audit_event SET sequence = sequence - 99 WHERE chain = 1 AND sequence > 100;
        UPDATE audit_event SET chain = 1, sequence = 2 WHERE chain = 0 AND sequence = 3";
    for replicas in [2, 3] {
        assert_eq!(after(replicas, sql).await, (0, 3, Damage::Dropped));
    }
}

#[tokio::test]
async fn promise_2_a_row_copied_to_another_chain_is_found() {
    // in place of another, behind the last one, and beside another with the same number
    for (sequence, delete) in [(3, true), (100, false), (3, false)] {
        let delete =
            if delete { "DELETE FROM audit_event WHERE chain = 1 AND sequence = 3;" } else { "" };
        let sql = format!(
            "{delete} INSERT INTO audit_event (chain, sequence, time, claims, id, salt, hash, claims_hash, open, personal) \
             SELECT 1, {sequence}, time, NULL, id, salt, hash, NULL, open, personal FROM audit_event WHERE chain = 0 AND sequence = 3"
        );
        let (chain, event, damage) = after(2, &sql).await;
        assert_eq!(chain, 1);
        assert!((3..=7).contains(&event), "{event}");
        assert_ne!(damage, Damage::Forged);
    }
}

#[tokio::test]
async fn promise_2_rows_exchanged_between_chains_are_found() {
    let sql = "UPDATE audit_event SET chain = 9 WHERE chain = 0 AND sequence = 2;
        UPDATE audit_event SET chain = 0 WHERE chain = 1 AND sequence = 2;
        UPDATE audit_event SET chain = 1 WHERE chain = 9";
    for replicas in [2, 3] {
        // the claims stay behind, in the other chain
        assert_eq!(after(replicas, sql).await, (0, 2, Damage::Changed));
    }
}

#[tokio::test]
async fn promise_2_a_chain_that_was_cut_off_or_removed_is_found() {
    let cut = "DELETE FROM audit_event WHERE chain = 1 AND sequence > 3; DELETE FROM audit_checkpoint WHERE chain = 1;
        UPDATE audit_chain SET sequence = 3, hash = (SELECT hash FROM audit_event WHERE chain = 1 AND sequence = 3) WHERE chain = 1";
    let removed = "DELETE FROM audit_event WHERE chain = 1; DELETE FROM audit_checkpoint WHERE chain = 1; DELETE FROM audit_chain WHERE chain = 1";
    for replicas in [2, 3] {
        let (chain, event, damage) = after(replicas, cut).await;
        assert_eq!((chain, event, damage), (1, 4, Damage::Truncated));
        assert_eq!(after(replicas, removed).await, (1, 1, Damage::Vanished));
    }
}

#[tokio::test]
async fn promise_2_a_second_row_with_a_number_is_found_wherever_it_stands() {
    // the number is unique in a partition only; a verification reads pieces of 500
    let (cluster, replicas) = Cluster::with_events(1, 0).await;
    let appends = (0..=255).cycle().take(600);
    let appends = appends.map(|number| replicas[0].journal.append(event(&cluster.clock, number)));
    for result in futures_util::future::join_all(appends).await {
        result.unwrap();
    }
    replicas[0].journal.close().await;
    let archive = Archive::open(&replicas[0].store);
    for sequence in [1_u64, 499, 500, 501, 600] {
        cluster
            .run(format!(
                "INSERT INTO audit_event (chain, sequence, stored, time, claims, id, salt, hash, claims_hash, open, personal) \
                 SELECT chain, sequence, '1999-01-01', time, claims, id, salt, hash, claims_hash, '{{}}', personal \
                 FROM audit_event WHERE chain = 0 AND sequence = {sequence}"
            ));
        let (_, event, _) = place(archive.verify(None));
        assert!((sequence..=sequence + 1).contains(&event), "{event}, not {sequence}");
        cluster.run("DELETE FROM audit_event WHERE stored < '2000-01-01'");
    }
    assert!(archive.verify(None).is_ok());
}
