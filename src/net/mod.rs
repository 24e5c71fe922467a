//! The one HTTP client: every request that dockpass makes goes through it, under one set of limits.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;

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
pub struct HttpClient {}

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
        todo!()
    }

    /// Sends a request and reads the whole answer, whatever its status.
    ///
    /// # Errors
    /// The URL is not allowed, or there is no whole answer within the limits.
    pub async fn send(&self, request: Request) -> Result<Response, Error> {
        todo!()
    }
}

/// A request.
#[derive(Clone, Debug)]
pub struct Request {
    /// GET, POST, …
    pub method: reqwest::Method,
    /// The absolute URL.
    pub url: String,
    /// Headers; a secret among them is marked sensitive.
    pub headers: reqwest::header::HeaderMap,
    /// The body.
    pub body: Option<Bytes>,
}

impl Request {
    /// A GET without headers.
    pub fn get(url: impl Into<String>) -> Self {
        Self {
            method: reqwest::Method::GET,
            url: url.into(),
            headers: Default::default(),
            body: None,
        }
    }
}

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status.
    pub status: reqwest::StatusCode,
    /// The headers.
    pub headers: reqwest::header::HeaderMap,
    /// The body, at most [`HttpClient::MAX_BODY`].
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The client cannot be made.
    #[error("cannot make an HTTP client: {0}")]
    Build(String),
    /// No whole answer came.
    #[error("`{url}` does not answer: {problem}")]
    Exchange {
        /// Where.
        url: String,
        /// What went wrong, without secrets.
        problem: String,
    },
    /// The answer is over [`HttpClient::MAX_BODY`].
    #[error("`{url}` answers with more than 1 MiB")]
    TooLarge {
        /// Where.
        url: String,
    },
    /// The URL is not one that may be asked.
    #[error("`{url}` may not be asked: {problem}")]
    Url {
        /// Where.
        url: String,
        /// Which rule it breaks.
        problem: &'static str,
    },
}
