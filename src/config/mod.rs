//! The configuration: one file, `dockpass.toml`, and environment variables that override single keys of it.
//!
//! Each section is the typed configuration of the part that it configures. Unknown keys are errors. Relative paths start at
//! `data_dir`, and `data_dir` itself at the folder of the file.

mod check;
mod load;
mod sections;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::broker::manage::AdminConfig;
use crate::policy::Context;
use crate::{cache, identity, listen, registry, store, telemetry};

pub use self::load::Error;
pub use self::sections::{Http, Keys};

/// The whole configuration.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The folder of the journal, the index and the generated keys.
    pub data_dir: PathBuf,
    /// The gRPC listener.
    pub grpc: listen::Config,
    /// The listener of the docker token endpoint, and how it is seen from outside.
    pub http: Http,
    /// The listener of health and metrics.
    pub ops: listen::Config,
    /// TLS for all listeners; absent = loopback only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<listen::TlsConfig>,
    /// Serve beyond loopback without TLS: every credential crosses the network readable. Only behind something that adds TLS.
    pub dangerously_serve_secrets_without_tls: bool,
    /// Definitions and audit journal.
    pub store: store::Config,
    /// Access tokens that were minted already.
    pub cache: cache::Config,
    /// Seal keys, root and signing keys.
    pub keys: Keys,
    /// Rate and size limits.
    pub limits: crate::broker::LimitsConfig,
    /// Log output.
    pub log: telemetry::Config,
    /// The issuers of identity tokens.
    pub issuers: Vec<identity::IssuerConfig>,
    /// The registries.
    pub registries: Vec<registry::Config>,
    /// Who may manage.
    pub admins: Vec<AdminConfig>,
}

impl Default for Config {
    fn default() -> Self {
        let loopback = |port| listen::Config { listen: ([127, 0, 0, 1], port).into() };
        Self {
            data_dir: PathBuf::from("."),
            grpc: loopback(7443),
            http: Http::default(),
            ops: loopback(7090),
            tls: None,
            dangerously_serve_secrets_without_tls: false,
            store: store::Config::default(),
            cache: cache::Config::default(),
            keys: Keys::default(),
            limits: crate::broker::LimitsConfig::default(),
            log: telemetry::Config::default(),
            issuers: Vec::new(),
            registries: Vec::new(),
            admins: Vec::new(),
        }
    }
}

impl Config {
    /// True when other brokers may work on the same store or cache: then they have the same keys, which no one of them makes for itself.
    pub fn is_shared(&self) -> bool {
        self.store.is_shared() || self.cache.is_shared()
    }

    /// What of the configuration bounds policy.
    pub fn policy_context(&self) -> Context {
        Context {
            registries: self.registries.iter().map(registry::Config::bounds).collect(),
            issuers: self
                .issuers
                .iter()
                .map(|issuer| crate::policy::Issuer {
                    issuer: issuer.issuer.clone(),
                    shared: issuer.is_shared(),
                })
                .collect(),
        }
    }
}
