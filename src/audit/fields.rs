//! An event as the fields that its hash commits to one by one, and back.

use std::ops::Range;

use serde::Serialize;
use serde::de::Error as _;

use super::Event;
use super::hex::Hex;
use crate::store::JournalRow;

/// The fields of one event: a JSON object without white space, its members in the order of their names.
pub(super) struct Fields {
    json: Vec<u8>,
    values: Vec<(&'static str, Range<usize>)>,
}

impl Fields {
    /// All that is present, but id and time, which the hash covers themselves, and the claims, which are covered by their hash.
    pub(super) fn of(event: &Event, claims_hash: Option<[u8; 32]>) -> Self {
        // without `..`: a new field does not compile until it has its place here
        let Event {
            id: _,
            time: _,
            claims: _,
            kind,
            reason,
            detail,
            peer,
            trace,
            identity,
            supersedes,
            request,
            policy_revision,
            grant,
            change,
            count,
            usage,
        } = event;
        let mut fields = Self { json: Vec::with_capacity(1024), values: Vec::with_capacity(12) };
        fields.add("change", change.as_ref());
        fields.add("claimsHash", claims_hash.map(Hex).as_ref());
        fields.add("count", count.as_ref());
        fields.add("detail", detail.as_ref());
        fields.add("grant", grant.as_ref());
        fields.add("identity", identity.as_ref());
        fields.add("kind", Some(kind));
        fields.add("peer", peer.as_ref());
        fields.add("policyRevision", policy_revision.as_ref());
        fields.add("reason", reason.as_ref());
        fields.add("request", request.as_ref());
        fields.add("supersedes", supersedes.as_ref());
        fields.add("trace", trace.as_ref());
        fields.add("use", usage.as_ref());
        fields.json.push(b'}');
        fields
    }

    /// The JSON object.
    pub(super) fn into_json(self) -> Vec<u8> {
        self.json
    }

    /// Each field with the bytes of its value, in the order of the names.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'static str, &[u8])> {
        self.values
            .iter()
            .map(|(name, range)| (*name, self.json.get(range.clone()).unwrap_or_default()))
    }

    fn add<T: Serialize>(&mut self, name: &'static str, value: Option<&T>) {
        let Some(value) = value else { return };
        self.json.push(if self.json.is_empty() { b'{' } else { b',' });
        self.json.push(b'"');
        self.json.extend_from_slice(name.as_bytes());
        self.json.extend_from_slice(b"\":");
        let start = self.json.len();
        // INVARIANT: a Vec takes every byte, and all our maps have texts as keys
        if serde_json::to_writer(&mut self.json, value).is_err() {
            self.json.truncate(start);
            self.json.extend_from_slice(b"null");
        }
        self.values.push((name, start..self.json.len()));
    }
}

/// The event of a row.
///
/// # Errors
/// The row was damaged: with what is wrong.
pub(super) fn event_of(row: &JournalRow) -> Result<Event, serde_json::Error> {
    let mut event = event_without_claims(row)?;
    if let Some((_, claims)) = &row.claims {
        event.claims = Some(serde_json::from_slice(claims)?);
    }
    Ok(event)
}

/// As [`event_of`], for whoever does not look at the claims, which are most of the work.
pub(super) fn event_without_claims(row: &JournalRow) -> Result<Event, serde_json::Error> {
    let fields = row.body.strip_prefix(b"{");
    let fields = fields.ok_or_else(|| serde_json::Error::custom("it is no JSON object"))?;
    // read in one pass: the members that are columns are put before the others
    let mut json = Vec::with_capacity(fields.len().saturating_add(128));
    json.extend_from_slice(b"{\"id\":");
    serde_json::to_writer(&mut json, &row.id)?;
    json.extend_from_slice(b",\"time\":");
    serde_json::to_writer(&mut json, &row.time)?;
    if fields != b"}" {
        json.push(b',');
    }
    json.extend_from_slice(fields);
    serde_json::from_slice(&json)
}
