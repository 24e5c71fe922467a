//! The lines of an export, each one JSON object with one member that tells what it is.

use std::io::BufRead;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::ArchiveError;
use super::chain::{Hash, commitment, sha256};
use super::checkpoint::Checkpoint;
use super::hex::Hex;
use super::record::Record;
use super::verify::Entry;
use crate::model::DecisionId;
use crate::store::{Body, Chain, ChainHead};

/// The version of the format that is written and read.
pub(super) const VERSION: u32 = 1;
/// The longest line: an event is bounded by what a caller may send.
const LONGEST_LINE: u64 = 8 << 20;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Line {
    /// The first line of a chain.
    Export(Header),
    Event(EventLine),
    Checkpoint(Checkpoint),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Header {
    pub(super) version: u32,
    /// The chain; absent: the only one of an embedded store.
    #[serde(default, skip_serializing_if = "is_first")]
    pub(super) chain: Chain,
    /// The last event before the first of this export.
    pub(super) sequence: u64,
    /// Its hash; before the first of all, what the chain begins with.
    pub(super) hash: Hex<32>,
    /// The signed record of it, when events were pruned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) pruned: Option<Checkpoint>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct EventLine {
    /// The chain; absent: the only one of an embedded store.
    #[serde(default, skip_serializing_if = "is_first")]
    pub(super) chain: Chain,
    pub(super) sequence: u64,
    pub(super) id: DecisionId,
    pub(super) time: Timestamp,
    pub(super) previous: Hex<32>,
    /// What everybody may see.
    pub(super) open: Box<RawValue>,
    /// Who called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) personal: Option<Box<RawValue>>,
    /// The claims of who called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) claims: Option<Box<RawValue>>,
    /// The salt of the commitment to who called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) salt: Option<Hex<16>>,
    /// The commitment itself, where who called is withheld.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) withheld: Option<Hex<32>>,
    pub(super) hash: Hex<32>,
}

/// Reads an export line by line, for [`super::verify()`].
pub fn read_export(mut source: impl BufRead) -> impl Iterator<Item = Result<Entry, ArchiveError>> {
    let mut number: u64 = 0;
    let mut line = Vec::new();
    std::iter::from_fn(move || {
        number = number.saturating_add(1);
        line.clear();
        let read = std::io::Read::take(&mut source, LONGEST_LINE).read_until(b'\n', &mut line);
        let problem = |problem: String| ArchiveError(format!("line {number}: {problem}"));
        match read {
            Ok(0) => None,
            Ok(_) => Some(
                serde_json::from_slice(&line)
                    .map_err(|error| problem(error.to_string()))
                    .and_then(|line| entry(line).map_err(problem)),
            ),
            Err(error) => Some(Err(problem(error.to_string()))),
        }
    })
}

/// Chain 0 is not named: an export of an embedded store has no other.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_first(chain: &Chain) -> bool {
    *chain == Chain::default()
}

fn entry(line: Line) -> Result<Entry, String> {
    match line {
        Line::Export(header) if header.version != VERSION => {
            Err(format!("the export has version {}, this program reads {VERSION}", header.version))
        }
        Line::Export(header) => {
            let start = ChainHead { sequence: header.sequence, hash: header.hash.0 };
            Ok(Entry::Start(header.chain, start, header.pruned.map(Box::new)))
        }
        Line::Checkpoint(checkpoint) => Ok(Entry::Checkpoint(Box::new(checkpoint))),
        Line::Event(event) => Ok(Entry::Event(Box::new(record(&event)))),
    }
}

fn record(line: &EventLine) -> Record {
    Record {
        chain: line.chain,
        sequence: line.sequence,
        id: line.id,
        time: line.time,
        previous: Some(line.previous.0),
        body: Body::join(line.open.get(), ""),
        commitment: commitment_of(line),
        hash: line.hash.0,
    }
}

/// `None` when neither all that it takes is given, nor all of it withheld.
fn commitment_of(line: &EventLine) -> Option<Hash> {
    match (&line.salt, &line.personal, &line.claims, &line.withheld) {
        (Some(salt), Some(personal), claims, None) => {
            let claims = claims.as_ref().map(|claims| sha256(claims.get().as_bytes()));
            Some(commitment(&salt.0, claims.as_ref(), personal.get()))
        }
        (None, None, None, Some(withheld)) => Some(withheld.0),
        _ => None,
    }
}
