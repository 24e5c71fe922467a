//! The configuration of one issuer of identity tokens.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{IssuerUrl, Lifetime};

/// One `[[issuers]]` section.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the configuration file")]
pub struct IssuerConfig {
    /// The `iss` of its tokens, byte for byte.
    pub issuer: IssuerUrl,
    /// The `aud` that its tokens must have, exactly. Mandatory.
    pub audience: String,
    /// Many tenants share the issuer, so federated credentials must bind one. Known public issuers are shared by themselves.
    #[serde(default)]
    pub shared: bool,
    /// Keys from this JWKS file (reloaded when it changes) instead of discovery.
    pub jwks_file: Option<PathBuf>,
    /// Hosts (`host` or `host:port`) beside the issuer's own that its discovery may name as the place of its keys.
    #[serde(default)]
    pub jwks_hosts: Vec<String>,
    /// Trust these certificates (PEM) when its keys are fetched.
    pub ca_file: Option<PathBuf>,
    /// The algorithms that are accepted; absent = all asymmetric ones that dockpass knows, each as its key says.
    pub algorithms: Option<Vec<Algorithm>>,
    /// The longest life (`exp` - `iat`) of a token; absent = 24 hours.
    pub longest_token_life: Option<Lifetime>,
    /// Accept a list of audiences that holds ours among others.
    #[serde(default)]
    pub allow_multiple_audiences: bool,
    /// Accept each token (`jti`) once.
    #[serde(default)]
    pub single_use: bool,
    /// The issuer is reached over `http://` on a loopback address: for `dev` and tests.
    #[serde(default)]
    pub loopback_http: bool,
}

/// Audiences that belong to others: a token for one of them was made for somebody else, and would be accepted there too.
const FOREIGN_AUDIENCES: [&str; 6] = [
    "api://AzureADTokenExchange",
    "api://AzureADTokenExchangeUSGov",
    "api://AzureADTokenExchangeChina",
    "sts.amazonaws.com",
    "https://kubernetes.default.svc",
    "https://kubernetes.default.svc.cluster.local",
];

impl IssuerConfig {
    const LONGEST_TOKEN_LIFE: Duration = Duration::from_hours(24);

    /// The longest life of a token.
    pub(super) fn longest_life(&self) -> Duration {
        self.longest_token_life.map_or(Self::LONGEST_TOKEN_LIFE, Lifetime::as_duration)
    }

    /// True when an algorithm may be used.
    pub(super) fn accepts(&self, algorithm: Algorithm) -> bool {
        self.algorithms.as_ref().is_none_or(|accepted| accepted.contains(&algorithm))
    }

    /// True when many tenants share the issuer, because the configuration says so or because it is known.
    pub fn is_shared(&self) -> bool {
        self.shared || super::oidc::known::is_shared(self.issuer.as_str())
    }

    /// Looks for what cannot be meant.
    ///
    /// # Errors
    /// What is wrong, and what to do.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        if self.audience.trim().is_empty() {
            return Err(
                "`audience` is empty: set it to a text of your own, such as the broker's URL",
            );
        }
        if FOREIGN_AUDIENCES.contains(&self.audience.as_str()) {
            return Err(
                "`audience` belongs to another service: have tokens made with one of your own",
            );
        }
        if self.algorithms.as_ref().is_some_and(Vec::is_empty) {
            return Err("`algorithms` is empty: leave it out to accept all");
        }
        if self.jwks_file.is_some() && (self.ca_file.is_some() || !self.jwks_hosts.is_empty()) {
            return Err(
                "with `jwks_file` nothing is fetched: leave out `ca_file` and `jwks_hosts`",
            );
        }
        if self.jwks_file.is_none()
            && !self.loopback_http
            && !self.issuer.as_str().starts_with("https://")
        {
            return Err(
                "its keys can be fetched over https only: use an https issuer, or `jwks_file`",
            );
        }
        Ok(())
    }
}

/// A signature algorithm of identity tokens (RFC 7518, RFC 8037). There is none with a shared secret.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Deserialize, Serialize)]
#[expect(missing_docs, reason = "the names of the RFC")]
pub enum Algorithm {
    #[serde(rename = "EdDSA")]
    EdDsa,
    ES256,
    ES384,
    PS256,
    PS384,
    PS512,
    RS256,
    RS384,
    RS512,
}

impl Algorithm {
    /// Reads the name as in the `alg` of a header or key, case and all.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "EdDSA" => Self::EdDsa,
            "ES256" => Self::ES256,
            "ES384" => Self::ES384,
            "PS256" => Self::PS256,
            "PS384" => Self::PS384,
            "PS512" => Self::PS512,
            "RS256" => Self::RS256,
            "RS384" => Self::RS384,
            "RS512" => Self::RS512,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(toml: &str) -> Result<IssuerConfig, toml::de::Error> {
        toml::from_str(toml)
    }

    #[test]
    fn b2_an_issuer_without_audience_is_refused() {
        assert!(config("issuer = 'https://a'").is_err());
        for audience in ["", " ", "\\t"] {
            let config =
                config(&format!("issuer = 'https://a'\naudience = \"{audience}\"")).unwrap();
            assert!(config.check().unwrap_err().contains("audience"));
        }
        assert!(config("issuer = 'https://a'\naudience = 'b'").unwrap().check().is_ok());
    }

    #[test]
    fn b10_audiences_of_others_are_refused() {
        for audience in FOREIGN_AUDIENCES {
            let config = config(&format!("issuer = 'https://a'\naudience = '{audience}'")).unwrap();
            assert!(config.check().unwrap_err().contains("another service"), "{audience}");
        }
    }

    #[test]
    fn an_issuer_is_shared_by_its_configuration_or_as_a_known_one() {
        let shared = |issuer: &str, more: &str| {
            let text = format!("issuer = '{issuer}'\naudience = 'b'\n{more}");
            config(&text).unwrap().is_shared()
        };
        assert!(shared("https://gitlab.com", ""));
        assert!(shared("https://gitlab.com", "shared = false"));
        assert!(!shared("https://gitlab.example.com", ""));
        assert!(shared("https://gitlab.example.com", "shared = true"));
    }

    #[test]
    fn d2_an_http_issuer_needs_the_switch_or_a_file() {
        let base = "issuer = 'http://localhost:1'\naudience = 'b'\n";
        assert!(config(base).unwrap().check().is_err());
        assert!(config(&format!("{base}loopback_http = true")).unwrap().check().is_ok());
        assert!(config(&format!("{base}jwks_file = 'x'")).unwrap().check().is_ok());
    }

    #[test]
    fn unknown_keys_symmetric_algorithms_and_contradictions_are_refused() {
        let base = "issuer = 'https://a'\naudience = 'b'\n";
        for line in [
            "algorithms = ['HS256']",
            "algorithms = ['none']",
            "insecure = true",
            "skip_verify = true",
        ] {
            assert!(config(&format!("{base}{line}")).is_err(), "{line}");
        }
        for line in ["algorithms = []", "jwks_file = 'x'\nca_file = 'y'"] {
            assert!(config(&format!("{base}{line}")).unwrap().check().is_err(), "{line}");
        }
    }
}
