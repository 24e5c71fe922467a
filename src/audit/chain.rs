//! The hash chain: how an event is sealed, so that no change goes unseen and single fields can still be withheld.
//!
//! The format, version 1. Numbers are big-endian; `‖` joins; `len(x)` is a `u32`; every domain ends with a zero byte.
//!
//! ```text
//! salt_i       = HMAC-SHA256(key = salt, "dockpass.audit.salt.v1\0" ‖ name_i)
//! commitment_i = SHA-256("dockpass.audit.field.v1\0" ‖ salt_i ‖ len(name_i) ‖ name_i ‖ value_i)
//! hash         = SHA-256("dockpass.audit.event.v1\0" ‖ previous ‖ sequence: u64 ‖ id: 16 bytes ‖ time: i64, nanoseconds since 1970
//!                        ‖ number of fields: u32 ‖ for each, by name: len(name_i) ‖ name_i ‖ commitment_i)
//! ```
//!
//! - `salt` is 16 random bytes an event; `previous` the hash of the event before, zeros for the first.
//! - `name_i` and `value_i` are a member of the event's JSON object and the exact bytes of its value: nothing is normalised, so a copy
//!   must keep the bytes. The object has no white space, and its members stand in the order of their names, each once.
//! - Claims are kept once per content; the field `claimsHash` is the SHA-256 of their JSON in hexadecimal.
//! - To withhold a field, an export gives its commitment, and for all others `salt_i` in place of `salt`: the commitment of a withheld
//!   field cannot be searched for its value.

use std::collections::BTreeMap;

use aws_lc_rs::{digest, hmac, rand};
use jiff::Timestamp;
use serde_json::value::RawValue;

use super::Event;
use super::fields::Fields;
use crate::model::DecisionId;
use crate::store::{ChainHead, JournalRow, nanoseconds};

const SALT_DOMAIN: &[u8] = b"dockpass.audit.salt.v1\0";
const FIELD_DOMAIN: &[u8] = b"dockpass.audit.field.v1\0";
const EVENT_DOMAIN: &[u8] = b"dockpass.audit.event.v1\0";

/// SHA-256, the only hash of the chain.
pub(super) type Hash = [u8; 32];

/// An event with all that can be computed before its place in the chain is known.
pub(super) struct Prepared {
    id: DecisionId,
    time: Timestamp,
    salt: [u8; 16],
    body: Vec<u8>,
    claims: Option<(Hash, Vec<u8>)>,
    commitments: Vec<(&'static str, Hash)>,
}

impl Prepared {
    /// Prepares an event under a new salt.
    pub(super) fn new(event: &Event) -> Self {
        let mut salt = [0; 16];
        // INVARIANT: aws-lc's generator does not fail once it is seeded; were it to, fields could be guessed, but no damage hidden
        let filled = rand::fill(&mut salt);
        debug_assert!(filled.is_ok(), "the random number generator failed");
        Self::with_salt(event, salt)
    }

    fn with_salt(event: &Event, salt: [u8; 16]) -> Self {
        let claims = event.claims.as_ref().map(|claims| {
            // INVARIANT: the keys of a JSON object are texts, so it can be written
            let json = serde_json::to_vec(claims).unwrap_or_default();
            (sha256(&json), json)
        });
        let fields = Fields::of(event, claims.as_ref().map(|(hash, _)| *hash));
        let salts = EventSalt::new(&salt);
        let commitments = fields
            .iter()
            .map(|(name, value)| (name, commitment(&salts.of(name), name, value)))
            .collect();
        let (id, time) = (event.id, event.time);
        Self { id, time, salt, body: fields.into_json(), claims, commitments }
    }

    /// Takes its place after `head`.
    pub(super) fn after(self, head: ChainHead) -> JournalRow {
        let sequence = head.sequence.saturating_add(1);
        let place = Place { previous: head.hash, sequence };
        let commitments = self.commitments.iter().map(|(name, hash)| (*name, hash));
        let hash = event_hash(&place, self.id, self.time, commitments);
        let Self { id, time, salt, body, claims, .. } = self;
        JournalRow { sequence, id, time, salt, body, claims, hash }
    }
}

/// The salt of an event, from which those of its fields are derived.
pub(super) struct EventSalt(hmac::Key);

impl EventSalt {
    pub(super) fn new(salt: &[u8; 16]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, salt))
    }

    /// The salt of one field.
    pub(super) fn of(&self, name: &str) -> Hash {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(SALT_DOMAIN);
        context.update(name.as_bytes());
        array(context.sign().as_ref())
    }
}

