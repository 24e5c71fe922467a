//! Writes the journal as JSON lines that verify without the store: a header for each chain, events with their salts and claims, checkpoints.

use std::io::Write;

use serde_json::value::RawValue;

use super::chain::commitment;
use super::hex::Hex;
use super::line::{EventLine, Header, Line, VERSION};
use super::trail::{Item, Trail};
use super::{Archive, ArchiveError};
use crate::model::Claims;
use crate::store::{Chain, JournalRow};

/// What an export shows.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Disclosure {
    /// Everything.
    #[default]
    Full,
    /// Not who called: identity, claims and address are reduced to a commitment. It verifies all the same.
    Redacted,
}

impl Archive {
    /// Writes all events and checkpoints, and returns how many events. Blocking, in constant memory.
    ///
    /// # Errors
    /// The journal cannot be read, or the lines not be written.
    pub fn export(&self, out: &mut dyn Write, disclosure: Disclosure) -> Result<u64, ArchiveError> {
        let mut events: u64 = 0;
        for item in Trail::open(self)? {
            let line = match item? {
                Item::Start(chain, head, pruned) => Line::Export(Header {
                    version: VERSION,
                    chain,
                    sequence: head.sequence,
                    hash: Hex(head.hash),
                    pruned: pruned.map(|record| *record),
                }),
                Item::Checkpoint(checkpoint) => Line::Checkpoint(*checkpoint),
                Item::Event(chain, previous, row) => {
                    events = events.saturating_add(1);
                    Line::Event(event_line(chain, previous, &row, disclosure)?)
                }
            };
            serde_json::to_writer(&mut *out, &line).map_err(unwritten)?;
            out.write_all(b"\n").map_err(unwritten)?;
        }
        out.flush().map_err(unwritten)?;
        Ok(events)
    }
}

pub(super) fn event_line(
    chain: Chain,
    previous: [u8; 32],
    row: &JournalRow,
    disclosure: Disclosure,
) -> Result<EventLine, ArchiveError> {
    let raw = |json: &str| -> Result<Box<RawValue>, ArchiveError> {
        serde_json::from_str(json)
            .map_err(|error| ArchiveError(format!("event {} is damaged: {error}", row.sequence)))
    };
    let mut line = EventLine {
        chain,
        sequence: row.sequence,
        id: row.id,
        time: row.time,
        previous: Hex(previous),
        open: raw(row.body.open())?,
        personal: None,
        claims: None,
        salt: None,
        withheld: None,
        hash: Hex(row.hash),
    };
    let (claims, personal) = (row.claims.as_ref(), row.body.personal());
    match disclosure {
        Disclosure::Full => {
            line.personal = Some(raw(personal)?);
            line.claims = claims.map(|claims| raw(claims.json())).transpose()?;
            line.salt = Some(Hex(row.salt));
        }
        // with the salt, the commitment would be open to guessing
        Disclosure::Redacted => {
            line.withheld = Some(Hex(commitment(&row.salt, claims.map(Claims::hash), personal)));
        }
    }
    Ok(line)
}

fn unwritten(error: impl std::fmt::Display) -> ArchiveError {
    ArchiveError(format!("the export cannot be written: {error}"))
}
