//! What a verification finds: that all is in order, or the first bad event and the kind of damage.

use std::collections::BTreeSet;
use std::fmt;

use super::ArchiveError;
use crate::model::DecisionId;
use crate::store::Chain;

/// What was found to be in order.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Report {
    /// How many events were read.
    pub events: u64,
    /// How many checkpoints were read, without the one from outside.
    pub checkpoints: u64,
    /// The keys that signed checkpoints: each replica may have its own. Compare them with those that you know: whoever owns the store can
    /// sign anew.
    pub keys: BTreeSet<String>,
    /// Each chain, by its number.
    pub chains: Vec<ChainReport>,
}

/// What was found to be in order of one chain.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ChainReport {
    /// The number of the chain.
    pub chain: Chain,
    /// How many events were read.
    pub events: u64,
    /// The event before the first one that was read; not 0 after a prune.
    pub start: u64,
    /// The last event.
    pub last: u64,
    /// The hash of the last event.
    pub hash: [u8; 32],
    /// The last event that a checkpoint covers: of later ones, nothing shows that they were not cut off or sealed anew.
    pub covered: u64,
}

impl Report {
    /// The chain, when there is only one.
    pub const fn only(&self) -> Option<&ChainReport> {
        match self.chains.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }
}

/// Why a journal does not verify.
#[derive(Debug, thiserror::Error)]
pub enum Finding {
    /// It is damaged.
    #[error("{place}{}: {damage}", .id.map(|id| format!(" (`{id}`)")).unwrap_or_default())]
    Damaged {
        /// The place of the first bad event.
        place: BadPlace,
        /// The decision whose event stands there, when one does.
        id: Option<DecisionId>,
        /// The kind of damage.
        damage: Damage,
    },
    /// It could not be read.
    #[error(transparent)]
    Unreadable(#[from] ArchiveError),
}

/// The place of an event. As text, chain 0 is not named: it is the only one of an embedded store.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BadPlace {
    /// The chain.
    pub chain: Chain,
    /// The place in it.
    pub event: u64,
}

impl fmt::Display for BadPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "event {}", self.event)?;
        if self.chain == Chain::default() { Ok(()) } else { write!(f, " of chain {}", self.chain) }
    }
}

/// The kinds of damage.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Damage {
    /// It is not what was sealed.
    #[error("its content, or its link to the event before, was changed")]
    Changed,
    /// It is missing, and later ones are there.
    #[error("it was dropped")]
    Dropped,
    /// It was never sealed into the chain.
    #[error("it was inserted")]
    Inserted,
    /// It was sealed at another place, or in another chain.
    #[error("it stands in another order than it was recorded in")]
    Reordered,
    /// It and all that follow are missing, although a checkpoint covers it.
    #[error("it and all after it were cut off, although a checkpoint covers them")]
    Truncated,
    /// The whole chain is missing, although a checkpoint names it.
    #[error("it and its whole chain are missing, although a checkpoint names the chain")]
    Vanished,
    /// The events up to here fit each other, but a checkpoint says otherwise.
    #[error("the chain up to here was made anew: a checkpoint has another hash for this event")]
    Rewritten,
    /// A checkpoint, or the record of a prune, is not signed by its key, or does not belong here.
    #[error("the checkpoint or prune record there is forged")]
    Forged,
}

/// Damage at a place where no event is to blame.
pub(super) const fn damaged(chain: Chain, event: u64, damage: Damage) -> Finding {
    Finding::Damaged { place: BadPlace { chain, event }, id: None, damage }
}
