//! The sections that belong to no single part.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The `[http]` section.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    /// The address and port; port 0 takes a free one.
    pub listen: std::net::SocketAddr,
    /// How docker clients and registries reach it, without a slash at its end; https with a DNS name outside of tests.
    pub external_url: String,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: ([127, 0, 0, 1], 7080).into(),
            external_url: "http://localhost:7080".to_owned(),
        }
    }
}

/// The `[keys]` section.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Keys {
    /// The ring that seals sessions: the first key seals, all open. Generated when it is missing.
    pub seal_keys_file: PathBuf,
    /// The root certificate of x5c mode, dedicated to this purpose. Generated with its key when both are missing.
    pub root_certificate_file: PathBuf,
    /// Its private key.
    pub root_key_file: PathBuf,
    /// The signing keys of kid mode, the active one first.
    pub signing_key_files: Vec<PathBuf>,
    /// The key that signs checkpoints of the audit journal. Generated when it is missing.
    pub audit_key_file: PathBuf,
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            seal_keys_file: "seal.keys".into(),
            root_certificate_file: "root.crt".into(),
            root_key_file: "root.key".into(),
            signing_key_files: Vec::new(),
            audit_key_file: "audit.key".into(),
        }
    }
}
