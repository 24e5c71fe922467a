//! The JWT that a registry accepts: the claims of the distribution token specification, times in whole seconds.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::access::{AccessEntry, access_claim};
use crate::model::{AccessTokenId, Permissions};
use crate::registry::Error;

/// The claims. `aud` is a text: a 2.8 registry refuses a list.
#[derive(Debug, Serialize)]
pub(in crate::registry) struct Claims<'a> {
    pub(super) iss: &'a str,
    pub(super) sub: String,
    pub(super) aud: &'a str,
    pub(super) exp: i64,
    pub(super) nbf: i64,
    pub(super) iat: i64,
    pub(super) jti: Uuid,
    pub(super) access: Vec<AccessEntry>,
}

impl<'a> Claims<'a> {
    /// Claims of `subject` for `permissions`, from the beginning of the second in which `life` begins to the beginning of the one in which it ends.
    ///
    /// # Errors
    /// No random numbers for `jti`.
    pub(super) fn new(
        (issuer, service): (&'a str, &'a str),
        subject: AccessTokenId,
        permissions: &Permissions,
        life: Life,
    ) -> Result<Self, Error> {
        Ok(Self {
            iss: issuer,
            sub: subject.to_string(),
            aud: service,
            exp: life.exp,
            nbf: life.iat,
            iat: life.iat,
            jti: random_uuid()?,
            access: access_claim(permissions),
        })
    }
}

/// From when to when a JWT is valid, in whole seconds since 1970.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Life {
    pub(super) iat: i64,
    pub(super) exp: i64,
}

impl Life {
    /// The longest life that is neither over `jwt_lifetime` nor ends after `until`. Both ends are rounded down, so that what is left of
    /// a minute that began within a second stays a minute.
    pub(super) fn new(from: Timestamp, until: Timestamp, jwt_lifetime: Duration) -> Self {
        let iat = from.as_second();
        let longest = i64::try_from(jwt_lifetime.as_secs()).unwrap_or(i64::MAX);
        Self { iat, exp: iat.saturating_add(longest).min(until.as_second()) }
    }

    pub(super) fn seconds(self) -> u64 {
        u64::try_from(self.exp - self.iat).unwrap_or(0)
    }
}

fn random_uuid() -> Result<Uuid, Error> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes)
        .map_err(|_| Error::Internal("the random number generator failed".to_owned()))?;
    Ok(uuid::Builder::from_random_bytes(bytes).into_uuid())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Lifetime;

    proptest! {
        #[test]
        fn f7_a_life_is_at_least_a_minute_and_never_ends_after_what_it_rests_on(
            nanos in 0_i64..1_000_000_000,
            lifetime in 60_u64..100_000,
            jwt in 60_u64..4000,
        ) {
            let lifetime = Lifetime::new(Duration::from_secs(lifetime)).unwrap();
            let jwt = Duration::from_secs(jwt);
            let from = Timestamp::new(1_800_000_000, i32::try_from(nanos).unwrap()).unwrap();
            let until = from.checked_add(lifetime.as_duration()).unwrap();
            let life = Life::new(from, until, jwt);
            prop_assert!(life.seconds() >= 60);
            prop_assert!(life.seconds() <= jwt.as_secs());
            prop_assert!(Timestamp::from_second(life.exp).unwrap() <= until);
            prop_assert!(Timestamp::from_second(life.iat).unwrap() <= from);
        }
    }
}
