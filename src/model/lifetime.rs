//! How long an access token is valid.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;
use std::time::Duration;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// A length of time of whole seconds, at least one minute: clients of registries treat less as one minute.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Lifetime(NonZeroU64);

impl Lifetime {
    /// The shortest lifetime that is handed out, one minute.
    pub const MIN: Self = Self::of_minutes(1);
    /// The lifetime of a request that names none, 15 minutes.
    pub const DEFAULT: Self = Self::of_minutes(15);

    /// A lifetime of whole seconds (fractions are dropped).
    ///
    /// # Errors
    /// Less than a minute.
    pub fn new(length: Duration) -> Result<Self, InvalidLifetime> {
        let whole = NonZeroU64::new(length.as_secs()).map(Self);
        whole.filter(|whole| *whole >= Self::MIN).ok_or(InvalidLifetime::TooShort)
    }

    const fn of_minutes(minutes: u64) -> Self {
        Self(NonZeroU64::MIN.saturating_add(60 * minutes - 1))
    }

    /// The length as a duration.
    pub const fn as_duration(self) -> Duration {
        Duration::from_secs(self.0.get())
    }

    /// The length in seconds.
    pub const fn as_secs(self) -> u64 {
        self.0.get()
    }
}

impl FromStr for Lifetime {
    type Err = InvalidLifetime;

    /// Reads `15m`, `1h 30m`, `90s` or ISO 8601 (`PT15M`).
    fn from_str(text: &str) -> Result<Self, InvalidLifetime> {
        let malformed = || InvalidLifetime::Malformed(text.to_owned());
        let signed: SignedDuration = text.parse().map_err(|_| malformed())?;
        Self::new(Duration::try_from(signed).map_err(|_| malformed())?)
    }
}

impl TryFrom<String> for Lifetime {
    type Error = InvalidLifetime;

    fn try_from(text: String) -> Result<Self, InvalidLifetime> {
        text.parse()
    }
}

impl From<Lifetime> for String {
    fn from(lifetime: Lifetime) -> Self {
        lifetime.to_string()
    }
}

impl fmt::Display for Lifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = i64::try_from(self.as_secs()).unwrap_or(i64::MAX);
        write!(f, "{:#}", SignedDuration::from_secs(seconds))
    }
}

/// A text or number that is no lifetime.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidLifetime {
    /// Not a duration.
    #[error("`{0}` is not a duration: write it like 15m, 1h or 90s")]
    Malformed(String),
    /// Under [`Lifetime::MIN`].
    #[error("a lifetime is at least one minute")]
    TooShort,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_read_back() {
        for seconds in [60, 61, 300, 900, 3600, 86_400, 90_061] {
            let lifetime = Lifetime::new(Duration::from_secs(seconds)).unwrap();
            assert_eq!(lifetime.to_string().parse(), Ok(lifetime));
        }
    }

    #[test]
    fn under_a_minute_and_not_a_duration_are_refused() {
        assert_eq!("59s".parse::<Lifetime>(), Err(InvalidLifetime::TooShort));
        for text in ["", "15", "soon", "-15m", "1y 2"] {
            assert!(
                matches!(text.parse::<Lifetime>(), Err(InvalidLifetime::Malformed(_))),
                "{text:?}"
            );
        }
    }
}
