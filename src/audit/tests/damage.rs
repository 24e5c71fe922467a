//! Promise 2: one test for each kind of damage, on the files and on an export.

use super::*;

fn checkpoint_of(lines: &[String]) -> Checkpoint {
    let line: Value = serde_json::from_str(lines.last().unwrap()).unwrap();
    serde_json::from_value(line["checkpoint"].clone()).unwrap()
}

#[tokio::test]
async fn promise_2_an_intact_journal_verifies_on_files_and_export() {
    let fixture = Fixture::with_events(7).await;
    let on_files = fixture.archive().verify(None).unwrap();
    let chain = only(&on_files);
    assert_eq!((on_files.events, chain.last, chain.covered), (7, 7, 7));
    for disclosure in [Disclosure::Full, Disclosure::Redacted] {
        let lines = export(&fixture.archive(), disclosure);
        assert_eq!(verify_lines(&lines, Some(&checkpoint_of(&lines))).unwrap(), on_files);
    }
}

#[tokio::test]
async fn promise_2_any_changed_column_is_named() {
    for change in [
        "open = replace(open, 'app-1', 'app-9')",
        "personal = replace(personal, 'app-1', 'app-9')",
        "open = ' ' || open",
        "personal = ' ' || personal",
        "open = replace(open, '{', '{\"kind\":\"check\",')",
        "open = 'rubbish'",
        "personal = 'rubbish'",
        "personal = CAST(x'ff' AS TEXT)",
        "open = substr(open, 1, 9), personal = substr(open, 10) || personal",
        "time = time + 1",
        "id = randomblob(16)",
        "salt = randomblob(16)",
        "hash = randomblob(32)",
        "claims_hash = NULL",
        "claims_hash = (SELECT hash FROM audit_claims WHERE hash <> claims_hash LIMIT 1)",
    ] {
        let fixture = Fixture::with_events(7).await;
        fixture.tamper(&format!("UPDATE audit_journal SET {change} WHERE sequence = 5"));
        assert_eq!(damage(fixture.archive().verify(None)), (5, Damage::Changed), "{change}");
    }
}

#[tokio::test]
async fn promise_2_changed_or_missing_claims_are_named() {
    for change in [
        "UPDATE audit_claims SET body = replace(body, 'app-0', 'app-9')",
        "DELETE FROM audit_claims",
    ] {
        let fixture = Fixture::with_events(4).await;
        fixture.tamper(change);
        assert_eq!(damage(fixture.archive().verify(None)), (1, Damage::Changed), "{change}");
    }
}

#[tokio::test]
async fn promise_2_a_dropped_event_is_named() {
    let fixture = Fixture::with_events(7).await;
    fixture.tamper("DELETE FROM audit_journal WHERE sequence IN (4, 5)");
    assert_eq!(damage(fixture.archive().verify(None)), (4, Damage::Dropped));
    let fixture = Fixture::with_events(7).await;
    fixture.tamper("DELETE FROM audit_journal WHERE sequence = 1");
    assert_eq!(damage(fixture.archive().verify(None)), (1, Damage::Dropped));
}

#[tokio::test]
async fn promise_2_an_inserted_event_is_named() {
    let fixture = Fixture::with_events(7).await;
    fixture.tamper(
        "UPDATE audit_journal SET sequence = -sequence - 1 WHERE sequence >= 5;
         UPDATE audit_journal SET sequence = -sequence WHERE sequence < 0;
         INSERT INTO audit_journal SELECT 5, id, time, salt, open, personal, claims_hash, claims, randomblob(32)
             FROM audit_journal WHERE sequence = 2;",
    );
    assert_eq!(damage(fixture.archive().verify(None)), (5, Damage::Inserted));
}

#[tokio::test]
async fn promise_2_reordered_events_are_named() {
    for (one, other) in [(3, 4), (3, 6)] {
        let fixture = Fixture::with_events(7).await;
        fixture.tamper(&format!(
            "UPDATE audit_journal SET sequence = -1 WHERE sequence = {one};
             UPDATE audit_journal SET sequence = {one} WHERE sequence = {other};
             UPDATE audit_journal SET sequence = {other} WHERE sequence = -1;"
        ));
        assert_eq!(damage(fixture.archive().verify(None)), (3, Damage::Reordered));
    }
}

#[tokio::test]
async fn promise_2_truncation_after_a_checkpoint_is_named() {
    let fixture = Fixture::with_events(7).await;
    let outside = checkpoint_of(&export(&fixture.archive(), Disclosure::Full));
    fixture.tamper("DELETE FROM audit_journal WHERE sequence > 4");
    assert_eq!(damage(fixture.archive().verify(None)), (5, Damage::Truncated));
    fixture.tamper("DELETE FROM audit_checkpoint");
    assert_eq!(only(&fixture.archive().verify(None).unwrap()).covered, 0, "the report tells");
    assert_eq!(damage(fixture.archive().verify(Some(&outside))), (5, Damage::Truncated));
    fixture.tamper("DELETE FROM audit_journal");
    assert_eq!(damage(fixture.archive().verify(Some(&outside))), (1, Damage::Truncated));
}

