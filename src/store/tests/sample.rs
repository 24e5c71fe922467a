//! What the tests put into stores.

use crate::model::{DecisionId, Definitions, ScopeMap, Status, Text, Token, TokenUid};
use crate::store::{Appended, Body, ChainHead, Error, JournalRow, JournalWriter, Seal, Store};
use jiff::Timestamp;

pub(in crate::store) fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

/// An event of a transaction: the store does not look into it.
pub(in crate::store) fn seal() -> Seal<'static> {
    Box::new(|head| vec![row_after(head)])
}

pub(in crate::store) fn scope_map(name: &str, description: &str, revision: u64) -> ScopeMap {
    ScopeMap {
        registry: "prod".parse().unwrap(),
        name: name.parse().unwrap(),
        description: description.into(),
        owner: Text::new(),
        permissions: std::iter::empty().collect(),
        max_lifetime: None,
        system: false,
        revision,
        create_time: now(),
        update_time: now(),
        updated_by: "admin".into(),
    }
}

pub(in crate::store) fn token(name: &str, revision: u64) -> Token {
    Token {
        uid: TokenUid::new(now()),
        registry: "prod".parse().unwrap(),
        name: name.parse().unwrap(),
        scope_map: "scope-one".parse().unwrap(),
        status: Status::Enabled,
        description: Text::new(),
        owner: Text::new(),
        expire_time: None,
        passwords: Vec::new(),
        federated_credentials: Vec::new(),
        revision,
        create_time: now(),
        update_time: now(),
        updated_by: "admin".into(),
    }
}

pub(in crate::store) async fn replace(
    store: &Store,
    after: &Definitions,
) -> Result<Appended, Error> {
    store.replace_definitions(after.clone(), "admin".to_owned(), now(), seal()).await
}

/// Puts so many tokens and large scope maps there.
pub(in crate::store) async fn definitions_of(store: &Store, count: usize) {
    let name = |number: usize| format!("name-{number:04}");
    let large = "x".repeat(600 << 10);
    let definitions = Definitions {
        revision: 1,
        scope_maps: (0..count.min(3)).map(|n| scope_map(&name(n), &large, 1)).collect(),
        tokens: (0..count).rev().map(|n| token(&name(n), 1)).collect(),
    };
    replace(store, &definitions).await.unwrap();
}

/// The event after `head`; all of it but its id follows from its place.
pub(in crate::store) fn row_after(head: ChainHead) -> JournalRow {
    let sequence = head.sequence + 1;
    JournalRow {
        sequence,
        id: DecisionId::new(now()),
        time: now() + jiff::SignedDuration::from_secs(i64::try_from(sequence).unwrap()),
        salt: [u8::try_from(sequence % 199).unwrap(); 16],
        body: Body::join(&format!("{{\"n\":{sequence}}}"), "{\"é\":\"\\u0000\"}"),
        claims: None,
        hash: hash_after(head),
    }
}

/// A hash that depends on the one before, as that of a chain does.
fn hash_after(head: ChainHead) -> [u8; 32] {
    let mut hash = head.hash.map(|byte| byte.wrapping_mul(31).wrapping_add(7));
    hash[..8].copy_from_slice(&(head.sequence + 1).to_be_bytes());
    hash
}

/// Some events after each other.
pub(in crate::store) fn rows_after(mut head: ChainHead, count: usize) -> Vec<JournalRow> {
    let next = || {
        let row = row_after(head);
        head = row.head();
        row
    };
    std::iter::repeat_with(next).take(count).collect()
}

/// Appends some events, and returns them.
pub(in crate::store) fn append(writer: &mut JournalWriter, count: usize) -> Vec<JournalRow> {
    let mut rows = Vec::new();
    let seal = |head| {
        rows = rows_after(head, count);
        rows.clone()
    };
    writer.append(Box::new(seal)).unwrap();
    rows
}
