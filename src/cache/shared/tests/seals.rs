//! Whatever stands on Redis, nobody gets a value of another key, and nobody fails.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;
use proptest::prelude::*;

use super::support::{Got, PATIENT, Raw, Replica, Ticket, Upstream, Want, key, now, ring};
use crate::cache::shared::Name;
use crate::cache::shared::envelope::{Envelope, Fence};
use crate::cache::{Opened, Shareable, Sharing};
use crate::seal::{KeyRing, private_file};

const SHARED: [Sharing; 2] = [Sharing::Values, Sharing::Mints];

fn ticket(key: [u8; 32]) -> Ticket {
    Ticket { key, number: 7, end: now() + SignedDuration::from_mins(15) }
}

fn sealed(envelope: &Envelope, key: [u8; 32]) -> Vec<u8> {
    envelope.seal(&Name::new(&key), &Fence::none(), &ticket(key)).unwrap()
}

/// A ring of the keys of these bytes, the first seals.
fn ring_of(keys: &[u8]) -> Arc<KeyRing> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("seal.keys");
    let lines: Vec<_> = keys.iter().map(|byte| STANDARD.encode([*byte; 32])).collect();
    private_file::create(&path, &lines.join("\n")).unwrap();
    Arc::new(KeyRing::load(&path).unwrap())
}

#[tokio::test]
async fn g3_a_value_that_was_moved_to_another_key_is_a_miss_there() {
    let ring = ring();
    for sharing in SHARED {
        let (one, two) = (Replica::up(&ring, PATIENT).await, Replica::up(&ring, PATIENT).await);
        let (upstream, mut raw) = (Upstream::default(), Raw::to_redis().await);
        let (first, second) =
            (Want::new(key(), &upstream, sharing), Want::new(key(), &upstream, sharing));
        one.settle(&first).await;
        let bytes = raw.value(&first.key).await.unwrap();
        raw.put(&second.key, &bytes).await;
        assert_eq!(two.settle(&second).await, Got { number: 2, reused: false });
        // what was minted took its place
        assert_eq!(one.get(&second).await, Ok(Got { number: 2, reused: true }));
    }
}

#[tokio::test]
async fn g3_a_value_that_is_put_back_after_it_was_replaced_is_judged_anew() {
    let (ring, upstream, mut raw) = (ring(), Upstream::default(), Raw::to_redis().await);
    for sharing in SHARED {
        let (one, two) = (Replica::up(&ring, PATIENT).await, Replica::up(&ring, PATIENT).await);
        let mut want = Want::new(key(), &upstream, sharing);
        let replaced = one.settle(&want).await.number;
        let bytes = raw.value(&want.key).await.unwrap();
        let revoked = [replaced];
        want.revoked = &revoked;
        one.settle(&want).await;
        raw.put(&want.key, &bytes).await;
        let got = two.settle(&want).await;
        assert!(got.number > replaced && !got.reused, "{got:?}");
    }
}

#[tokio::test]
async fn g3_a_value_of_an_old_key_opens_while_the_key_is_in_the_ring() {
    let (upstream, mut rings) =
        (Upstream::default(), [&[1][..], &[2, 1], &[2]].map(ring_of).into_iter());
    let mut next = || rings.next().unwrap();
    let (old, rotated, new) = (next(), next(), next());
    let want = Want::new(key(), &upstream, Sharing::Values);
    Replica::up(&old, PATIENT).await.settle(&want).await;
    let rotated = Replica::up(&rotated, PATIENT).await;
    assert_eq!(rotated.settle(&want).await, Got { number: 1, reused: true });
    let new = Replica::up(&new, PATIENT).await;
    assert_eq!(new.settle(&want).await, Got { number: 2, reused: false }, "the key left the ring");
    rotated.forget(|_| true);
    assert_eq!(
        rotated.settle(&want).await,
        Got { number: 2, reused: true },
        "the new key is in both"
    );
}

