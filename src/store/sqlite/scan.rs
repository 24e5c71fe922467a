//! Reads what an event is found by, row after row and without a copy: the claims and the seal stay where they are.

use std::ops::Range;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::column::text;
use crate::model::DecisionId;
use crate::store::column::{signed, timestamp, unsigned};
use crate::store::read::{Order, Take};
use crate::store::{Error, Searched};

/// Hands over the events of a range until it is told to stop.
pub(super) fn scan(
    connection: &Connection,
    order: Order,
    places: &Range<u64>,
    take: Take<'_>,
) -> Result<(), Error> {
    let order = match order {
        Order::OldestFirst => "",
        Order::NewestFirst => "DESC",
    };
    let mut statement = connection.prepare_cached(&format!(
        "SELECT sequence, id, time, open, personal FROM audit_journal \
         WHERE sequence >= ? AND sequence < ? ORDER BY sequence {order}"
    ))?;
    let mut rows = statement.query([signed(places.start), signed(places.end)])?;
    while let Some(row) = rows.next()? {
        if take(&searched(row)?).is_break() {
            break;
        }
    }
    Ok(())
}

/// The place of a decision within a range, found by looking at each.
pub(super) fn place_of(
    connection: &Connection,
    id: DecisionId,
    places: &Range<u64>,
) -> Result<Option<u64>, Error> {
    let place: Option<i64> = connection
        .prepare_cached(
            "SELECT sequence FROM audit_journal WHERE sequence >= ? AND sequence < ? AND id = ? LIMIT 1",
        )?
        .query_row(params![signed(places.start), signed(places.end), id.as_bytes()], |row| {
            row.get(0)
        })
        .optional()?;
    Ok(place.map(unsigned))
}

fn searched<'a>(row: &'a Row<'_>) -> rusqlite::Result<Searched<'a>> {
    let id = row.get_ref(1)?.as_blob()?.try_into().map_err(|_| rusqlite::Error::InvalidQuery)?;
    Ok(Searched {
        sequence: unsigned(row.get(0)?),
        id: DecisionId::from_bytes(id),
        time: timestamp(row.get(2)?),
        open: text(row, 3).unwrap_or_default(),
        personal: text(row, 4).unwrap_or_default(),
    })
}
