//! Promise 2 with several chains: each kind of damage within one, between two, and of whole chains.

mod ledger;

use proptest::prelude::*;

use self::ledger::Ledger;
pub(super) use self::ledger::place;
use super::super::verify::Entry;
use super::*;
use crate::store::Chain;

/// Ledgers of two and of three chains.
fn ledgers() -> impl Iterator<Item = Ledger> {
    [2, 3].into_iter().map(|chains| Ledger::with(chains, 6))
}

/// That `work` leads to a finding at a place, in stores of two and of three chains.
fn finds(expected: (u32, u64, Damage), work: impl Fn(&mut Ledger)) {
    for mut ledger in ledgers() {
        work(&mut ledger);
        assert_eq!(place(ledger.verify(None)), expected);
    }
}

#[test]
fn promise_2_intact_chains_verify_and_the_report_names_all_keys() {
    for (ledger, count) in ledgers().zip([2_u32, 3]) {
        let report = ledger.verify(None).unwrap();
        let chains: Vec<_> = report
            .chains
            .iter()
            .map(|one| (one.chain.0, one.events, one.last, one.covered))
            .collect();
        assert_eq!(chains, (0..count).map(|chain| (chain, 6, 6, 6)).collect::<Vec<_>>());
        assert_eq!(report.events, 6 * u64::from(count));
        assert_eq!(report.keys, ledger.keys(), "each chain is signed by a key of its own");
        assert_eq!(report.only(), None);
    }
}

#[test]
fn promise_2_damage_within_a_chain_is_named_with_the_chain() {
    finds((1, 4, Damage::Changed), |ledger| ledger.rows(1)[3].salt = [9; 16]);
    finds((1, 4, Damage::Dropped), |ledger| drop(ledger.rows(1).remove(3)));
    finds((1, 3, Damage::Reordered), |ledger| {
        let rows = ledger.rows(1);
        rows.swap(2, 3);
        (rows[2].sequence, rows[3].sequence) = (3, 4);
    });
    finds((1, 3, Damage::Inserted), |ledger| {
        let copy = ledger.rows(1)[0].clone();
        ledger.insert(1, 2, copy);
    });
}

#[test]
fn promise_2_an_event_copied_into_another_chain_is_named() {
    finds((1, 3, Damage::Inserted), |ledger| {
        let copy = ledger.rows(0)[0].clone();
        ledger.insert(1, 2, copy);
    });
    // in place of the one that was there
    finds((1, 3, Damage::Changed), |ledger| {
        let mut copy = ledger.rows(0)[2].clone();
        copy.sequence = 3;
        ledger.rows(1)[2] = copy;
    });
    // at the end
    finds((1, 7, Damage::Changed), |ledger| {
        let copy = ledger.rows(0)[5].clone();
        ledger.insert(1, 6, copy);
    });
}

#[test]
fn promise_2_an_event_moved_into_another_chain_is_named() {
    for (from, to) in [(0, 1), (1, 0)] {
        // to where it is met before it is missed, and after that
        for (at, expected) in [(1, (to, 2, Damage::Reordered)), (5, (from, 4, Damage::Dropped))] {
            finds(expected, |ledger| {
                let moved = ledger.rows(from).remove(3);
                ledger.insert(to, at, moved);
            });
        }
    }
}

#[test]
fn promise_2_events_exchanged_between_chains_are_named() {
    for at in [0, 2, 5] {
        finds((0, at as u64 + 1, Damage::Reordered), |ledger| {
            let one = ledger.rows(0)[at].clone();
            let other = std::mem::replace(&mut ledger.rows(1)[at], one);
            ledger.rows(0)[at] = other;
        });
    }
}

#[test]
fn promise_2_whole_chains_cannot_be_exchanged_or_doubled() {
    finds((0, 1, Damage::Reordered), |ledger| {
        let one = std::mem::take(ledger.rows(0));
        let other = std::mem::replace(ledger.rows(1), one);
        *ledger.rows(0) = other;
    });
    for mut ledger in ledgers() {
        let count = ledger.count();
        let copy = ledger.rows(1).clone();
        ledger.add_chain(copy);
        assert_eq!(place(ledger.verify(None)), (count, 1, Damage::Changed));
    }
}

#[test]
fn promise_2_a_checkpoint_of_one_chain_shows_what_was_cut_off_from_another() {
    finds((1, 5, Damage::Truncated), |ledger| {
        ledger.rows(1).truncate(4);
        // those that the chain keeps itself go with the events
        ledger.forget_checkpoints_of(1);
    });
    finds((1, 1, Damage::Truncated), |ledger| {
        ledger.rows(1).clear();
        ledger.forget_checkpoints_of(1);
    });
}

#[test]
fn promise_2_a_chain_that_vanished_is_named() {
    finds((1, 1, Damage::Vanished), |ledger| {
        ledger.remove_chain(1);
        ledger.forget_checkpoints_of(1);
    });
}

