//! The configuration of one issuer of identity tokens.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::model::{IssuerUrl, Lifetime};

/// One `[[issuers]]` section.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
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

impl IssuerConfig {
    /// True when many tenants share the issuer, because the configuration says so or because it is known.
    pub fn is_shared(&self) -> bool {
        self.shared || SHARED_ISSUERS.contains(&self.issuer.as_str())
    }
}

/// Public issuers whose tokens anybody can get.
const SHARED_ISSUERS: [&str; 4] = [
    "https://token.actions.githubusercontent.com",
    "https://gitlab.com",
    "https://accounts.google.com",
    "https://agent.buildkite.com",
];

/// A signature algorithm of identity tokens (RFC 7518, RFC 8037).
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
