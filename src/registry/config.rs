//! The configuration of one registry, and of the keys that they share.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};

use super::Error;
use crate::model::{Clock, Lifetime, RegistryName, RegistryUid};
use crate::net::HttpClient;
use crate::policy::RegistryBounds;
use crate::seal::KeyRing;

/// One `[[registries]]` section.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Its name in dockpass.
    pub name: RegistryName,
    /// The host before its repositories, such as `registry.example.com`.
    pub host: String,
    /// Which driver.
    pub driver: DriverName,
    /// The `service` that the registry announces, and the `aud` of its JWTs.
    pub service: String,
    /// The `issuer` in the registry's configuration, and the `iss` of its JWTs.
    pub token_issuer: String,
    /// How a JWT names the key that signed it.
    #[serde(default)]
    pub key_reference: KeyReference,
    /// Answer token requests without any credential (for pulls that a token named `anonymous` allows).
    #[serde(default)]
    pub anonymous: bool,
    /// The lifetime of a request that names none; absent = 15 minutes.
    pub default_lifetime: Option<Lifetime>,
    /// The longest lifetime.
    pub max_lifetime: Option<Lifetime>,
    /// The life of a JWT, at most an hour; absent = 5 minutes.
    pub jwt_lifetime: Option<Lifetime>,
    /// Keep its access tokens in the memory of the replica that minted them, and never in Redis.
    #[serde(default)]
    pub local_only: bool,
    /// The secret with which the registry sends its notifications, in a file for its owner only; absent = none are taken.
    pub notifications_token_file: Option<PathBuf>,
}

impl Config {
    /// The life of a JWT, unless the configuration says otherwise: short, because a registry asks nobody whether it was revoked.
    pub const DEFAULT_JWT_LIFETIME: Duration = Duration::from_mins(5);
    /// The longest life of a JWT that may be configured.
    pub const MAX_JWT_LIFETIME: Duration = Duration::from_hours(1);

    /// What sessions call the registry: another host, service or driver is another registry, whatever its name.
    pub fn uid(&self) -> RegistryUid {
        let mut context = digest::Context::new(&digest::SHA256);
        for field in [self.name.as_str(), self.driver.as_str(), &self.host, &self.service] {
            context.update(&u64::try_from(field.len()).unwrap_or(u64::MAX).to_be_bytes());
            context.update(field.as_bytes());
        }
        let hash = context.finish();
        RegistryUid(hash.as_ref().first_chunk().copied().unwrap_or_default())
    }

    /// How it bounds lifetimes.
    pub fn bounds(&self) -> RegistryBounds {
        RegistryBounds {
            name: self.name.clone(),
            uid: self.uid(),
            default_lifetime: self.default_lifetime.unwrap_or(Lifetime::DEFAULT),
            max_lifetime: self.max_lifetime,
        }
    }

    /// How long a JWT lives at most.
    pub fn jwt_lifetime(&self) -> Duration {
        self.jwt_lifetime.map_or(Self::DEFAULT_JWT_LIFETIME, Lifetime::as_duration)
    }

    /// Says which key is malformed and what to write.
    ///
    /// # Errors
    /// With the registry and the key named.
    pub(super) fn refuse_malformed(&self) -> Result<(), Error> {
        let printable = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
        let host = printable(&self.host) && !self.host.contains(['/', '@', '?', '#', '\\', '"']);
        let short = self.jwt_lifetime() <= Self::MAX_JWT_LIFETIME;
        let rules = [
            (host, "host is what stands before its repositories: a name, or name:port"),
            (printable(&self.service), "service is a text without blanks, as the registry has it"),
            (
                printable(&self.token_issuer),
                "token_issuer is a text without blanks, as the registry has it in `issuer`",
            ),
            (short, "jwt_lifetime is at most 1h: a registry asks nobody whether a JWT was revoked"),
        ];
        match rules.into_iter().find(|(kept, _)| !kept) {
            Some((_, rule)) => Err(Error::Config(format!("registry `{}`: {rule}", self.name))),
            None => Ok(()),
        }
    }
}

/// The drivers.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DriverName {
    /// The CNCF distribution registry, and others that accept its token format.
    Distribution,
}

impl DriverName {
    /// The name as it is configured.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Distribution => "distribution",
        }
    }
}

/// How a JWT names the key that signed it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyReference {
    /// By the fingerprint of a key that the registry knows.
    Kid,
    /// By a certificate chain to a root that the registry knows.
    #[default]
    X5c,
}

/// The `[keys]` section, but for the seal keys.
#[derive(Clone, Debug, Default)]
pub struct KeysConfig {
    /// The root certificate of x5c mode (PEM), and after it others that registries shall trust too.
    pub root_certificate_file: PathBuf,
    /// Its private key (PEM, PKCS #8), readable by its owner only.
    pub root_key_file: PathBuf,
    /// What is done when both are missing.
    pub without_root: WithoutRoot,
    /// The private keys of kid mode, the active one first.
    pub signing_key_files: Vec<PathBuf>,
    /// Certificates that must have nothing to do with the root: the TLS certificate and the client CA (attack clause G8).
    pub foreign_certificate_files: Vec<PathBuf>,
}

/// What is done when there is no root.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum WithoutRoot {
    /// One is made.
    #[default]
    Make,
    /// Nothing starts: several brokers have one root, which no one of them can make for the others.
    Refuse,
}

/// What the drivers need.
#[derive(Clone, Debug)]
pub struct Dependencies {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Seals sessions.
    pub ring: Arc<KeyRing>,
    /// Reaches registries.
    pub http: HttpClient,
    /// Where dockpass's own HTTP endpoint is seen from outside, without a slash at its end: the realm's base.
    pub external_url: String,
}