#[test]
fn promise_2_a_checkpoint_of_one_chain_shows_that_another_was_made_anew() {
    for mut ledger in ledgers() {
        let anew = std::mem::take(ledger.rows(1)).into_iter().map(|row| row.id).collect();
        ledger.forge(1, anew);
        ledger.forget_checkpoints_of(1);
        let (chain, _, damage) = place(ledger.verify(None));
        assert_eq!((chain, damage), (1, Damage::Rewritten));
    }
}

#[test]
fn promise_2_a_checkpoint_from_outside_covers_all_chains() {
    for chain in 0..3 {
        let found = |work: &dyn Fn(&mut Ledger)| {
            let mut ledger = Ledger::with(3, 6);
            let outside = ledger.last_checkpoint();
            work(&mut ledger);
            ledger.forget_checkpoints();
            assert!(ledger.verify(None).is_ok(), "the store says nothing of it");
            place(ledger.verify(Some(&outside)))
        };
        let cut = found(&|ledger| ledger.rows(chain).truncate(2));
        assert_eq!(cut, (chain, 3, Damage::Truncated));
        let removed = found(&|ledger| ledger.remove_chain(chain));
        assert_eq!(removed, (chain, 1, Damage::Vanished));
        let forged = found(&|ledger| {
            let ids = std::mem::take(ledger.rows(chain)).into_iter().map(|row| row.id).collect();
            ledger.forge(chain, ids);
        });
        assert_eq!(forged, (chain, 6, Damage::Rewritten));
    }
}

#[test]
fn promise_2_a_checkpoint_that_was_changed_or_stands_elsewhere_is_named() {
    finds((1, 5, Damage::Forged), |ledger| {
        let checkpoint = ledger.checkpoints().last().unwrap();
        checkpoint.heads.retain(|head| head.chain == Chain(1));
        checkpoint.heads[0].sequence = 5;
    });
    for mut ledger in ledgers() {
        let early = ledger.checkpoints().next().unwrap().clone();
        *ledger.checkpoints().last().unwrap() = early;
        assert_eq!(place(ledger.verify(None)).2, Damage::Forged);
    }
}

#[test]
fn promise_2_a_prune_of_one_chain_says_nothing_of_another() {
    for mut ledger in ledgers() {
        ledger.prune(1, 4);
        let report = ledger.verify(None).unwrap();
        let chain = report.chains[1];
        assert_eq!((chain.start, chain.events, chain.covered), (4, 2, 6));
        // its record does not excuse that another chain lost its first events
        ledger.rows(0).drain(..4);
        ledger.exchange_records(0, 1);
        assert_eq!(place(ledger.verify(None)), (0, 4, Damage::Forged));
    }
}

#[test]
fn an_export_names_the_chain_of_each_line_unless_it_is_chain_0() {
    let ledger = Ledger::with(2, 3);
    let lines = ledger.lines();
    let chains = lines.iter().filter_map(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        let of = line.get("export").or_else(|| line.get("event"))?;
        Some(of.get("chain").cloned())
    });
    let (named, unnamed): (Vec<_>, Vec<_>) = chains.partition(Option::is_some);
    assert_eq!(named, vec![Some(json!(1)); 4], "its start and three events");
    assert_eq!(unnamed.len(), 4);
    assert_eq!(verify_lines(&lines, None).unwrap(), ledger.verify(None).unwrap());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever line of an export is moved: it is found, unless each chain still has the same lines in the same order and no checkpoint was passed.
    #[test]
    fn promise_2_no_line_of_an_export_can_be_moved_into_another_chain(
        from in 0..100_usize, to in 0..100_usize, chain in 0..3_u32,
    ) {
        let intact = Ledger::with(3, 4).lines();
        let (from, to) = (from % intact.len(), to % intact.len());
        let mut lines = intact;
        let mut line: Value = serde_json::from_str(&lines.remove(from)).unwrap();
        let Some(event) = line.get_mut("event") else { return Ok(()) };
        let before = event.get("chain").and_then(Value::as_u64).unwrap_or(0);
        prop_assume!(before != u64::from(chain));
        event["chain"] = json!(chain);
        lines.insert(to, line.to_string());
        prop_assert!(verify_lines(&lines, None).is_err());
    }
}

/// An entry whose chain was never begun.
#[test]
fn an_event_without_the_start_of_its_chain_is_no_export() {
    let ledger = Ledger::with(2, 3);
    let entries = ledger
        .entries()
        .into_iter()
        .filter(|entry| !matches!(entry, Entry::Start(chain, ..) if *chain == Chain(1)));
    let problem = verify(entries.map(Ok), None).unwrap_err();
    assert!(matches!(problem, Finding::Unreadable(_)), "{problem}");
    assert!(problem.to_string().contains("chain 1"), "{problem}");
}
