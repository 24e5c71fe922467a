//! The bytes of a value on Redis: a fence, then the sealed value.

use std::sync::Arc;

use tokio::time::Instant;
use zeroize::Zeroizing;

use super::alarm::Alarm;
use super::name::Name;
use crate::cache::{Opened, Shareable};
use crate::seal::KeyRing;
use crate::telemetry::metrics;

/// Seals values and opens them, each bound to its kind and its key.
#[derive(Debug)]
pub(super) struct Envelope {
    ring: Arc<KeyRing>,
    alarm: Alarm,
}

/// The number of a holder of the lock, as sixteen digits; a later holder's is greater. It begins at Redis's own time in microseconds, so
/// that none comes again after Redis lost all.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Fence(String);

/// The beginning of a value's bytes, by which one value is told from another.
#[derive(Clone, Debug, Default)]
pub(super) struct Stamp(Vec<u8>);

impl Fence {
    const LEN: usize = 16;

    /// In front of what was minted without the lock.
    pub(super) fn none() -> Self {
        Self("0".repeat(Self::LEN))
    }

    /// The fence that a script gave; `None` for anything else.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let digits = bytes.len() == Self::LEN && bytes.iter().all(u8::is_ascii_digit);
        let text = digits.then(|| std::str::from_utf8(bytes).ok())??;
        Some(Self(text.to_owned()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Stamp {
    /// The fence, the id of the seal's key, and its nonce.
    const LEN: usize = Fence::LEN + 16;

    pub(super) fn of(bytes: &[u8]) -> Self {
        Self(bytes.get(..Self::LEN).unwrap_or(bytes).to_vec())
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Envelope {
    /// The most bytes that are written or read: what a hundred repositories with the longest names need, and no more.
    pub(super) const MAX_LEN: usize = 128 * 1024;

    const DOMAIN: &[u8] = b"dockpass cache value 1\0";

    pub(super) fn new(ring: Arc<KeyRing>) -> Self {
        Self { ring, alarm: Alarm::default() }
    }

    /// The bytes for a value under its name; `None` for one that cannot be written, or is too long.
    pub(super) fn seal<V: Shareable>(
        &self,
        name: &Name,
        fence: &Fence,
        value: &V,
    ) -> Option<Vec<u8>> {
        let sealed = self.ring.seal(&context::<V>(name), &value.to_bytes()?)?;
        let bytes = [fence.as_str().as_bytes(), &sealed].concat();
        (bytes.len() <= Self::MAX_LEN).then_some(bytes)
    }

    /// The value of bytes that a replica sealed under this very name; anything else is a miss, is counted, and raises the alarm.
    pub(super) fn open<V: Shareable>(&self, name: &Name, bytes: &[u8]) -> Option<V> {
        let value = self.opened(name, bytes);
        if value.is_none() {
            metrics::cache_seal_failed();
            self.alarm.raise(Instant::now(), |more| {
                tracing::error!(
                    key = name.value(),
                    more,
                    "a value on Redis does not open: it was changed or swapped, or its key is not in the ring; it is not used"
                );
            });
        }
        value
    }

    fn opened<V: Shareable>(&self, name: &Name, bytes: &[u8]) -> Option<V> {
        let sealed = bytes.get(Fence::LEN..)?;
        let plain = Zeroizing::new(self.ring.open(&context::<V>(name), sealed)?);
        V::from_bytes(&Opened::new(plain))
    }
}

/// What a seal is bound to. A form holds no NUL, so where it ends is not in doubt.
fn context<V: Shareable>(name: &Name) -> Vec<u8> {
    [Envelope::DOMAIN, V::FORM.as_bytes(), b"\0", name.key()].concat()
}
