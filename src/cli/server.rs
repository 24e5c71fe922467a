//! The way to the broker: its URL, TLS, and errors that say what to do.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};

use super::server_url::ServerUrl;
use super::{Environment, Failure};
use crate::pb::access_service_client::AccessServiceClient;

const DEFAULT: &str = "http://127.0.0.1:7443";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a credential is waited for.
const ACCESS_TIMEOUT: Duration = Duration::from_secs(30);

/// Which broker is asked.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Broker")]
pub(super) struct ServerArgs {
    #[arg(
        long,
        value_name = "URL",
        help = "The broker: https://host:port, http://127.0.0.1:port on this machine, or for management unix:/path/admin.sock [env: DOCKPASS_SERVER] [default: http://127.0.0.1:7443]"
    )]
    server: Option<String>,
    /// Trust these certificates (PEM) instead of the system's
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
}

impl ServerArgs {
    /// The broker's URL: the flag, else `DOCKPASS_SERVER`, else the one of `dockpass dev`.
    pub(super) fn any_url(&self, environment: &Environment) -> Result<ServerUrl, Failure> {
        let text = self.server.as_deref().or_else(|| environment.value("DOCKPASS_SERVER"));
        text.unwrap_or(DEFAULT).parse().map_err(Failure::Usage)
    }

    /// The same, for asking for access: the admin socket gives none.
    pub(super) fn url(&self, environment: &Environment) -> Result<ServerUrl, Failure> {
        match self.any_url(environment)? {
            url @ ServerUrl::Network(_) => Ok(url),
            url @ ServerUrl::Socket(_) => Err(Failure::usage(format!(
                "the broker's URL `{url}` is a management socket; issue, login and revoke use https://host:port"
            ))),
        }
    }

    /// Connects to the broker, to ask for access.
    pub(super) async fn connect(&self, environment: &Environment) -> Result<Client, Failure> {
        let url = self.url(environment)?;
        Ok(AccessServiceClient::new(self.channel(&url, ACCESS_TIMEOUT).await?))
    }

    /// Connects to the broker at `url`; an answer begins within `timeout`.
    pub(super) async fn channel(
        &self,
        url: &ServerUrl,
        timeout: Duration,
    ) -> Result<Channel, Failure> {
        let endpoint = self
            .endpoint(url)?
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(timeout)
            .user_agent(concat!("dockpass/", env!("CARGO_PKG_VERSION")))
            .map_err(|error| Failure::failed(error.to_string()))?;
        endpoint.connect().await.map_err(|error| unreachable_at(url, &root_cause(&error)))
    }

    fn endpoint(&self, url: &ServerUrl) -> Result<Endpoint, Failure> {
        let uri = match url {
            ServerUrl::Network(uri) => uri,
            ServerUrl::Socket(path) => return socket(path),
        };
        let endpoint = Endpoint::from(uri.clone());
        if !url.is_tls() {
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

fn socket(path: &Path) -> Result<Endpoint, Failure> {
    Endpoint::from_shared(format!("unix:{}", path.display()))
        .map_err(|error| Failure::failed(root_cause(&error)))
}

fn unreachable_at(url: &ServerUrl, cause: &str) -> Failure {
    let question = match url {
        // who may not enter the folder is not told whether it is there
        ServerUrl::Socket(_) if cause.contains("ermission") => {
            "only root and the broker's own user may use it:"
        }
        // rustls has read an answer that is not TLS
        ServerUrl::Network(_) if cause.contains("InvalidContentType") => "does it speak TLS there?",
        _ => "is it running?",
    };
    Failure::failed(format!(
        "cannot reach the broker at {url}: {cause}: {question} --server or DOCKPASS_SERVER names another"
    ))
}

/// A client of the broker, for access.
pub(super) type Client = AccessServiceClient<Channel>;

/// The innermost cause: transport errors wrap the one that helps.
fn root_cause(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