#[tokio::test]
async fn promise_2_a_chain_made_anew_is_found_by_a_checkpoint() {
    let fixture = Fixture::with_events(5).await;
    let outside = checkpoint_of(&export(&fixture.archive(), Disclosure::Full));
    // the forger owns the files and another key, and records other events
    let forged = Fixture::with_events(5).await;
    assert_eq!(damage(forged.archive().verify(Some(&outside))), (5, Damage::Rewritten));
    let keys = forged.archive().verify(None).unwrap().keys;
    assert!(!keys.contains(&outside.public_key.to_string()));
}

#[tokio::test]
async fn promise_2_a_forged_checkpoint_is_named() {
    let fixture = Fixture::with_events(5).await;
    fixture.tamper(
        "UPDATE audit_checkpoint SET body = replace(body, '\"sequence\":5', '\"sequence\":4')",
    );
    assert_eq!(damage(fixture.archive().verify(None)).1, Damage::Forged);
}

#[tokio::test]
async fn promise_2_each_kind_of_damage_is_named_in_an_export() {
    let fixture = Fixture::with_events(7).await;
    let intact = export(&fixture.archive(), Disclosure::Full);
    // line 0 is the header, so that line n holds event n
    let after = |work: &dyn Fn(&mut Vec<String>)| {
        let mut lines = intact.clone();
        work(&mut lines);
        damage(verify_lines(&lines, None))
    };
    assert_eq!(
        after(&|lines| lines[3] = lines[3].replace("192.0.2.7", "192.0.2.8")),
        (3, Damage::Changed)
    );
    assert_eq!(
        after(&|lines| lines[3] = lines[3].replace("\"n\":1.5,", "\"n\":1.50,")),
        (3, Damage::Changed)
    );
    assert_eq!(after(&|lines| drop(lines.remove(3))), (3, Damage::Dropped));
    assert_eq!(after(&|lines| lines.insert(4, lines[3].clone())), (4, Damage::Inserted));
    assert_eq!(after(&|lines| lines.swap(3, 4)), (3, Damage::Reordered));
    assert_eq!(after(&|lines| lines.swap(2, 6)), (2, Damage::Reordered));
    assert_eq!(after(&|lines| drop(lines.drain(4..=7))), (4, Damage::Truncated));
    let cut = &intact[..5];
    let report = verify_lines(cut, None).unwrap();
    let chain = only(&report);
    assert_eq!((chain.last, chain.covered), (4, 0), "without a checkpoint, the report tells");
    assert_eq!(damage(verify_lines(cut, Some(&checkpoint_of(&intact)))), (5, Damage::Truncated));
    for headless in [&intact[1..], &[]] {
        assert!(matches!(verify_lines(headless, None), Err(Finding::Unreadable(_))));
    }
}

#[tokio::test]
async fn promise_2_a_redacted_export_hides_who_called_and_still_shows_damage() {
    let fixture = Fixture::with_events(3).await;
    let mut lines = export(&fixture.archive(), Disclosure::Redacted);
    let text = lines.join("\n");
    for secret in ["192.0.2.7", "repo:acme", "ci.example", "\"salt\":"] {
        assert!(!text.contains(secret), "{secret}");
    }
    assert!(text.contains("servers/app-0"));
    lines[2] = lines[2].replace("servers/app-1", "servers/app-2");
    assert_eq!(damage(verify_lines(&lines, None)), (2, Damage::Changed));
}

#[tokio::test]
async fn promise_2_two_chains_append_to_one() {
    // a change of policy appends beside the journal, as another process does
    let fixture = Fixture::new().await;
    let journal = fixture.journal().await;
    for number in 0..20 {
        let own = fixture.event(number);
        let other = Journal::seal(fixture.event(number));
        let (one, two) = tokio::join!(journal.append(own), fixture.store.record(other));
        one.unwrap();
        two.unwrap();
    }
    journal.close().await;
    assert_eq!(only(&fixture.archive().verify(None).unwrap()).covered, 40);
}

#[tokio::test]
async fn promise_2_no_changed_bit_of_an_export_goes_unseen() {
    let fixture = Fixture::with_events(2).await;
    let intact = export(&fixture.archive(), Disclosure::Full);
    // ids and times have several spellings of one value; everything else has one
    let meaning = |line: &str| {
        serde_json::from_str::<line::Line>(line).map(|line| format!("{line:?}")).unwrap_or_default()
    };
    for number in 0..intact.len() {
        for (position, bit) in (0..intact[number].len()).flat_map(|at| [(at, 1), (at, 0x20)]) {
            let mut lines = intact.clone();
            let mut bytes = lines[number].clone().into_bytes();
            bytes[position] ^= bit;
            let Ok(changed) = String::from_utf8(bytes) else { continue };
            lines[number] = changed;
            let seen = verify_lines(&lines, None).is_err();
            let same = meaning(&lines[number]) == meaning(&intact[number]);
            assert!(seen || same, "{}", lines[number]);
        }
    }
}
