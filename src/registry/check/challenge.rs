//! The `WWW-Authenticate` header of a registry (RFC 9110, section 11.6.1), as strictly as docker clients need it.

use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};

/// Where a registry sends its clients.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Challenge {
    pub(super) realm: String,
    pub(super) service: String,
}

impl Challenge {
    /// The one bearer challenge of an answer.
    ///
    /// # Errors
    /// None, several, or one that clients would read differently from each other: what is wrong, in words.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, &'static str> {
        let mut values = headers.get_all(WWW_AUTHENTICATE).iter();
        let value = values.next().ok_or("it announces no token server (WWW-Authenticate)")?;
        if values.next().is_some() {
            return Err("it announces more than one way to authenticate");
        }
        let text = value.to_str().map_err(|_| "its WWW-Authenticate header is not text")?;
        Self::parse(text)
    }

    fn parse(text: &str) -> Result<Self, &'static str> {
        let (scheme, rest) = text.split_once(' ').unwrap_or((text, ""));
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err("it wants something other than bearer tokens: configure `auth.token`");
        }
        let malformed = "its WWW-Authenticate header is malformed";
        let parameters = parameters(rest).ok_or(malformed)?;
        let one = |name: &str| {
            let mut found = parameters.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
            match (found.next(), found.next()) {
                (Some((_, value)), None) => Ok(value.clone()),
                (None, _) => Err("its challenge lacks realm or service"),
                (Some(_), Some(_)) => Err("its challenge names realm or service twice"),
            }
        };
        Ok(Self { realm: one("realm")?, service: one("service")? })
    }
}

/// `name=value` pairs, separated by commas; `None` when there is anything else.
fn parameters(mut rest: &str) -> Option<Vec<(String, String)>> {
    let mut found = Vec::new();
    loop {
        let (name, after) = rest.trim_start().split_once('=')?;
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted_string(quoted)?,
            None => token(after),
        };
        if !is_token(name) {
            return None;
        }
        found.push((name.to_owned(), value));
        let after = after.trim_start();
        if after.is_empty() {
            return Some(found);
        }
        rest = after.strip_prefix(',')?;
    }
}

/// The text up to the closing quote, and what follows that.
fn quoted_string(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.chars();
    loop {
        match chars.next()? {
            '"' => return Some((value, chars.as_str())),
            '\\' => value.push(chars.next()?),
            char if char.is_control() => return None,
            char => value.push(char),
        }
    }
}

fn token(text: &str) -> (String, &str) {
    let end = text.find([',', ' ']).unwrap_or(text.len());
    let (value, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    (value.to_owned(), rest)
}

fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_of_a_registry_is_read() {
        for text in [
            r#"Bearer realm="https://b.test/token",service="registry.test""#,
            r#"bearer realm="https://b.test/token", service="registry.test", scope="repository:a/b:pull,push",error="invalid_token""#,
            r#"BEARER service=registry.test,realm="https://b.test/token""#,
            r#"Bearer Realm="https://b.test\/token",SERVICE="registry.test""#,
        ] {
            let challenge = Challenge::parse(text).unwrap();
            assert_eq!(challenge.realm, "https://b.test/token", "{text}");
            assert_eq!(challenge.service, "registry.test", "{text}");
        }
    }

    #[test]
    fn what_clients_could_read_differently_is_refused() {
        for text in [
            "",
            "Bearer",
            "Basic realm=\"x\"",
            r#"Basic realm="x", Bearer realm="y",service="z""#,
            r#"Bearer realm="x""#,
            r#"Bearer service="x""#,
            r#"Bearer realm="x",realm="y",service="z""#,
            r#"Bearer realm="x",service="z",service="z""#,
            r#"Bearer realm="x,service="z""#,
            r#"Bearer realm="x" service="z""#,
            r#"Bearer realm="x",service="z"#,
            r#"Bearer realm="x",service="z","#,
            r#"Bearer realm="x",service="z\"#,
            r#"Bearer realm = "x",service="z""#,
        ] {
            assert!(Challenge::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn no_challenge_and_two_challenges_are_refused() {
        let mut headers = HeaderMap::new();
        assert!(Challenge::of(&headers).is_err());
        let value = || r#"Bearer realm="x",service="z""#.parse().unwrap();
        headers.append(WWW_AUTHENTICATE, value());
        assert!(Challenge::of(&headers).is_ok());
        headers.append(WWW_AUTHENTICATE, value());
        assert!(Challenge::of(&headers).is_err());
    }
}
