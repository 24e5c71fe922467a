//! Writes the journal as JSON lines that verify without the store: a header, events with their salts and claims, checkpoints.

use std::collections::BTreeMap;
use std::io::Write;

use serde_json::value::RawValue;

use super::chain::{EventSalt, commitment};
use super::hex::Hex;
use super::line::{EventLine, Header, Line, VERSION};
use super::trail::{Item, Trail};
use super::{Archive, ArchiveError};
use crate::store::JournalRow;

/// Fields that tell who called: `claimsHash` stands for the claims.
const PERSONAL: [&str; 3] = ["claimsHash", "identity", "peer"];

/// What an export shows.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Disclosure {
    /// Everything.
    #[default]
    Full,
    /// Not who called: identity, claims and address are reduced to commitments. It verifies all the same.
    Redacted,
}

impl Archive {
    /// Writes all events and checkpoints, and returns how many events. Blocking, in constant memory.
    ///
    /// # Errors
    /// The journal cannot be read, or the lines not be written.
    pub fn export(&self, out: &mut dyn Write, disclosure: Disclosure) -> Result<u64, ArchiveError> {
        let mut events: u64 = 0;
        for item in Trail::open(self.reader()?)? {
            let line = match item? {
                Item::Start(head, pruned) => Line::Export(Header {
                    version: VERSION,
                    sequence: head.sequence,
                    hash: Hex(head.hash),
                    pruned: pruned.map(|record| *record),
                }),
                Item::Checkpoint(checkpoint) => Line::Checkpoint(*checkpoint),
                Item::Event(previous, row) => {
                    events = events.saturating_add(1);
                    Line::Event(event_line(previous, &row, disclosure)?)
                }
            };
            serde_json::to_writer(&mut *out, &line).map_err(unwritten)?;
            out.write_all(b"\n").map_err(unwritten)?;
        }
        out.flush().map_err(unwritten)?;
        Ok(events)
    }
}

fn event_line(
    previous: [u8; 32],
    row: &JournalRow,
    disclosure: Disclosure,
) -> Result<EventLine, ArchiveError> {
    let damaged = |error: serde_json::Error| {
        ArchiveError(format!("event {} is damaged: {error}", row.sequence))
    };
    let mut line = EventLine {
        sequence: row.sequence,
        id: row.id,
        time: row.time,
        previous: Hex(previous),
        salt: Some(Hex(row.salt)),
        salts: BTreeMap::new(),
        fields: serde_json::from_slice(&row.body).map_err(damaged)?,
        claims: None,
        withheld: BTreeMap::new(),
        hash: Hex(row.hash),
    };
    match (disclosure, &row.claims) {
        (Disclosure::Redacted, _) => redact(&mut line, &row.salt).map_err(damaged)?,
        (Disclosure::Full, Some((_, claims))) => {
            line.claims = Some(serde_json::from_slice(claims).map_err(damaged)?);
        }
        (Disclosure::Full, None) => {}
    }
    Ok(line)
}

/// Replaces personal fields by their commitments, and the event's salt, which would open them to guessing, by the salts of the others.
fn redact(line: &mut EventLine, salt: &[u8; 16]) -> Result<(), serde_json::Error> {
    let salts = EventSalt::new(salt);
    let all: BTreeMap<String, Box<RawValue>> = serde_json::from_str(line.fields.get())?;
    let mut given = BTreeMap::new();
    for (name, value) in all {
        let salt = salts.of(&name);
        if PERSONAL.contains(&name.as_str()) {
            let commitment = commitment(&salt, &name, value.get().as_bytes());
            line.withheld.insert(name, Hex(commitment));
        } else {
            line.salts.insert(name.clone(), Hex(salt));
            given.insert(name, value);
        }
    }
    line.salt = None;
    line.fields = serde_json::value::to_raw_value(&given)?;
    Ok(())
}

fn unwritten(error: impl std::fmt::Display) -> ArchiveError {
    ArchiveError(format!("the export cannot be written: {error}"))
}
