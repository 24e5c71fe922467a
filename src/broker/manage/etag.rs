//! Names one content of a definition, so that nobody overwrites what he has not seen.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

use crate::broker::Error;
use crate::model::{ScopeMap, Token};

/// How much of the hash is kept: enough that no two contents of one definition share it.
const BYTES: usize = 12;

/// Names one content of a definition; opaque. One that is deleted and made again has another.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Etag(String);

impl Etag {
    /// Of a scope map.
    pub fn of_scope_map(map: &ScopeMap) -> Self {
        let time = map.update_time.as_nanosecond().to_be_bytes();
        Self::of(&[b"scope map", &map.revision.to_be_bytes(), &time, map.name.as_str().as_bytes()])
    }

    /// Of a token, with its passwords and federated credentials.
    pub fn of_token(token: &Token) -> Self {
        let time = token.update_time.as_nanosecond().to_be_bytes();
        Self::of(&[b"token", &token.revision.to_be_bytes(), &time, token.uid.as_bytes()])
    }

    /// Refuses when another content is meant; without one, the last write wins.
    pub(super) fn refuse_other(&self, given: Option<&Self>) -> Result<(), Error> {
        match given {
            Some(given) if given != self => Err(Error::EtagMismatch),
            Some(_) | None => Ok(()),
        }
    }

    fn of(fields: &[&[u8]]) -> Self {
        let mut context = digest::Context::new(&digest::SHA256);
        for field in fields {
            context.update(&u64::try_from(field.len()).unwrap_or(u64::MAX).to_be_bytes());
            context.update(field);
        }
        let hash = context.finish();
        let kept = hash.as_ref().get(..BYTES).unwrap_or_default();
        Self(URL_SAFE_NO_PAD.encode(kept))
    }
}

impl FromStr for Etag {
    type Err = NotAnEtag;

    fn from_str(text: &str) -> Result<Self, NotAnEtag> {
        let fits = (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        if fits { Ok(Self(text.to_owned())) } else { Err(NotAnEtag) }
    }
}

impl fmt::Display for Etag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that is no etag.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("it is not an etag: give the one that came with the definition, or none")]
pub struct NotAnEtag;
