//! The registered claims of an identity token (RFC 7519, section 4.1).

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::identity::{Check, IssuerConfig};

/// How far an issuer's clock may be ahead of ours. An end is never stretched.
const LEEWAY: Duration = Duration::from_mins(1);

/// What the registered claims say.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Registered {
    /// `sub`.
    pub(super) subject: String,
    /// From when on the token counts: `nbf` and `iat`, less the leeway.
    pub(super) valid_from: Timestamp,
    /// `exp`.
    pub(super) expire_time: Timestamp,
}

/// Checks the registered claims. `iss` was checked by whoever chose the issuer by it.
pub(super) fn check(
    claims: &Map<String, Value>,
    config: &IssuerConfig,
    now: Timestamp,
) -> Result<Registered, Check> {
    if !is_audience(claims.get("aud"), config) {
        return Err(Check::Audience);
    }
    let expire_time = time(claims, "exp")?.ok_or(Check::Time)?;
    let issued = time(claims, "iat")?;
    let not_before = time(claims, "nbf")?;
    if now >= expire_time {
        return Err(Check::Expired);
    }
    if issued.is_some_and(|issued| earlier(issued) > now) {
        return Err(Check::IssuedInFuture);
    }
    if not_before.is_some_and(|not_before| earlier(not_before) > now) {
        return Err(Check::NotYetValid);
    }
    // without either, the life that is left is what can be measured
    let begin = issued.or(not_before).unwrap_or(now);
    let life = Duration::try_from(expire_time.duration_since(begin));
    if life.is_ok_and(|life| life > config.longest_life()) {
        return Err(Check::LifeTooLong);
    }
    let valid_from = issued.max(not_before).map_or(Timestamp::MIN, earlier);
    Ok(Registered { subject: subject(claims)?.to_owned(), valid_from, expire_time })
}

fn subject(claims: &Map<String, Value>) -> Result<&str, Check> {
    match claims.get("sub") {
        Some(Value::String(subject)) if !subject.is_empty() => Ok(subject),
        _ => Err(Check::Subject),
    }
}

/// Section 4.1.3: one text or a list of texts. A list that holds others beside ours was made for them too.
fn is_audience(claim: Option<&Value>, config: &IssuerConfig) -> bool {
    let ours = |value: &Value| value.as_str() == Some(&config.audience);
    match claim {
        Some(Value::Array(list)) => match list.as_slice() {
            [only] => ours(only),
            several if config.allow_multiple_audiences => {
                several.iter().all(Value::is_string) && several.iter().any(ours)
            }
            _ => false,
        },
        Some(one) => ours(one),
        None => false,
    }
}

/// A `NumericDate` (section 2): seconds, whole or with a fraction. One of another type is malformed, never absent.
fn time(claims: &Map<String, Value>, name: &str) -> Result<Option<Timestamp>, Check> {
    let Some(claim) = claims.get(name) else { return Ok(None) };
    let seconds = match claim {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().and_then(whole)),
        _ => None,
    };
    let seconds = seconds.filter(|seconds| *seconds >= 0).ok_or(Check::Time)?;
    Timestamp::from_second(seconds).map(Some).map_err(|_| Check::Time)
}

/// The whole seconds of a time that a computer's clock can show.
fn whole(seconds: f64) -> Option<i64> {
    // negative zero and all below are no times; the bound is far over the year 9999 and exact in both types
    let fits = seconds.is_sign_positive() && seconds < 1e12;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "it was looked at above, and fractions are to be dropped"
    )]
    fits.then_some(seconds as i64)
}

fn earlier(time: Timestamp) -> Timestamp {
    time.checked_sub(LEEWAY).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests;
