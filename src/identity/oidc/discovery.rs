//! Fetching an issuer's keys (OpenID Connect Discovery 1.0, section 4).

use std::time::Duration;

use reqwest::header::{CACHE_CONTROL, CONTENT_ENCODING, HeaderMap};
use reqwest::{StatusCode, Url};
use serde_json::{Map, Value};

use super::key_set::KeySet;
use super::{json, known};
use crate::identity::IssuerConfig;
use crate::model::IssuerUrl;
use crate::net::{self, HttpClient, Request, Response};

/// For how long keys are good without asking again, whatever the issuer says.
const FRESH: std::ops::RangeInclusive<Duration> = Duration::from_mins(5)..=Duration::from_hours(24);
/// The same for an issuer that says nothing.
const FRESH_BY_DEFAULT: Duration = Duration::from_hours(1);

/// Where one issuer's keys are fetched.
#[derive(Debug)]
pub(super) struct Discovery {
    issuer: IssuerUrl,
    key_hosts: Vec<String>,
    client: HttpClient,
}

impl Discovery {
    pub(super) fn build(config: &IssuerConfig) -> Result<Self, net::Error> {
        let known = known::key_hosts(config.issuer.as_str()).iter().map(|host| (*host).to_owned());
        Ok(Self {
            issuer: config.issuer.clone(),
            key_hosts: known.chain(config.jwks_hosts.iter().cloned()).collect(),
            client: HttpClient::build(&net::Config {
                ca_file: config.ca_file.clone(),
                loopback_http: config.loopback_http,
            })?,
        })
    }

    /// Fetches the keys, and for how long they are good.
    ///
    /// # Errors
    /// What went wrong, for the log and the audit trail.
    pub(super) async fn fetch(&self) -> Result<(KeySet, Duration), String> {
        // the section says: a trailing slash is removed before the path is added
        let base = self.issuer.as_str();
        let base = base.strip_suffix('/').unwrap_or(base);
        let document = self.ask(&format!("{base}/.well-known/openid-configuration")).await?;
        let document =
            json::object(&document.body).ok_or("its discovery document is not plain JSON")?;
        let keys = self.ask(&self.key_address(&document)?).await?;
        Ok((KeySet::parse(&keys.body, &self.issuer)?, freshness(&keys.headers)))
    }

    /// The `jwks_uri` of a document that is the issuer's own, when it stands on a host that is.
    fn key_address(&self, document: &Map<String, Value>) -> Result<String, &'static str> {
        if document.get("issuer").and_then(Value::as_str) != Some(self.issuer.as_str()) {
            return Err("its discovery document names another issuer");
        }
        let address = document.get("jwks_uri").and_then(Value::as_str);
        let address = address.ok_or("its discovery document has no `jwks_uri`")?;
        let host = Url::parse(address).ok().as_ref().and_then(authority);
        let host = host.ok_or("its `jwks_uri` is no URL")?;
        let own = Url::parse(self.issuer.as_str()).ok().as_ref().and_then(authority);
        if Some(&host) == own.as_ref() || self.key_hosts.contains(&host) {
            Ok(address.to_owned())
        } else {
            Err("its `jwks_uri` is on another host: name the host in `jwks_hosts` if it is right")
        }
    }

    async fn ask(&self, url: &str) -> Result<Response, String> {
        let answer =
            self.client.send(Request::get(url)).await.map_err(|error| error.to_string())?;
        if answer.status.is_redirection() {
            return Err(format!("`{url}` redirects, which is not followed"));
        }
        if answer.status != StatusCode::OK {
            return Err(format!("`{url}` answers {}", answer.status));
        }
        if answer.headers.contains_key(CONTENT_ENCODING) {
            return Err(format!("`{url}` answers compressed, which was not asked for"));
        }
        Ok(answer)
    }
}

/// `host`, or `host:port` when the port is not the scheme's own.
fn authority(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

/// `Cache-Control: max-age` (RFC 9111, section 5.2.2.1) within bounds.
fn freshness(headers: &HeaderMap) -> Duration {
    let directives = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    let wanted = directives.flat_map(|value| value.split(',')).find_map(|directive| {
        let directive = directive.trim().to_ascii_lowercase();
        if directive == "no-store" || directive == "no-cache" {
            return Some(Duration::ZERO);
        }
        directive.strip_prefix("max-age=")?.trim_matches('"').parse().ok().map(Duration::from_secs)
    });
    wanted.unwrap_or(FRESH_BY_DEFAULT).clamp(*FRESH.start(), *FRESH.end())
}

#[cfg(test)]
mod tests;
