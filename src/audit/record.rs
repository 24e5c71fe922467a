//! One event as it is verified: its place, its commitments, its hash.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use super::chain::{EventSalt, Hash, Place, commitments, event_hash, sha256};
use super::hex::Hex;
use super::trail::Item;
use super::verify::Entry;
use crate::model::DecisionId;
use crate::store::{ChainHead, JournalRow};

/// One event as it is verified.
#[derive(Clone, Debug)]
pub struct Record {
    /// The place that it claims.
    pub(super) sequence: u64,
    /// The decision.
    pub(super) id: DecisionId,
    time: Timestamp,
    /// The hash of the event before, where the source tells.
    pub(super) previous: Option<Hash>,
    /// `None` when the fields are damaged by themselves.
    commitments: Option<BTreeMap<String, Hash>>,
    /// The hash that it claims.
    pub(super) hash: Hash,
}

impl Record {
    pub(super) fn new(
        place: (u64, Option<Hash>),
        id: DecisionId,
        time: Timestamp,
        commitments: Option<BTreeMap<String, Hash>>,
        hash: Hash,
    ) -> Self {
        let (sequence, previous) = place;
        Self { sequence, id, time, previous, commitments, hash }
    }

    /// True when it is what was sealed after `head`, whatever place it claims.
    pub(super) fn follows(&self, head: ChainHead) -> bool {
        let Some(commitments) = &self.commitments else { return false };
        let place = Place { previous: head.hash, sequence: head.sequence.saturating_add(1) };
        let commitments = commitments.iter().map(|(name, hash)| (name.as_str(), hash));
        event_hash(&place, self.id, self.time, commitments) == self.hash
    }
}

impl From<&JournalRow> for Record {
    fn from(row: &JournalRow) -> Self {
        let salt = EventSalt::new(&row.salt);
        let claims = row.claims.as_ref().map(|(hash, body)| (*hash, body.as_slice()));
        let fields = std::str::from_utf8(&row.body)
            .ok()
            .filter(|body| claims_fit(body, claims))
            .and_then(|body| commitments(body, |name| Some(salt.of(name))));
        Self::new((row.sequence, None), row.id, row.time, fields, row.hash)
    }
}

impl From<&Item> for Entry {
    fn from(item: &Item) -> Self {
        match item {
            Item::Start(head, record) => Self::Start(*head, record.clone()),
            // the store does not keep the hash of the event before: here it says nothing new
            Item::Event(_, row) => Self::Event(Box::new(Record::from(&**row))),
            Item::Checkpoint(checkpoint) => Self::Checkpoint(checkpoint.clone()),
        }
    }
}

/// True when the field `claimsHash` names exactly the claims that are there, or there is neither.
pub(super) fn claims_fit(fields: &str, claims: Option<(Hash, &[u8])>) -> bool {
    let Ok(fields) = serde_json::from_str::<ClaimsHash<'_>>(fields) else { return false };
    match (fields.claims_hash, claims) {
        (None, None) => true,
        (Some(named), Some((hash, body))) => named == Hex(hash).to_string() && sha256(body) == hash,
        _ => false,
    }
}

/// The only field that is read for it; the others are checked as bytes.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClaimsHash<'a> {
    claims_hash: Option<&'a str>,
}
