//! Deletes old events, and signs where each chain starts from then on.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use serde_json::json;

use super::checkpoint::{Checkpoint, Statement};
use super::key::SigningKey;
use super::{Archive, ArchiveError, Event, Journal, Kind, Places};
use crate::model::{Clock, DecisionId};
use crate::store::{Chain, ChainHead, JournalReader, JournalRow};

/// How many events are deleted in one transaction, which has to fit into the disk reserve.
const PIECE: u32 = 500;

/// What a prune deleted.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Pruned {
    /// How many events.
    pub events: u64,
    /// How many claims that no event refers to any more.
    pub claims: u64,
    /// The last event of each chain that was deleted, now or earlier: the chain starts after it.
    pub start: Places,
}

/// What may be deleted of a chain.
#[derive(Clone, Copy)]
struct Limit {
    before: Timestamp,
    /// The last event that a checkpoint covers.
    covered: u64,
}

impl Limit {
    fn admits(self, row: &JournalRow) -> bool {
        row.time < self.before && row.sequence <= self.covered
    }
}

impl Archive {
    /// Deletes the events of all chains from before `before`, of each chain the oldest first up to the first younger one, and never past the last
    /// checkpoint. Works on a full disk, and leaves an event of its own in the name of `actor`. The freed space is used again by the journal.
    ///
    /// # Errors
    /// The store or the key cannot be used. What was deleted until then is recorded, if that can be, and a second call goes on.
    pub async fn prune(
        &self,
        before: Timestamp,
        actor: &str,
        key_file: &Path,
        clock: &dyn Clock,
    ) -> Result<Pruned, ArchiveError> {
        let key = SigningKey::open(key_file).map_err(ArchiveError)?;
        let now = clock.now();
        let archive = self.clone();
        let (pruned, result) =
            tokio::task::spawn_blocking(move || archive.delete(before, &key, now))
                .await
                .map_err(ArchiveError::new)?;
        if pruned.events == 0 {
            result.clone()?;
        }
        let mut event = Event::new(DecisionId::new(now), now, Kind::Prune);
        event.change = Some(json!({
            "actor": actor,
            "before": before,
            "events": pruned.events,
            "claims": pruned.claims,
            "start": pruned.start,
        }));
        let recorded = self.store.record(Journal::seal(event)).await;
        // what went wrong first says more
        result?;
        recorded.map_err(ArchiveError::new)?;
        Ok(pruned)
    }

    /// What was deleted, also when not all could be.
    fn delete(
        &self,
        before: Timestamp,
        key: &SigningKey,
        now: Timestamp,
    ) -> (Pruned, Result<(), ArchiveError>) {
        let mut pruned = Pruned::default();
        let result = self.delete_events(before, key, now, &mut pruned).and_then(|()| {
            // also without events: a prune that failed earlier left claims behind
            pruned.claims = self.store.prune_claims().map_err(ArchiveError::new)?;
            Ok(())
        });
        (pruned, result)
    }

    fn delete_events(
        &self,
        before: Timestamp,
        key: &SigningKey,
        now: Timestamp,
        pruned: &mut Pruned,
    ) -> Result<(), ArchiveError> {
        let (covered, starts) = (self.covered()?, self.starts()?);
        pruned.start = starts.iter().map(|(chain, start)| (*chain, start.sequence)).collect();
        for (chain, start) in starts {
            let limit = Limit { before, covered: covered.of(chain).unwrap_or(0) };
            let record = |last: ChainHead| {
                Checkpoint::sign(Statement::Start, now, [(chain, last)], key).to_json()
            };
            let result = self.delete_of(chain, limit, record, pruned);
            let place = pruned.start.of(chain).filter(|place| *place > start.sequence);
            if let Some(place) = place {
                self.forget(chain, place);
            }
            result?;
        }
        Ok(())
    }

    /// Up to where a checkpoint covers each chain: one of its own, or the last one of another chain.
    fn covered(&self) -> Result<Places, ArchiveError> {
        let mut covered = BTreeMap::<Chain, u64>::new();
        for chain in self.chains()? {
            let reader = self.reader(chain)?;
            let last = reader.last_checkpoint().map_err(ArchiveError::new)?;
            let last = reader.checkpoints_after(last.saturating_sub(1), 1);
            for (sequence, json) in last.map_err(ArchiveError::new)? {
                for head in Checkpoint::parse(sequence, &json)?.heads {
                    let covered = covered.entry(head.chain).or_default();
                    *covered = head.sequence.max(*covered);
                }
            }
        }
        Ok(covered.into_iter().collect())
    }

    /// Deletes of one chain, and adds each piece to what was `pruned`: how many events, and after which one the chain starts from then on.
    fn delete_of(
        &self,
        chain: Chain,
        limit: Limit,
        record: impl Fn(ChainHead) -> String,
        pruned: &mut Pruned,
    ) -> Result<(), ArchiveError> {
        let reader = self.reader(chain)?;
        let mut start = pruned.start.of(chain).unwrap_or(0);
        while let Some((events, last)) = piece(&reader, start, limit)? {
            self.store.prune_events(chain, last, &record(last)).map_err(ArchiveError::new)?;
            pruned.events = pruned.events.saturating_add(events);
            pruned.start.set(chain, last.sequence);
            start = last.sequence;
        }
        Ok(())
    }

    /// The index is only a copy: that it could not be cleaned must not stop a prune.
    fn forget(&self, chain: Chain, sequence: u64) {
        let result = self.store.search_index(chain).and_then(|mut index| index.prune(sequence));
        if let Err(error) = result {
            tracing::warn!(%error, %chain, "pruned events are still in the search index");
        }
    }
}

/// The next events to delete: how many, and the last of them.
fn piece(
    reader: &JournalReader,
    start: u64,
    limit: Limit,
) -> Result<Option<(u64, ChainHead)>, ArchiveError> {
    let rows = reader.after(start, PIECE).map_err(ArchiveError::new)?;
    let mut events: u64 = 0;
    let mut last = None;
    for row in rows.iter().take_while(|row| limit.admits(row)) {
        events = events.saturating_add(1);
        last = Some(ChainHead { sequence: row.sequence, hash: row.hash });
    }
    Ok(last.map(|last| (events, last)))
}
