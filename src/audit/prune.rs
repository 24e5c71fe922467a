//! Deletes old events, and signs where the chain starts from then on.

use std::path::Path;

use jiff::Timestamp;
use serde_json::json;

use super::checkpoint::{Checkpoint, Statement};
use super::key::SigningKey;
use super::{Archive, ArchiveError, Event, Journal, Kind};
use crate::model::{Clock, DecisionId};
use crate::store::{Chain, ChainHead, JournalReader};

/// How many events are deleted in one transaction, which has to fit into the disk reserve.
const PIECE: u32 = 500;

/// What a prune deleted.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Pruned {
    /// How many events.
    pub events: u64,
    /// How many claims that no event refers to any more.
    pub claims: u64,
    /// The last event that was deleted, now or earlier: the chain starts after it.
    pub start: u64,
}

impl Archive {
    /// Deletes the events from before `before`, oldest first up to the first younger one, and never past the last checkpoint. Works on a full
    /// disk, and leaves an event of its own in the name of `actor`. The freed space is used again by the journal.
    ///
    /// # Errors
    /// The store or the key cannot be used. What was deleted until then is recorded, and a second call goes on.
    pub async fn prune(
        &self,
        before: Timestamp,
        actor: &str,
        data_dir: &Path,
        clock: &dyn Clock,
    ) -> Result<Pruned, ArchiveError> {
        let key = SigningKey::open(data_dir).map_err(ArchiveError)?;
        let now = clock.now();
        let archive = self.clone();
        let pruned = tokio::task::spawn_blocking(move || archive.delete(before, &key, now))
            .await
            .map_err(ArchiveError::new)??;
        let mut event = Event::new(DecisionId::new(now), now, Kind::Prune);
        event.change = Some(json!({
            "actor": actor,
            "before": before,
            "events": pruned.events,
            "claims": pruned.claims,
            "start": pruned.start,
        }));
        self.store.record(Journal::seal(event)).await.map_err(ArchiveError::new)?;
        Ok(pruned)
    }

    fn delete(
        &self,
        before: Timestamp,
        key: &SigningKey,
        now: Timestamp,
    ) -> Result<Pruned, ArchiveError> {
        let reader = self.reader()?;
        let mut pruned = Pruned {
            start: reader.pruned().map_err(ArchiveError::new)?.map_or(0, |(head, _)| head.sequence),
            ..Pruned::default()
        };
        while let Some((events, last)) = piece(&reader, pruned.start, before)? {
            let record = Checkpoint::sign(Statement::Start, now, last, key).to_json();
            self.store.prune_events(Chain::default(), last, &record).map_err(ArchiveError::new)?;
            pruned.events = pruned.events.saturating_add(events);
            pruned.start = last.sequence;
        }
        if pruned.events > 0 {
            pruned.claims = self.store.prune_claims().map_err(ArchiveError::new)?;
            self.forget(pruned.start);
        }
        Ok(pruned)
    }

    /// The index is only a copy: that it could not be cleaned must not stop a prune.
    fn forget(&self, sequence: u64) {
        let result =
            self.store.search_index(Chain::default()).and_then(|mut index| index.prune(sequence));
        if let Err(error) = result {
            tracing::warn!(%error, "pruned events are still in the search index");
        }
    }
}

/// The next events to delete: how many, and the last of them.
fn piece(
    reader: &JournalReader,
    start: u64,
    before: Timestamp,
) -> Result<Option<(u64, ChainHead)>, ArchiveError> {
    let limit = reader.last_checkpoint().map_err(ArchiveError::new)?;
    let rows = reader.after(start, PIECE).map_err(ArchiveError::new)?;
    let mut events: u64 = 0;
    let mut last = None;
    for row in rows.iter().take_while(|row| row.time < before && row.sequence <= limit) {
        events = events.saturating_add(1);
        last = Some(ChainHead { sequence: row.sequence, hash: row.hash });
    }
    Ok(last.map(|last| (events, last)))
}
