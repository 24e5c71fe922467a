//! Finds out what happened where a bad event stands.

use std::collections::BTreeMap;

use super::super::ArchiveError;
use super::super::record::Record;
use super::super::report::{BadPlace, Damage, Finding, damaged};
use super::Entry;
use crate::store::{Chain, ChainHead};

/// Finds out what happened where `bad` stands in place of the event after the head of its chain: it looks in all that follows for the event
/// that was sealed there, and then whether `bad` was sealed later, or in another chain.
pub(super) fn blame(
    bad: &Record,
    heads: BTreeMap<Chain, ChainHead>,
    rest: impl Iterator<Item = Result<Entry, ArchiveError>>,
) -> Finding {
    let head = heads.get(&bad.chain).copied().unwrap_or_default();
    let expected = head.sequence.saturating_add(1);
    let found = |damage| Finding::Damaged {
        place: BadPlace { chain: bad.chain, event: expected },
        id: Some(bad.id),
        damage,
    };
    let mut genuine = heads;
    let mut others = genuine.iter().filter(|(chain, _)| **chain != bad.chain);
    if others.any(|(_, head)| bad.follows(*head)) {
        return found(Damage::Reordered);
    }
    for entry in rest {
        let record = match entry {
            Ok(Entry::Event(record)) => record,
            Ok(_) => continue,
            Err(_) => break,
        };
        let its_own = ChainHead { sequence: record.sequence, hash: record.hash };
        let genuine = genuine.entry(record.chain).or_insert(its_own);
        if record.follows(*genuine) {
            let sequence = genuine.sequence.saturating_add(1);
            *genuine = ChainHead { sequence, hash: record.hash };
        }
        if bad.follows(*genuine) || bad.follows(its_own) {
            return found(Damage::Reordered);
        }
    }
    if genuine.get(&bad.chain) != Some(&head) || bad.sequence < expected {
        return found(Damage::Inserted);
    }
    if bad.sequence > expected {
        return damaged(bad.chain, expected, Damage::Dropped);
    }
    // the export says what the event before hashed to when this one was sealed
    let sealed = bad.previous.is_some_and(|previous| {
        previous != head.hash && bad.follows(ChainHead { sequence: head.sequence, hash: previous })
    });
    if sealed && head.sequence > 0 {
        return damaged(bad.chain, head.sequence, Damage::Changed);
    }
    found(Damage::Changed)
}
