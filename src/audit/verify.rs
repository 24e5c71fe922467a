//! Follows all chains and names the first bad event and the kind of damage. It reads a stream once and keeps none of it.
//!
//! What it cannot see: damage after the last checkpoint that it knows, by somebody who seals all later events anew or cuts them off.
//! Hence the copies of checkpoints outside of the store.

mod blame;
mod follower;

use std::collections::{BTreeMap, BTreeSet};

use self::blame::blame;
use self::follower::Follower;
use super::checkpoint::{Checkpoint, Statement};
use super::record::Record;
use super::report::{Damage, Finding, Report, damaged};
use super::{ArchiveError, Hex};
use crate::store::{Chain, ChainHead};

/// One part of a journal or of an export.
#[derive(Debug)]
pub enum Entry {
    /// Where a chain starts: before its events, and once. With the signed record when older events were pruned.
    Start(Chain, ChainHead, Option<Box<Checkpoint>>),
    /// An event.
    Event(Box<Record>),
    /// A checkpoint: after the events that it covers, and before later ones.
    Checkpoint(Box<Checkpoint>),
}

/// Follows all entries. `outside` is a checkpoint that was kept elsewhere: with it, truncation and rewriting up to it are found for sure, in all
/// chains that it names.
///
/// # Errors
/// The first bad event, or why the entries cannot be read.
pub fn verify(
    entries: impl Iterator<Item = Result<Entry, ArchiveError>>,
    outside: Option<&Checkpoint>,
) -> Result<Report, Finding> {
    let mut entries = entries;
    let mut verifier = Verifier::new(outside)?;
    while let Some(entry) = entries.next() {
        match entry? {
            Entry::Start(chain, start, record) => {
                verifier.start(chain, start, record.as_deref())?;
            }
            Entry::Checkpoint(checkpoint) => verifier.checkpoint(&checkpoint)?,
            Entry::Event(record) => match verifier.chains.get_mut(&record.chain) {
                Some(chain) if chain.follows(&record) => chain.event(&record)?,
                Some(chain) if chain.is_started() => {
                    return Err(blame(&record, verifier.heads(), entries));
                }
                _ => return Err(no_start(record.chain).into()),
            },
        }
    }
    verifier.finish()
}

#[derive(Default)]
struct Verifier {
    /// Also those that did not start, but are awaited.
    chains: BTreeMap<Chain, Follower>,
    checkpoints: u64,
    keys: BTreeSet<String>,
}

impl Verifier {
    fn new(outside: Option<&Checkpoint>) -> Result<Self, Finding> {
        let mut verifier = Self::default();
        if let Some(checkpoint) = outside {
            verifier.signed(checkpoint)?;
            for head in &checkpoint.heads {
                verifier.chain(head.chain).wait_for(head.as_chain_head())?;
            }
        }
        Ok(verifier)
    }

    fn chain(&mut self, chain: Chain) -> &mut Follower {
        self.chains.entry(chain).or_insert_with(|| Follower::new(chain))
    }

    fn start(
        &mut self,
        chain: Chain,
        start: ChainHead,
        record: Option<&Checkpoint>,
    ) -> Result<(), Finding> {
        let is_genuine = match record {
            None => start == ChainHead::genesis(chain),
            Some(record) => {
                self.signed(record)?;
                record.kind == Statement::Start && record.head(chain) == Some(start)
            }
        };
        if !is_genuine {
            return Err(damaged(chain, start.sequence, Damage::Forged));
        }
        self.chain(chain).start(start)
    }

    fn checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), Finding> {
        self.signed(checkpoint)?;
        self.checkpoints = self.checkpoints.saturating_add(1);
        for head in &checkpoint.heads {
            if checkpoint.kind != Statement::Checkpoint {
                return Err(damaged(head.chain, head.sequence, Damage::Forged));
            }
            self.chain(head.chain).covered_by(head.as_chain_head())?;
        }
        Ok(())
    }

    /// Checks that the key of a checkpoint signed it.
    fn signed(&mut self, checkpoint: &Checkpoint) -> Result<(), Finding> {
        if !checkpoint.is_signed() || checkpoint.heads.is_empty() {
            let head = checkpoint.heads.first();
            let (chain, event) = head.map(|head| (head.chain, head.sequence)).unwrap_or_default();
            return Err(damaged(chain, event, Damage::Forged));
        }
        self.keys.insert(Hex(checkpoint.public_key.0).to_string());
        Ok(())
    }

    fn heads(&self) -> BTreeMap<Chain, ChainHead> {
        self.chains.iter().map(|(chain, follower)| (*chain, follower.head())).collect()
    }

    fn finish(self) -> Result<Report, Finding> {
        if self.chains.is_empty() {
            return Err(no_start(Chain::default()).into());
        }
        let chains = self.chains.into_values().map(Follower::finish);
        let chains: Vec<_> = chains.collect::<Result<_, _>>()?;
        Ok(Report {
            events: chains.iter().map(|chain| chain.events).sum(),
            checkpoints: self.checkpoints,
            keys: self.keys,
            chains,
        })
    }
}

fn no_start(chain: Chain) -> ArchiveError {
    ArchiveError::new(format!(
        "an export starts each chain with a line `{{\"export\":…}}`: that of chain {chain} is missing"
    ))
}
