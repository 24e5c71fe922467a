//! The sections of a policy file, as they are written.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use toml::Spanned;

use super::values;
use crate::model::{
    ActionSet, ClaimName, FederatedCredentialName, IssuerUrl, Lifetime, RegistryName,
    RepositoryName, RepositoryPattern, ScopeMapName, Status, SubjectRule, TokenName,
};

/// The whole file.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sections {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) scope_maps: Vec<ScopeMap>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) tokens: Vec<Token>,
    #[serde(default, skip_serializing)]
    pub(super) tests: Vec<Test>,
}

/// `[[scope_maps]]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ScopeMap {
    pub(super) registry: RegistryName,
    #[serde(serialize_with = "values::unspanned")]
    pub(super) name: Spanned<ScopeMapName>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) description: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) owner: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_lifetime: Option<Lifetime>,
    pub(super) permissions: BTreeMap<RepositoryPattern, ActionSet>,
}

/// `[[tokens]]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Token {
    pub(super) registry: RegistryName,
    #[serde(serialize_with = "values::unspanned")]
    pub(super) name: Spanned<TokenName>,
    pub(super) scope_map: ScopeMapName,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) description: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) owner: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<Status>,
    #[serde(default, deserialize_with = "values::time", skip_serializing_if = "Option::is_none")]
    pub(super) expire_time: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) federated_credentials: Vec<FederatedCredential>,
}

/// `[[tokens.federated_credentials]]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FederatedCredential {
    #[serde(serialize_with = "values::unspanned")]
    pub(super) name: Spanned<FederatedCredentialName>,
    pub(super) issuer: IssuerUrl,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) subject: Option<SubjectRule>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_lifetime: Option<Lifetime>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) bind_to_identity_expiry: bool,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) claims: BTreeMap<ClaimName, values::AcceptedValues>,
}

/// `[[tests]]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(in crate::policy) struct Test {
    #[serde(rename = "as")]
    pub(in crate::policy) caller: TestCaller,
    pub(in crate::policy) request: TestRequest,
    pub(in crate::policy) expect: Expectation,
    /// The token that must allow it.
    pub(in crate::policy) token_name: Option<TokenName>,
}

/// Who asks.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(in crate::policy) struct TestCaller {
    pub(in crate::policy) issuer: IssuerUrl,
    pub(in crate::policy) subject: String,
    #[serde(default)]
    pub(in crate::policy) claims: Map<String, Value>,
}

/// For what.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(in crate::policy) struct TestRequest {
    pub(in crate::policy) registry: RegistryName,
    pub(in crate::policy) repository: RepositoryName,
    pub(in crate::policy) actions: ActionSet,
    pub(in crate::policy) lifetime: Option<Lifetime>,
    /// Act as this token.
    pub(in crate::policy) token_name: Option<TokenName>,
}

/// What must come.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::policy) enum Expectation {
    Allow,
    Deny,
}
