//! The nouns of dockpass: names, actions, permissions, patterns, lifetimes, secrets and the definitions of policy.
//!
//! Nothing here does I/O. Every type is made by parsing, so a value that exists is well formed:
//! a [`RepositoryName`] passed the OCI grammar, an [`ActionSet`] holds known actions only.

mod action;
mod caller;
mod change;
mod claim_table;
mod clock;
mod condition;
mod exact;
mod federated_credential;
mod few;
mod glob;
mod id;
mod lifetime;
mod name;
mod network;
mod pattern;
mod permission;
mod reason;
mod request;
mod scope_map;
mod secret;
mod sharded_map;
mod text;
mod token;

pub use self::action::{Action, ActionSet};
pub use self::caller::{Claims, JsonObject};
pub use self::change::DefinitionChange;
pub(crate) use self::change::differing;
pub use self::claim_table::{Claim, ClaimTable, HashedName, Members};
pub use self::clock::{Clock, ManualClock, OffsetClock, SystemClock};
pub use self::condition::{Accepted, ClaimCondition, ClaimName};
pub use self::federated_credential::{FederatedCredential, SubjectRule};
pub use self::few::Few;
pub use self::glob::Glob;
pub use self::id::{AccessTokenId, DecisionId, NotAnId, RegistryUid, TokenUid};
pub use self::lifetime::Lifetime;
pub use self::name::{
    FederatedCredentialName, InvalidName, IssuerUrl, RegistryName, RepositoryName, ScopeMapName,
    TokenName,
};
pub use self::network::caller_network;
pub use self::pattern::{RepositoryPattern, Segment};
pub use self::permission::{Permission, Permissions};
pub use self::reason::Reason;
pub use self::request::{AccessRequest, Form, MAX_PERMISSIONS, Reuse};
pub use self::scope_map::{Definitions, ScopeMap};
pub use self::secret::{PasswordHash, PasswordSecret, Secret, checksummed, strip_checksum};
pub use self::sharded_map::ShardedMap;
pub use self::text::{Text, Texts};
pub use self::token::{CredentialRef, Password, PasswordSlot, Status, Token};