/// Where an event stands.
pub(super) struct Place {
    /// The hash of the event before.
    pub(super) previous: Hash,
    /// Its number.
    pub(super) sequence: u64,
}

/// The commitments of a JSON object that was read back; `None` unless it is written exactly as [`Fields`] writes.
pub(super) fn commitments(
    json: &str,
    salt_of: impl Fn(&str) -> Option<Hash>,
) -> Option<BTreeMap<String, Hash>> {
    let fields: BTreeMap<&str, &RawValue> = serde_json::from_str(json).ok()?;
    let mut exact = String::with_capacity(json.len());
    let mut all = BTreeMap::new();
    for (name, value) in fields {
        exact.push(if exact.is_empty() { '{' } else { ',' });
        exact.extend(["\"", name, "\":", value.get()]);
        all.insert(name.to_owned(), commitment(&salt_of(name)?, name, value.get().as_bytes()));
    }
    exact.push('}');
    (exact == json).then_some(all)
}

/// Commits to one field.
pub(super) fn commitment(salt: &Hash, name: &str, value: &[u8]) -> Hash {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(FIELD_DOMAIN);
    context.update(salt);
    update_name(&mut context, name);
    context.update(value);
    array(context.finish().as_ref())
}

/// The hash of an event, given its commitments in the order of their names.
pub(super) fn event_hash<'a>(
    place: &Place,
    id: DecisionId,
    time: Timestamp,
    commitments: impl ExactSizeIterator<Item = (&'a str, &'a Hash)>,
) -> Hash {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(EVENT_DOMAIN);
    context.update(&place.previous);
    context.update(&place.sequence.to_be_bytes());
    context.update(id.as_bytes());
    context.update(&nanoseconds(time).to_be_bytes());
    context.update(&length(commitments.len()));
    for (name, hash) in commitments {
        update_name(&mut context, name);
        context.update(hash);
    }
    array(context.finish().as_ref())
}

/// SHA-256 of some bytes.
pub(super) fn sha256(bytes: &[u8]) -> Hash {
    array(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn update_name(context: &mut digest::Context, name: &str) {
    context.update(&length(name.len()));
    context.update(name.as_bytes());
}

fn length(length: usize) -> [u8; 4] {
    // INVARIANT: no name is 4 GiB long
    u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes()
}

fn array(bytes: &[u8]) -> Hash {
    let mut array = Hash::default();
    array.copy_from_slice(bytes);
    array
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::hex::Hex;
    use super::super::{Kind, Record};
    use super::*;

    fn event() -> Event {
        let id = DecisionId::from_bytes([0x11; 16]);
        let mut event = Event::new(id, "2026-03-01T12:00:00.5Z".parse().unwrap(), Kind::Check);
        event.peer = Some("192.0.2.7".to_owned());
        event.claims = json!({"sub": "me", "n": 1.5}).as_object().cloned();
        event
    }

    /// Computed apart from this program, with Python's hashlib and hmac: the format must never change under version 1.
    #[test]
    fn the_format_is_pinned() {
        let head = ChainHead { sequence: 41, hash: [0x22; 32] };
        let row = Prepared::with_salt(&event(), [0x33; 16]).after(head);
        assert_eq!(row.sequence, 42);
        assert_eq!(
            String::from_utf8(row.body.clone()).unwrap(),
            r#"{"claimsHash":"a13390436281b70aabaeffff4597986c848a6e9ec0d120edf58a12b641a57112","kind":"check","peer":"192.0.2.7"}"#
        );
        assert_eq!(
            Hex(row.hash).to_string(),
            "f84789dac438696e584ea0ce18fc80a858002bb9fc62c506529d62fe47a603b1"
        );
        assert!(Record::from(&row).follows(head));
    }

    #[test]
    fn the_same_event_is_sealed_under_another_salt_each_time() {
        let head = ChainHead::default();
        let [one, two] = [(); 2].map(|()| Prepared::new(&event()).after(head));
        assert_ne!(one.salt, two.salt);
        assert_ne!(one.hash, two.hash);
    }

    #[test]
    fn only_the_exact_bytes_are_read_back() {
        let salts = EventSalt::new(&[0; 16]);
        assert!(commitments(r#"{"a":1,"b":[1,2]}"#, |name| Some(salts.of(name))).is_some());
        for other in [
            r#"{"b":[1,2],"a":1}"#,
            r#"{"a":1, "b":2}"#,
            r#"{"a":1,"a":1}"#,
            r#"{"\u0061":1}"#,
            "[]",
            "",
        ] {
            assert!(commitments(other, |name| Some(salts.of(name))).is_none(), "{other}");
        }
    }
}
