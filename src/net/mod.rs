//! The one HTTP client: every request that dockpass makes goes through it, under one set of limits.
//!
//! It follows no redirect, reads no proxy from the environment, undoes no compression, and has no switch that turns the
//! verification of certificates off.

mod address;
mod error;
mod exchange;
#[cfg(test)]
pub(crate) mod testing;

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::{Bytes, BytesMut};

pub use self::error::Error;
pub use self::exchange::{Request, Response};

/// How an HTTP client may reach out.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Trust these certificates (PEM) instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// Allow `http://` to loopback addresses (`localhost`, 127.0.0.0/8, `[::1]`); everything else stays https.
    pub loopback_http: bool,
}

/// An HTTP client: TLS 1.2 or later, no redirects, no decompression, no proxy from the environment, 1 MiB and 10 s a response.
#[derive(Clone, Debug)]
pub struct HttpClient {
    client: reqwest::Client,
    loopback_http: bool,
}

impl HttpClient {
    /// The largest body that is read, 1 MiB.
    pub const MAX_BODY: usize = 1 << 20;
    /// The longest time for a whole exchange.
    pub const TIMEOUT: Duration = Duration::from_secs(10);

    /// Makes the client.
    ///
    /// # Errors
    /// The CA file cannot be read or holds no certificate.
    pub fn build(config: &Config) -> Result<Self, Error> {
        Self::build_within(config, Self::TIMEOUT)
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one HTTP client")]
    fn build_within(config: &Config, timeout: Duration) -> Result<Self, Error> {
        let builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .referer(false)
            .timeout(timeout)
            .tls_version_min(reqwest::tls::Version::TLS_1_2)
            .user_agent(concat!("dockpass/", env!("CARGO_PKG_VERSION")));
        let builder = match &config.ca_file {
            Some(path) => builder.tls_certs_only(certificates(path)?),
            None => builder,
        };
        let client = builder.build().map_err(|error| Error::Build(error::causes(&error)))?;
        Ok(Self { client, loopback_http: config.loopback_http })
    }

    /// Sends a request and reads the whole answer, whatever its status.
    ///
    /// # Errors
    /// The URL is not allowed, or there is no whole answer within the limits.
    pub async fn send(&self, request: Request) -> Result<Response, Error> {
        let url = address::allowed(&request.url, self.loopback_http)?;
        let shown = address::shown(&url);
        let failed = |error: reqwest::Error| Error::Exchange {
            url: shown.clone(),
            problem: error::causes(&error.without_url()),
        };
        let mut sent = self.client.request(request.method, url).headers(request.headers);
        if let Some(body) = request.body {
            sent = sent.body(body);
        }
        let answer = sent.send().await.map_err(failed)?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        match read(answer).await.map_err(failed)? {
            Some(body) => Ok(Response { status, headers, body }),
            None => Err(Error::TooLarge { url: shown }),
        }
    }
}

/// The whole body; `None` when it is over the limit, of which not a byte more is read.
async fn read(mut answer: reqwest::Response) -> Result<Option<Bytes>, reqwest::Error> {
    let mut body = BytesMut::new();
    while let Some(chunk) = answer.chunk().await? {
        if body.len() + chunk.len() > HttpClient::MAX_BODY {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body.freeze()))
}

fn certificates(path: &Path) -> Result<Vec<reqwest::Certificate>, Error> {
    let unusable =
        |problem: &str| Error::Build(format!("the CA file `{}` {problem}", path.display()));
    let pem = std::fs::read(path).map_err(|error| unusable(&format!("cannot be read: {error}")))?;
    let certificates = reqwest::Certificate::from_pem_bundle(&pem)
        .map_err(|_| unusable("is not PEM: it must hold CERTIFICATE blocks"))?;
    if certificates.is_empty() {
        return Err(unusable("holds no certificate: it must hold PEM CERTIFICATE blocks"));
    }
    Ok(certificates)
}

#[cfg(test)]
mod tests;
