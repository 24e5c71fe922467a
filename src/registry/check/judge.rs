//! What the registry's first answer, to a request without credentials, says about its configuration.

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::header::DATE;
use reqwest::{StatusCode, Url};

use super::challenge::Challenge;
use super::finding::Finding;
use crate::net::Response;
use crate::registry::Config;

/// A registry's leeway on the times of a JWT.
const LEEWAY_SECONDS: i64 = 60;

/// What the answer says about who may come in without credentials.
pub(super) fn anonymous_access(answer: &Response, config: &Config) -> Finding {
    let check = "anonymous";
    match answer.status {
        StatusCode::UNAUTHORIZED if config.anonymous => Finding::warning(
            check,
            "dockpass answers requests without credentials, as far as a token named `anonymous` allows",
            "set `anonymous = false` if nobody is to pull without credentials",
        ),
        StatusCode::UNAUTHORIZED => Finding::ok(check, "it asks for credentials"),
        StatusCode::OK => Finding::error(
            check,
            "it lets everybody in without credentials",
            "put the block of `dockpass registry show --registry-config` into its configuration, and restart it",
        ),
        other => Finding::error(
            check,
            format!("it answers {} where 401 was expected", other.as_u16()),
            "see that `host` is a registry (its /v2/)",
        ),
    }
}

/// How far the clocks are apart.
pub(super) fn clock(answer: &Response, now: Timestamp) -> Finding {
    let check = "clock";
    let date = answer.headers.get(DATE).and_then(|date| date.to_str().ok());
    let date = date.and_then(|date| DateTimeParser::new().parse_timestamp(date).ok());
    let Some(date) = date else {
        return Finding::warning(
            check,
            "it does not say its time (Date)",
            "compare the clocks by hand",
        );
    };
    let apart = date.as_second().abs_diff(now.as_second());
    let message = format!("the clocks are {apart} s apart");
    let remedy =
        format!("let both follow the same time: from {LEEWAY_SECONDS} s on it refuses tokens");
    if apart >= LEEWAY_SECONDS.unsigned_abs() {
        Finding::error(check, message, remedy)
    } else if apart > LEEWAY_SECONDS.unsigned_abs() / 2 {
        Finding::warning(check, message, remedy)
    } else {
        Finding::ok(check, message)
    }
}

/// Whether it sends its clients here, under the name that its tokens will have.
pub(super) fn challenge(answer: &Response, config: &Config, external_url: &str) -> Vec<Finding> {
    match Challenge::of(&answer.headers) {
        Ok(challenge) => vec![realm(&challenge, external_url), service(&challenge, config)],
        Err(problem) => vec![Finding::error(
            "challenge",
            problem,
            "put the block of `dockpass registry show --registry-config` into its configuration",
        )],
    }
}

/// The realm is compared and never asked: on a foreign host it would get what clients send to it (attack clause D8).
fn realm(challenge: &Challenge, external_url: &str) -> Finding {
    let check = "realm";
    let (announced, expected) = (&challenge.realm, format!("{external_url}/token"));
    let origin = |url: &str| Url::parse(url).ok().map(|url| url.origin());
    if *announced == expected {
        return literal_address(announced).unwrap_or_else(|| {
            Finding::ok(check, format!("it sends its clients to `{announced}`"))
        });
    }
    let remedy = format!(
        "set `auth.token.realm` to `{expected}`, or `http.external_url` to what clients reach"
    );
    let message = if origin(announced) == origin(&expected) {
        format!("it sends its clients to `{}`, not to `{expected}`", shown(announced))
    } else {
        format!(
            "it sends its clients, and what they log in with, to another host: `{}`, not to `{expected}`",
            shown(announced)
        )
    };
    Finding::error(check, message, remedy)
}

/// New clients (go-containerregistry from 0.21.4, oras-go from 2.6.1) go to no realm on a loopback or private address.
fn literal_address(realm: &str) -> Option<Finding> {
    let url = Url::parse(realm).ok()?;
    let host = url.host_str()?.trim_start_matches('[').trim_end_matches(']');
    host.parse::<std::net::IpAddr>().ok()?;
    Some(Finding::warning(
        "realm",
        format!("it sends its clients to the bare address `{realm}`, which new clients refuse"),
        "give `http.external_url` and `auth.token.realm` a host name",
    ))
}

fn service(challenge: &Challenge, config: &Config) -> Finding {
    let check = "service";
    if challenge.service == config.service {
        return Finding::ok(check, format!("its service is `{}`", config.service));
    }
    let (announced, expected) = (shown(&challenge.service), &config.service);
    Finding::error(
        check,
        format!("its service is `{announced}`, but `{expected}` is configured here"),
        format!(
            "set `auth.token.service` to `{expected}`, or `service` of this registry to what it announces"
        ),
    )
}

/// What a registry sent, short and printable.
fn shown(text: &str) -> String {
    text.chars().take(128).flat_map(char::escape_debug).collect()
}
