//! Identifiers that are never used again: UUIDs, version 7 (RFC 9562), so that they sort by time.

use std::cell::RefCell;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A text that is no id.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("it is not an id, which looks like 0199f3c2-7a0e-7c55-9d3b-0c1f5b0d2a11")]
pub struct NotAnId;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id, which sorts by `now`.
            pub fn new(now: Timestamp) -> Self {
                Self(new_uuid(now))
            }

            /// The id of 16 stored bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// Writes the text of the id into a buffer.
            pub fn encode(self, buffer: &mut [u8; 36]) -> &str {
                self.0.hyphenated().encode_lower(buffer)
            }

            /// The 16 bytes of the id, for keys that are hashed.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                Uuid::from_str(text).map(Self).map_err(|_| NotAnId)
            }
        }
    };
}

id! {
    /// Names one access token; it is the `sub` of the JWTs that a registry sees.
    AccessTokenId
}

id! {
    /// Names one decision and its audit event; callers get it with every refusal.
    DecisionId
}

id! {
    /// Names a token for ever: one that is deleted and made again under its name has another.
    TokenUid
}

impl From<DecisionId> for AccessTokenId {
    /// An access token has the id of the decision that minted it, so that a registry's log leads to the audit event.
    fn from(decision: DecisionId) -> Self {
        Self(decision.0)
    }
}

impl From<AccessTokenId> for DecisionId {
    fn from(access_token: AccessTokenId) -> Self {
        Self(access_token.0)
    }
}

/// Names a registry as it is configured: another host or service is another registry, whatever its name.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RegistryUid(pub [u8; 16]);

/// How many bytes of an id are by chance.
const RANDOM: usize = 10;

/// For how many ids the generator is asked at once: to ask for each would cost more than all the rest of an id.
const AT_ONCE: usize = 100;

thread_local! {
    /// For ids to come. An id is no secret, so it does no harm that its bytes lie there before it is made.
    static AHEAD: RefCell<Vec<[u8; RANDOM]>> = const { RefCell::new(Vec::new()) };
}

fn new_uuid(now: Timestamp) -> Uuid {
    let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random()).into_uuid()
}

fn random() -> [u8; RANDOM] {
    AHEAD.with_borrow_mut(|ahead| {
        if ahead.is_empty() {
            let mut bytes = [[0; RANDOM]; AT_ONCE];
            // INVARIANT: aws-lc's generator does not fail once it is seeded; were it to, ids would still be sortable
            let filled = aws_lc_rs::rand::fill(bytes.as_flattened_mut());
            debug_assert!(filled.is_ok(), "the random number generator failed");
            ahead.extend(bytes);
        }
        ahead.pop().unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_ids_are_equal_on_whatever_thread_they_are_made() {
        let made = || (0..10 * AT_ONCE).map(|_| DecisionId::new(Timestamp::UNIX_EPOCH)).collect();
        let threads = [(); 4].map(|()| std::thread::spawn(made));
        let ids: Vec<Vec<DecisionId>> =
            threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert_eq!(ids.concat().into_iter().collect::<HashSet<_>>().len(), 40 * AT_ONCE);
    }
}
