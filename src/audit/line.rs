//! The lines of an export, each one JSON object with one member that tells what it is.

use std::collections::BTreeMap;
use std::io::BufRead;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::ArchiveError;
use super::chain::{EventSalt, Hash, commitments, sha256};
use super::checkpoint::Checkpoint;
use super::hex::Hex;
use super::record::{Record, claims_fit};
use super::verify::Entry;
use crate::model::DecisionId;
use crate::store::ChainHead;

/// The version of the format that is written and read.
pub(super) const VERSION: u32 = 1;
/// The longest line: an event is bounded by what a caller may send.
const LONGEST_LINE: u64 = 8 << 20;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Line {
    /// The first line.
    Export(Header),
    Event(EventLine),
    Checkpoint(Checkpoint),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Header {
    pub(super) version: u32,
    /// The last event before the first of this export.
    pub(super) sequence: u64,
    /// Its hash; zeros before the first of all.
    pub(super) hash: Hex<32>,
    /// The signed record of it, when events were pruned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) pruned: Option<Checkpoint>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct EventLine {
    pub(super) sequence: u64,
    pub(super) id: DecisionId,
    pub(super) time: Timestamp,
    pub(super) previous: Hex<32>,
    /// The salt of the event; absent when fields are withheld.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) salt: Option<Hex<16>>,
    /// The salts of the fields that are given, when others are withheld.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) salts: BTreeMap<String, Hex<32>>,
    pub(super) fields: Box<RawValue>,
    /// The claims that the field `claimsHash` names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) claims: Option<Box<RawValue>>,
    /// The commitments of the fields that are withheld.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) withheld: BTreeMap<String, Hex<32>>,
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

fn entry(line: Line) -> Result<Entry, String> {
    match line {
        Line::Export(header) if header.version != VERSION => {
            Err(format!("the export has version {}, this program reads {VERSION}", header.version))
        }
        Line::Export(header) => {
            let start = ChainHead { sequence: header.sequence, hash: header.hash.0 };
            Ok(Entry::Start(start, header.pruned.map(Box::new)))
        }
        Line::Checkpoint(checkpoint) => Ok(Entry::Checkpoint(Box::new(checkpoint))),
        Line::Event(event) => Ok(Entry::Event(Box::new(record(&event)))),
    }
}

fn record(line: &EventLine) -> Record {
    let place = (line.sequence, Some(line.previous.0));
    Record::new(place, line.id, line.time, all_commitments(line), line.hash.0)
}

/// Of the fields that are given and of those that are withheld; `None` when they are damaged by themselves.
fn all_commitments(line: &EventLine) -> Option<BTreeMap<String, Hash>> {
    let fields = line.fields.get();
    let claims = line.claims.as_ref().map(|claims| claims.get().as_bytes());
    if !claims_fit(fields, claims.map(|claims| (sha256(claims), claims))) {
        return None;
    }
    let mut all = match &line.salt {
        Some(_) if !line.salts.is_empty() => return None,
        Some(salt) => {
            let salt = EventSalt::new(&salt.0);
            commitments(fields, |name| Some(salt.of(name)))?
        }
        None => commitments(fields, |name| line.salts.get(name).map(|salt| salt.0))?,
    };
    for (name, commitment) in &line.withheld {
        if all.insert(name.clone(), commitment.0).is_some() {
            return None;
        }
    }
    Some(all)
}
