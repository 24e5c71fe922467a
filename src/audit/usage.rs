//! What a registry reported: a push, a pull, a mount or a deletion, with the access token that allowed it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Kind;
use crate::model::{
    AccessTokenId, Action, ActionSet, CredentialRef, DecisionId, RegistryName, RepositoryName,
    ScopeMapName, TokenName, TokenUid,
};

/// One use of a registry, as it reported it. Who it was and from where stands in the event, as of every other event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Use {
    /// The registry.
    pub registry: RegistryName,
    /// The repository.
    pub repository: RepositoryName,
    /// Of a mount: where the content was already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_repository: Option<RepositoryName>,
    /// The tag, where one was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// The digest of the content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The media type of the content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// The length of the content, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// When, by the registry's clock.
    pub time: Timestamp,
    /// The registry's name for the request, as in its log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// What the client called itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// The access token that the registry was shown; absent = it names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token: Option<AccessTokenId>,
    /// What allowed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<By>,
    /// Why no access token of ours explains it; absent = one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bypass: Option<Bypass>,
}

/// The decision that gave the access token of a use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct By {
    /// The decision.
    pub decision: DecisionId,
    /// The token that was acted as.
    pub token: TokenUid,
    /// Its name.
    pub token_name: TokenName,
    /// The scope map that allowed it.
    pub scope_map: ScopeMapName,
    /// The credential that admitted the identity.
    pub credential: CredentialRef,
}

/// Why no access token of ours explains a use: somebody has another way into the registry.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bypass {
    /// The access token had ended.
    Ended,
    /// The registry names nobody, or somebody who is no access token of ours.
    NoAccessToken,
    /// The access token was given for other repositories or actions.
    NotGiven,
    /// The access token was given for another registry.
    OtherRegistry,
    /// The trail holds no decision that gave the access token.
    Unknown,
}

impl Bypass {
    /// The word for it, in lower snake case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ended => "ended",
            Self::NoAccessToken => "no_access_token",
            Self::NotGiven => "not_given",
            Self::OtherRegistry => "other_registry",
            Self::Unknown => "unknown",
        }
    }
}

/// What was done in a registry.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Deed {
    /// Content was deleted.
    Delete,
    /// Content of another repository was linked.
    Mount,
    /// Content was read.
    Pull,
    /// Content was written.
    Push,
}

impl Deed {
    /// The kind of its event.
    pub const fn kind(self) -> Kind {
        match self {
            Self::Delete => Kind::RegistryDelete,
            Self::Mount => Kind::RegistryMount,
            Self::Pull => Kind::RegistryPull,
            Self::Push => Kind::RegistryPush,
        }
    }

    /// What became of the repository, in words.
    pub const fn past(self) -> &'static str {
        match self {
            Self::Delete => "deleted from",
            Self::Mount => "mounted into",
            Self::Pull => "pulled from",
            Self::Push => "pushed to",
        }
    }

    /// What it takes in the repository.
    pub fn needs(self) -> ActionSet {
        match self {
            Self::Delete => Action::ContentDelete.into(),
            Self::Mount | Self::Push => Action::ContentWrite.into(),
            Self::Pull => Action::ContentRead.into(),
        }
    }
}
