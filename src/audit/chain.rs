//! The hash chain: how an event is sealed, so that no change goes unseen and who called can still be withheld.
//!
//! The format, version 1. Numbers are big-endian; `‖` joins; every domain ends with a zero byte.
//!
//! ```text
//! claims     = 0: u8 without claims, otherwise 1: u8 ‖ SHA-256(JSON of the claims)
//! commitment = SHA-256("dockpass.audit.personal.v1\0" ‖ salt ‖ claims ‖ personal)
//! hash       = SHA-256("dockpass.audit.event.v1\0" ‖ previous ‖ sequence: u64 ‖ id: 16 bytes ‖ time: i64, nanoseconds since 1970
//!                      ‖ commitment ‖ open)
//! ```
//!
//! - `open` and `personal` are the exact bytes of two JSON objects, what everybody may see and who called: nothing is normalised, so a
//!   copy must keep the bytes.
//! - `salt` is 16 random bytes an event; `previous` the hash of the event before. Before the first of a chain stand zeros, or in chain `n` > 0
//!   `SHA-256("dockpass.audit.chain.v1\0" ‖ n: u32)`: so no event can be moved to the start of another chain.
//! - Claims are kept once per content, by their hash.
//! - To withhold who called, an export gives the commitment in place of the salt, `personal` and the claims: without the salt, the
//!   commitment cannot be searched for what it stands for.

use aws_lc_rs::{digest, rand};
use jiff::Timestamp;

use super::fields::Fields;
use crate::model::{Claims, DecisionId};
use crate::store::{ChainHead, JournalRow, nanoseconds};

const PERSONAL_DOMAIN: &[u8] = b"dockpass.audit.personal.v1\0";
const EVENT_DOMAIN: &[u8] = b"dockpass.audit.event.v1\0";

/// SHA-256, the only hash of the chain.
pub(super) type Hash = [u8; 32];

/// What makes a commitment unguessable.
pub(super) type Salt = [u8; 16];

/// An event with all that can be computed before its place in the chain is known.
pub(super) struct Prepared {
    fields: Fields,
    salt: Salt,
    commitment: Hash,
}

impl Prepared {
    /// Prepares an event under a new salt.
    pub(super) fn new(fields: Fields) -> Self {
        let mut salt = Salt::default();
        fill(&mut salt);
        Self::with_salt(fields, salt)
    }

    /// Prepares several events, each under a salt of its own: one call of the random number generator costs as much as all its work.
    pub(super) fn all(events: impl ExactSizeIterator<Item = Fields>) -> Vec<Self> {
        let mut salts = vec![Salt::default(); events.len()];
        fill(salts.as_flattened_mut());
        events.zip(salts).map(|(fields, salt)| Self::with_salt(fields, salt)).collect()
    }

    fn with_salt(fields: Fields, salt: Salt) -> Self {
        let claims = fields.claims.as_ref().map(Claims::hash);
        let commitment = commitment(&salt, claims, fields.body.personal());
        Self { fields, salt, commitment }
    }

    /// Takes its place after `head`.
    pub(super) fn after(self, head: ChainHead) -> JournalRow {
        let sequence = head.sequence.saturating_add(1);
        let place = Place { previous: head.hash, sequence };
        let Self { fields: Fields { id, time, body, claims }, salt, commitment } = self;
        let hash = event_hash(&place, id, time, &commitment, body.open());
        JournalRow { sequence, id, time, salt, body, claims, hash }
    }
}

fn fill(salts: &mut [u8]) {
    // INVARIANT: aws-lc's generator does not fail once it is seeded; were it to, callers could be guessed, but no damage hidden
    let filled = rand::fill(salts);
    debug_assert!(filled.is_ok(), "the random number generator failed");
}

/// Where an event stands.
pub(super) struct Place {
    /// The hash of the event before.
    pub(super) previous: Hash,
    /// Its number.
    pub(super) sequence: u64,
}

/// Commits to who called.
pub(super) fn commitment(salt: &Salt, claims: Option<&Hash>, personal: &str) -> Hash {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(PERSONAL_DOMAIN);
    context.update(salt);
    match claims {
        None => context.update(&[0]),
        Some(hash) => {
            context.update(&[1]);
            context.update(hash);
        }
    }
    context.update(personal.as_bytes());
    array(context.finish().as_ref())
}

/// The hash of an event.
pub(super) fn event_hash(
    place: &Place,
    id: DecisionId,
    time: Timestamp,
    commitment: &Hash,
    open: &str,
) -> Hash {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(EVENT_DOMAIN);
    context.update(&place.previous);
    context.update(&place.sequence.to_be_bytes());
    context.update(id.as_bytes());
    context.update(&nanoseconds(time).to_be_bytes());
    context.update(commitment);
    context.update(open.as_bytes());
    array(context.finish().as_ref())
}

/// SHA-256 of some bytes.
pub(super) fn sha256(bytes: &[u8]) -> Hash {
    array(digest::digest(&digest::SHA256, bytes).as_ref())
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
    use super::super::{Event, Kind, Record};
    use super::*;
    use crate::store::Chain;

    fn event() -> Fields {
        let id = DecisionId::from_bytes([0x11; 16]);
        let mut event = Event::new(id, "2026-03-01T12:00:00.5Z".parse().unwrap(), Kind::Check);
        event.peer = Some("192.0.2.7".to_owned());
        event.claims = json!({"sub": "me", "n": 1.5}).as_object().map(Claims::of);
        Fields::of(&event)
    }

    /// Computed apart from this program, with Python's hashlib: the format must never change under version 1.
    #[test]
    fn the_format_is_pinned() {
        let head = ChainHead { sequence: 41, hash: [0x22; 32] };
        let row = Prepared::with_salt(event(), [0x33; 16]).after(head);
        assert_eq!(row.sequence, 42);
        assert_eq!(
            (row.body.open(), row.body.personal()),
            (r#"{"kind":"check"}"#, r#"{"peer":"192.0.2.7"}"#)
        );
        assert_eq!(
            Hex(row.hash).to_string(),
            "951faa617e0f6df45bcae64a16610490bdfaf865bbdeb832db11817e58e1d8a4"
        );
        assert!(Record::of(Chain(0), row).follows(head));
        let row = Prepared::with_salt(Fields { claims: None, ..event() }, [0x33; 16]).after(head);
        assert_eq!(
            Hex(row.hash).to_string(),
            "ca5a1758d8e02b5d729e6bd7dbcfbe75f981ffcd32519993f78e4f91714c288e"
        );
    }

    #[test]
    fn the_same_event_is_sealed_under_another_salt_each_time() {
        let mut all = Prepared::all([event(), event()].into_iter());
        all.push(Prepared::new(event()));
        let rows: Vec<_> = all.into_iter().map(|one| one.after(ChainHead::default())).collect();
        for (one, other) in [(0, 1), (1, 2), (2, 0)] {
            assert_ne!(rows[one].salt, rows[other].salt);
            assert_ne!(rows[one].hash, rows[other].hash);
        }
    }
}
