//! The way to the broker: its URL, TLS, and errors that say what to do.

use std::error::Error;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Uri};

use super::{Environment, Failure};
use crate::pb::access_service_client::AccessServiceClient;

const DEFAULT: &str = "http://127.0.0.1:7443";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// Which broker is asked.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Broker")]
pub(super) struct ServerArgs {
    #[arg(
        long,
        value_name = "URL",
        help = "The broker: https://host:port, or http://127.0.0.1:port on this machine [env: DOCKPASS_SERVER] [default: http://127.0.0.1:7443]"
    )]
    server: Option<String>,
    /// Trust these certificates (PEM) instead of the system's
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
}

impl ServerArgs {
    /// The broker's URL: the flag, else `DOCKPASS_SERVER`, else the one of `dockpass dev`.
    pub(super) fn url(&self, environment: &Environment) -> Result<ServerUrl, Failure> {
        let text = self.server.as_deref().or_else(|| environment.value("DOCKPASS_SERVER"));
        text.unwrap_or(DEFAULT).parse().map_err(Failure::Usage)
    }

    /// Connects to the broker.
    pub(super) async fn connect(&self, environment: &Environment) -> Result<Client, Failure> {
        let url = self.url(environment)?;
        let endpoint = self.endpoint(&url)?;
        let channel = endpoint.connect().await.map_err(|error| {
            let cause = root_cause(&error);
            // rustls has read an answer that is not TLS
            let question = if cause.contains("InvalidContentType") {
                "does it speak TLS there?"
            } else {
                "is it running?"
            };
            Failure::failed(format!(
                "cannot reach the broker at {url}: {cause}: {question} --server or DOCKPASS_SERVER names another"
            ))
        })?;
        Ok(AccessServiceClient::new(channel))
    }

    fn endpoint(&self, url: &ServerUrl) -> Result<Endpoint, Failure> {
        let endpoint = Endpoint::from(url.0.clone())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(CALL_TIMEOUT)
            .user_agent(concat!("dockpass/", env!("CARGO_PKG_VERSION")))
            .map_err(|error| Failure::failed(error.to_string()))?;
        if url.0.scheme_str() != Some("https") {
            return Ok(endpoint);
        }
        let tls = match &self.ca_file {
            Some(file) => {
                let pem = std::fs::read(file).map_err(|error| {
                    Failure::failed(format!("cannot read `{}`: {error}", file.display()))
                })?;
                ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem))
            }
            None => ClientTlsConfig::new().with_native_roots(),
        };
        endpoint.tls_config(tls).map_err(|error| Failure::failed(root_cause(&error)))
    }
}

/// A client of the broker.
pub(super) type Client = AccessServiceClient<Channel>;

/// A URL that an identity may be sent to: TLS, or this machine.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ServerUrl(Uri);

impl std::fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.to_string().trim_end_matches('/'))
    }
}

impl FromStr for ServerUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |problem: &str| Err(format!("the broker's URL `{text}` {problem}"));
        if text.starts_with("unix:") {
            return wrong("is a management socket; issue and revoke use https://host:port");
        }
        let Ok(uri) = text.parse::<Uri>() else { return wrong("is not a URL") };
        let Some(authority) = uri.authority() else {
            return wrong("names no host: write it like https://host:port");
        };
        if authority.as_str().contains('@') {
            return wrong("must not carry a user or password");
        }
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return wrong("must end after the port");
        }
        match uri.scheme_str() {
            Some("https") => Ok(Self(uri)),
            Some("http") if is_loopback(authority.host()) => Ok(Self(uri)),
            Some("http") => {
                wrong("would carry secrets in the clear: use https, http is for 127.0.0.1")
            }
            _ => wrong("must start with https:// (or http:// on this machine)"),
        }
    }
}

/// Whether the host is this machine.
fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The innermost cause: transport errors wrap the one that helps.
fn root_cause(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_a_broker() {
        for good in [
            "https://broker.example.com",
            "https://broker.example.com:7443/",
            "http://127.0.0.1:7443",
            "http://localhost:1",
            "http://[::1]:7443",
        ] {
            assert!(good.parse::<ServerUrl>().is_ok(), "{good}");
        }
    }

    #[test]
    fn d7_an_identity_is_never_sent_in_the_clear_to_another_machine() {
        for bad in [
            "http://broker.example.com",
            "http://127.0.0.1.evil.example",
            "http://localhost.evil.example:80",
            "http://127.0.0.1@evil.example",
            "http://10.0.0.1",
            "https://user:pw@host",
            "https://host/path",
            "https://host?x",
            "unix:/run/dockpass/admin.sock",
            "ftp://host",
            "127.0.0.1:7443",
            "broker",
            "",
        ] {
            let error = bad.parse::<ServerUrl>().unwrap_err();
            assert!(error.contains(bad), "{error}");
        }
    }
}
