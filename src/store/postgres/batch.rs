//! Sealed events as the columns that one statement appends, without work for each row on the server's side.

use std::collections::HashMap;

use sqlx::Arguments;
use sqlx::error::BoxDynError;
use sqlx::postgres::PgArguments;

use crate::model::Claims;
use crate::store::column::{nanoseconds, signed};
use crate::store::{Chain, ChainHead, JournalRow};

/// How many hashes of stored claims are remembered: some thousand jobs.
const REMEMBERED_CLAIMS: usize = 16 << 10;
/// Claims are stored anew for each so many events, so that a prune knows which of them nobody refers to any more.
const BLOCK: u64 = 1 << 16;

/// Some events in columns.
#[derive(Debug, Default)]
pub(super) struct Batch<'a> {
    after: i64,
    times: Vec<i64>,
    seals: Vec<Vec<u8>>,
    claims_places: Vec<Option<i64>>,
    claims_hashes: Vec<Option<&'a [u8]>>,
    opens: Vec<&'a str>,
    personals: Vec<&'a str>,
    new_places: Vec<i64>,
    new_bodies: Vec<&'a str>,
}

impl<'a> Batch<'a> {
    /// Events that follow `head`. What they add to the claims that are stored is remembered.
    pub(super) fn new(head: ChainHead, rows: &'a [JournalRow], known: &mut KnownClaims) -> Self {
        let mut batch = Self { after: signed(head.sequence), ..Self::default() };
        for row in rows {
            batch.add(row, known);
        }
        batch
    }

    fn add(&mut self, row: &'a JournalRow, known: &mut KnownClaims) {
        self.times.push(nanoseconds(row.time));
        self.seals.push([row.id.as_bytes().as_slice(), &row.salt, &row.hash].concat());
        let place = row.claims.as_ref().map(|claims| known.place(claims, row.sequence));
        if let (Some(place), Some(claims)) = (place, &row.claims)
            && place == row.sequence
        {
            self.new_places.push(signed(place));
            self.new_bodies.push(claims.json());
        }
        self.claims_places.push(place.map(signed));
        self.claims_hashes.push(row.claims.as_ref().map(|claims| claims.hash().as_slice()));
        self.opens.push(row.body.open());
        self.personals.push(row.body.personal());
    }

    /// The eleven last arguments of every function that appends, in their order.
    pub(super) fn add_to(
        &self,
        arguments: &mut PgArguments,
        chain: Chain,
        owner: &[u8],
    ) -> Result<(), BoxDynError> {
        arguments.add(number_of(chain))?;
        arguments.add(owner)?;
        arguments.add(self.after)?;
        arguments.add(&self.times)?;
        arguments.add(&self.seals)?;
        arguments.add(&self.claims_places)?;
        arguments.add(&self.claims_hashes)?;
        arguments.add(&self.opens)?;
        arguments.add(&self.personals)?;
        arguments.add(&self.new_places)?;
        arguments.add(&self.new_bodies)
    }
}

/// The number of a chain as the database has it.
pub(super) fn number_of(chain: Chain) -> i32 {
    // there are as many chains as there were replicas at once
    i32::try_from(chain.0).unwrap_or(i32::MAX)
}

/// The claims that are stored in the present block of the chain, by their SHA-256: the place of the first event that has them.
#[derive(Debug, Default)]
pub(super) struct KnownClaims {
    block: u64,
    places: HashMap<[u8; 32], u64>,
}

impl KnownClaims {
    /// Where the claims of the event at `sequence` are; there, when they are new.
    fn place(&mut self, claims: &Claims, sequence: u64) -> u64 {
        let block = sequence.saturating_sub(1) / BLOCK;
        if block != self.block || self.places.len() >= REMEMBERED_CLAIMS {
            self.forget();
            self.block = block;
        }
        *self.places.entry(*claims.hash()).or_insert(sequence)
    }

    /// Forgets all: whether the last ones were stored is not known, or it is another chain.
    pub(super) fn forget(&mut self) {
        self.places.clear();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn claims_are_stored_once_in_a_block_of_the_chain() {
        let claims = |subject: &str| Claims::of(json!({ "sub": subject }).as_object().unwrap());
        let mut known = KnownClaims::default();
        assert_eq!(known.place(&claims("a"), 65_534), 65_534);
        assert_eq!(known.place(&claims("a"), 65_535), 65_534);
        assert_eq!(known.place(&claims("b"), 65_536), 65_536);
        assert_eq!(known.place(&claims("b"), 65_537), 65_537, "the first event of the next block");
        assert_eq!(known.place(&claims("a"), 65_538), 65_538);
        known.forget();
        assert_eq!(known.place(&claims("a"), 65_539), 65_539);
    }
}
