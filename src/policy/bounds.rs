//! How long an access token may last: the least of all bounds (contract.md, section 5).

use std::time::Duration;

use jiff::Timestamp;

use crate::model::Lifetime;

/// The bounds of one access token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Bounds {
    /// The least of the lengths: asked for, the scope map's, the credential's, the registry's.
    pub(super) longest: Lifetime,
    /// The first of the ends: of the token, the password, the session, and of the identity where the credential says so.
    pub(super) end: Option<Timestamp>,
}

impl Bounds {
    /// The least of a length that is always there and others that may be, and the first of the ends.
    pub(super) fn new<const LENGTHS: usize, const ENDS: usize>(
        asked: Lifetime,
        lengths: [Option<Lifetime>; LENGTHS],
        ends: [Option<Timestamp>; ENDS],
    ) -> Self {
        Self {
            longest: lengths.into_iter().flatten().fold(asked, Lifetime::min),
            end: ends.into_iter().flatten().min(),
        }
    }

    /// The lifetime of what is issued at `now`; none when less than a minute is left.
    pub(super) fn lifetime_at(&self, now: Timestamp) -> Option<Lifetime> {
        let Some(end) = self.end else { return Some(self.longest) };
        let left = Duration::try_from(end.duration_since(now)).ok()?;
        Lifetime::new(left.min(self.longest.as_duration())).ok()
    }
}
