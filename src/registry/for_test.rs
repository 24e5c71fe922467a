//! Configurations for the tests of this module.

use std::path::Path;
use std::sync::Arc;

use super::{Config, Dependencies, DriverName, KeyReference, KeysConfig, WithoutRoot};
use crate::model::Clock;
use crate::net::{self, HttpClient};
use crate::seal::KeyRing;

impl Config {
    /// A registry in x5c mode with every default.
    pub(super) fn for_test() -> Self {
        Self {
            name: "local".parse().unwrap(),
            host: "localhost:5000".to_owned(),
            driver: DriverName::Distribution,
            service: "registry.test".to_owned(),
            token_issuer: "dockpass".to_owned(),
            key_reference: KeyReference::X5c,
            anonymous: false,
            default_lifetime: None,
            max_lifetime: None,
            jwt_lifetime: None,
            local_only: false,
            notifications_token_file: None,
        }
    }
}

impl KeysConfig {
    /// A root in a folder, and as many signing keys.
    pub(super) fn for_test(folder: &Path, signing_keys: usize) -> Self {
        let signing_key = |number| {
            let path = folder.join(format!("signing{number}.key"));
            let pem = rcgen::KeyPair::generate().unwrap().serialize_pem();
            crate::seal::private_file::create(&path, &pem).unwrap();
            path
        };
        Self {
            root_certificate_file: folder.join("root.crt"),
            root_key_file: folder.join("root.key"),
            without_root: WithoutRoot::Make,
            signing_key_files: (0..signing_keys).map(signing_key).collect(),
            foreign_certificate_files: Vec::new(),
        }
    }
}

impl Dependencies {
    /// Dependencies that reach loopback only.
    pub(super) fn for_test(clock: impl Clock + 'static) -> Self {
        let http = net::Config { ca_file: None, loopback_http: true };
        Self {
            clock: Arc::new(clock),
            ring: Arc::new(KeyRing::ephemeral().unwrap()),
            http: HttpClient::build(&http).unwrap(),
            external_url: "http://localhost:7080".to_owned(),
        }
    }
}