#[tokio::test]
async fn g3_rubbish_of_any_type_is_a_miss_and_is_replaced() {
    let ring = ring();
    for sharing in SHARED {
        let (one, two) = (Replica::up(&ring, PATIENT).await, Replica::up(&ring, PATIENT).await);
        let (upstream, mut raw) = (Upstream::default(), Raw::to_redis().await);
        let long = vec![b'9'; 4 * Envelope::MAX_LEN];
        let texts = [&b""[..], b"x", b"9999999999999999", b"0000000000000000", &[0; 44], &long];
        for (number, text) in (1_u64..).zip(texts) {
            let want = Want::new(key(), &upstream, sharing);
            raw.put(&want.key, text).await;
            assert_eq!(one.settle(&want).await, Got { number, reused: false });
            assert_eq!(two.settle(&want).await, Got { number, reused: true }, "{text:?}");
        }
        let want = Want::new(key(), &upstream, sharing);
        let name = Name::new(&want.key);
        raw.run::<()>(&[b"RPUSH", name.value().as_bytes(), b"a list"]).await;
        let got = one.settle(&want).await;
        assert_eq!(two.settle(&want).await, Got { reused: true, ..got });
    }
}

/// A ticket in a newer form.
struct Newer(Ticket);

impl crate::cache::Expires for Newer {
    fn issue_time(&self) -> jiff::Timestamp {
        now()
    }

    fn expire_time(&self) -> jiff::Timestamp {
        self.0.end
    }
}

impl Shareable for Newer {
    const FORM: &'static str = "ticket 2";

    fn to_bytes(&self) -> Option<zeroize::Zeroizing<Vec<u8>>> {
        self.0.to_bytes()
    }

    fn from_bytes(opened: &Opened) -> Option<Self> {
        Ticket::from_bytes(opened).map(Self)
    }
}

#[test]
fn g3_a_value_in_an_old_form_does_not_open() {
    let (envelope, name) = (Envelope::new(ring()), Name::new(&[1; 32]));
    let bytes = sealed(&envelope, [1; 32]);
    assert!(envelope.open::<Newer>(&name, &bytes).is_none());
    assert_eq!(envelope.open::<Ticket>(&name, &bytes), Some(ticket([1; 32])));
}

#[test]
fn promise_5_nothing_of_a_value_can_be_read() {
    let bytes = sealed(&Envelope::new(ring()), *b"a canary that is long to be seen");
    assert!(
        !bytes
            .windows(8)
            .any(|part| b"a canary that is long to be seen".windows(8).any(|w| w == part))
    );
}

/// What could stand under a key: bytes by chance, or values of ours, changed, cut, joined, or of another key.
fn standing() -> impl Strategy<Value = Standing> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..200).prop_map(Standing::Rubbish),
        any::<u8>().prop_map(Standing::Of),
        (any::<u8>(), any::<prop::sample::Index>(), 1_u8..)
            .prop_map(|(of, at, by)| Standing::Flipped(of, at, by)),
        (any::<u8>(), any::<prop::sample::Index>()).prop_map(|(of, at)| Standing::Cut(of, at)),
        (any::<u8>(), any::<u8>(), any::<prop::sample::Index>())
            .prop_map(|(one, two, at)| Standing::Joined(one, two, at)),
    ]
}

#[derive(Clone, Debug)]
enum Standing {
    Rubbish(Vec<u8>),
    Of(u8),
    Flipped(u8, prop::sample::Index, u8),
    Cut(u8, prop::sample::Index),
    Joined(u8, u8, prop::sample::Index),
}

proptest! {
    #[test]
    fn g3_whatever_stands_there_never_a_value_of_another_key(own in any::<u8>(), standing in standing()) {
        let envelope = Envelope::new(ring_of(&[1]));
        let of = |key: u8| sealed(&envelope, [key; 32]);
        let bytes = match standing {
            Standing::Rubbish(bytes) => bytes,
            Standing::Of(key) => of(key),
            Standing::Flipped(key, at, by) => {
                let mut bytes = of(key);
                let at = at.index(bytes.len());
                bytes[at] ^= by;
                bytes
            }
            Standing::Cut(key, at) => of(key)[at.index(60)..].to_vec(),
            Standing::Joined(one, two, at) => {
                let at = at.index(60);
                [&of(one)[..at], &of(two)[at..]].concat()
            }
        };
        if let Some(found) = envelope.open::<Ticket>(&Name::new(&[own; 32]), &bytes) {
            prop_assert_eq!(found, ticket([own; 32]));
        }
    }
}
