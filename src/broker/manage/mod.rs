//! Management: what operators do to scope maps, tokens and their credentials.
//!
//! Each thing that an operator can ask for is a type of its own: an [`Edit`], which makes changes of the definitions in force, or a
//! [`Read`]. `Broker::change` and `Broker::read` verify who asks, look at the role, and leave the audit event.

mod authority;
mod change;
mod etag;
mod federated;
mod limits;
mod operator;
mod optional;
mod page;
mod passwords;
mod policy_file;
mod present;
mod preview;
mod read;
mod registries;
mod role;
mod scope_map_edits;
mod scope_maps;
mod target;
mod token_edit;
mod tokens;

pub use self::authority::Authority;
pub use self::change::{Edit, Edited};
pub use self::etag::Etag;
pub use self::federated::{AddFederatedCredential, NewCredential, RemoveFederatedCredential};
pub use self::operator::{Known, LocalUser, Operator};
pub use self::optional::Optional;
pub use self::page::{Page, PageRequest};
pub use self::passwords::{DeletePassword, Expiry, GeneratePassword, Generated};
pub use self::policy_file::{
    ApplyPolicy, Candidate, Compared, ExportPolicy, Exported, PlanPolicy, Planned, SendPolicyFile,
};
pub use self::present::Present;
pub use self::preview::{Preview, PreviewScopeMapUpdate};
pub use self::read::{Read, Reading};
pub use self::registries::{CheckRegistry, GetRegistry, ListRegistries, RegistryView};
pub use self::role::{AdminConfig, Role};
pub use self::scope_map_edits::{
    CreateScopeMap, DeleteScopeMap, PermissionsUpdate, Tied, UpdateScopeMap,
};
pub use self::scope_maps::{GetScopeMap, ListScopeMaps};
pub use self::target::{Noun, Place, Target};
pub use self::token_edit::TokenRef;
pub use self::tokens::{CreateToken, DeleteToken, GetToken, ListTokens, UpdateToken};

pub use crate::policy::{Change as Difference, Rest};

pub(super) use self::role::Admins;

#[cfg(test)]
mod for_test;
#[cfg(test)]
mod tests;
