//! What a caller asks for.

use std::time::Duration;

use super::{Lifetime, Permissions, RegistryName, TokenName};

/// The most repositories that one request may name.
pub const MAX_PERMISSIONS: usize = 100;

/// A request for access, well formed but not yet allowed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AccessRequest {
    /// The registry, by its configured name.
    pub registry: RegistryName,
    /// What is wanted: 1 to [`MAX_PERMISSIONS`] repositories, or none where a session is asked for (a docker login).
    pub permissions: Permissions,
    /// The lifetime wanted; none = the default. Longer than allowed is shortened.
    pub lifetime: Option<Lifetime>,
    /// Act as this token; none = the broker finds it.
    pub token_name: Option<TokenName>,
    /// The forms of credential wanted.
    pub form: Form,
    /// Whether an access token that was handed out before will do.
    pub reuse: Reuse,
}

/// Which forms of credential are wanted.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Form {
    /// Username and password, for any docker client.
    Password,
    /// The same, and the bearer token that is sent to the registry directly.
    PasswordAndBearer,
}

/// Whether an access token that was handed out before will do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reuse {
    /// Never: for a job that will revoke what it got.
    Never,
    /// When it has at least this much left.
    WithRemaining(Duration),
}

impl Default for Reuse {
    fn default() -> Self {
        Self::WithRemaining(Lifetime::MIN.as_duration())
    }
}
