//! The `[cache]` section.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Url;
use super::shared::Target;
use super::url::{Login, Place};
use crate::seal::private_file;

/// The `[cache]` section.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// `memory:`, or the Redis that all replicas share.
    pub url: Url,
    /// A file for its owner only that holds the URL, in place of `url`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url_file: Option<PathBuf>,
    /// The certificates (PEM) that Redis is trusted by; absent = those of the machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// The most access tokens that are kept in memory for reuse.
    pub capacity: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { url: Url::default(), url_file: None, ca_file: None, capacity: 100_000 }
    }
}

/// Why there is no cache.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read, or is open to others.
    #[error("cache.{key}: cannot use `{path}`: {source}")]
    File {
        /// The key that names it.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The URL, or what is beside it, cannot be used. The URL holds a password, so it is not shown.
    #[error("cache.{key}: {problem}")]
    Malformed {
        /// The key.
        key: &'static str,
        /// What is wrong, and what to write.
        problem: &'static str,
    },
}

impl Config {
    /// True when replicas share the cache: then they need the same seal keys.
    pub fn is_shared(&self) -> bool {
        self.url_file.is_some() || !self.url.is_memory()
    }

    /// Every problem that can be seen without reading a file, with its key.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.capacity == 0 {
            problems.push("cache.capacity: 0 keeps nothing; write at least 1".to_owned());
        }
        if self.url_file.is_some() && !self.url.is_memory() {
            problems.push("cache.url_file: there is a cache.url as well: keep one".to_owned());
        }
        let place = self.url.place();
        if let Err(problem) = &place {
            problems.push(format!("cache.url: {problem}"));
        }
        let without_tls = matches!(&place, Ok(place) if !place.is_tls());
        if self.ca_file.is_some() && self.url_file.is_none() && without_tls {
            problems.push(format!("cache.ca_file: {CA_WITHOUT_TLS}"));
        }
        problems
    }

    /// Where the second level is; none when there is only the first.
    pub(super) fn target(&self) -> Result<Option<Target>, Error> {
        let (key, place) = match &self.url_file {
            None => ("url", self.url.place()),
            Some(path) => {
                let text = private_file::read(path).map_err(file("url_file", path))?;
                ("url_file", Url::new(text.trim_end()).place())
            }
        };
        let malformed = |key, problem| Error::Malformed { key, problem };
        let nodes = match place.map_err(|problem| malformed(key, problem))? {
            Place::Memory if self.url_file.is_some() => {
                return Err(malformed(key, "it holds `memory:`: leave the key away instead"));
            }
            Place::Memory => return Ok(None),
            Place::Redis(nodes) => nodes,
        };
        let authorities = match &self.ca_file {
            Some(_) if !nodes.tls => return Err(malformed("ca_file", CA_WITHOUT_TLS)),
            Some(path) => Some(std::fs::read(path).map_err(file("ca_file", path))?),
            None => None,
        };
        if nodes.login == Login::Readable {
            tracing::warn!(
                "cache: the password of Redis crosses the network readable; what is cached is sealed: write rediss:// to protect both"
            );
        }
        let target = Target::build(&nodes, authorities);
        target.map(Some).map_err(|problem| malformed(key, problem))
    }
}

const CA_WITHOUT_TLS: &str = "only rediss:// and rediss+cluster:// ask for a certificate: write one of them, or leave it away";

fn file(key: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::File { key, path, source }
}
