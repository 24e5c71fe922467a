//! Making, changing and deleting scope maps: the boundaries, which need an editor.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::change::{Edit, Edited};
use super::etag::Etag;
use super::optional::Optional;
use super::present::Present;
use super::read::asked;
use super::role::Role;
use super::target::{Noun, Place, Target};
use crate::broker::{Error, FieldViolation};
use crate::model::{
    ActionSet, DefinitionChange, Lifetime, RegistryName, RepositoryPattern, ScopeMap, ScopeMapName,
    Status, Token, TokenName,
};

/// The most names of tokens that a refusal lists: they travel in a header.
const NAMED: usize = 50;

/// A new scope map.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateScopeMap {
    /// The registry.
    pub registry: RegistryName,
    /// Its name.
    pub name: ScopeMapName,
    /// What it is for.
    pub description: String,
    /// Who answers for it.
    pub owner: String,
    /// What it allows.
    pub permissions: BTreeMap<RepositoryPattern, ActionSet>,
    /// The longest lifetime under it.
    pub max_lifetime: Option<Lifetime>,
}

impl Edit for CreateScopeMap {
    type Output = ScopeMap;

    fn target(&self) -> Target<'_> {
        target("CreateScopeMap", &self.registry, &self.name)
    }

    fn field(&self) -> &'static str {
        "scope_map"
    }

    fn asked(&self) -> Value {
        asked(self)
    }

    fn edit(&self, present: &Present) -> Result<Edited<ScopeMap>, Error> {
        present.registry(&self.registry)?;
        if present.snapshot.scope_map(&self.registry, self.name.as_str()).is_some() {
            return Err(Error::AlreadyExists(format!(
                "registry `{}` has a scope map `{}` already",
                self.registry, self.name
            )));
        }
        let made = ScopeMap {
            registry: self.registry.clone(),
            name: self.name.clone(),
            description: self.description.as_str().into(),
            owner: self.owner.as_str().into(),
            permissions: self.permissions.clone(),
            max_lifetime: self.max_lifetime,
            system: false,
            revision: present.revision,
            create_time: present.now,
            update_time: present.now,
            updated_by: present.actor().into(),
        };
        Ok(put(made))
    }
}

/// What becomes of the permissions of a scope map.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum PermissionsUpdate {
    /// They stay.
    Keep,
    /// They are these.
    Replace(BTreeMap<RepositoryPattern, ActionSet>),
    /// Some actions come and some go, whatever there is: two such changes at once do not undo each other.
    Adjust {
        /// What comes.
        add: BTreeMap<RepositoryPattern, ActionSet>,
        /// What goes; what is not there is gone already.
        remove: BTreeMap<RepositoryPattern, ActionSet>,
    },
}

/// A change of a scope map; what is absent stays as it is.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateScopeMap {
    /// The registry.
    pub registry: RegistryName,
    /// The scope map.
    pub name: ScopeMapName,
    /// The content that the change was made from.
    pub etag: Option<Etag>,
    /// What it is for.
    pub description: Option<String>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// What it allows.
    pub permissions: PermissionsUpdate,
    /// The longest lifetime under it; absent = the registry's.
    pub max_lifetime: Optional<Lifetime>,
}

impl UpdateScopeMap {
    /// The scope map after the change, without the marks of it.
    pub(super) fn applied_to(&self, before: &ScopeMap) -> Result<ScopeMap, Error> {
        let mut after = before.clone();
        if let Some(description) = &self.description {
            after.description = description.as_str().into();
        }
        if let Some(owner) = &self.owner {
            after.owner = owner.as_str().into();
        }
        after.max_lifetime = self.max_lifetime.applied_to(before.max_lifetime);
        match &self.permissions {
            PermissionsUpdate::Keep => {}
            PermissionsUpdate::Replace(all) => after.permissions.clone_from(all),
            PermissionsUpdate::Adjust { add, remove } => {
                adjust(&mut after.permissions, add, remove)?;
            }
        }
        Ok(after)
    }
}

impl Edit for UpdateScopeMap {
    type Output = ScopeMap;

    fn target(&self) -> Target<'_> {
        target("UpdateScopeMap", &self.registry, &self.name)
    }

    fn field(&self) -> &'static str {
        "scope_map"
    }

    fn asked(&self) -> Value {
        asked(self)
    }

    fn edit(&self, present: &Present) -> Result<Edited<ScopeMap>, Error> {
        let before = present.scope_map(&self.registry, self.name.as_str())?;
        Etag::of_scope_map(before).refuse_other(self.etag.as_ref())?;
        let after = self.applied_to(before)?;
        if after == *before {
            return Ok(Edited { changes: Vec::new(), output: after });
        }
        Ok(put(ScopeMap {
            revision: present.revision,
            update_time: present.now,
            updated_by: present.actor().into(),
            ..after
        }))
    }
}

fn adjust(
    permissions: &mut BTreeMap<RepositoryPattern, ActionSet>,
    add: &BTreeMap<RepositoryPattern, ActionSet>,
    remove: &BTreeMap<RepositoryPattern, ActionSet>,
) -> Result<(), Error> {
    let both = |(pattern, actions): (&RepositoryPattern, &ActionSet)| {
        let twice = remove.get(pattern).map_or(ActionSet::EMPTY, |own| own.intersection(*actions));
        (!twice.is_empty()).then(|| format!("{twice} on `{pattern}` is added and removed: choose"))
    };
    if let Some(description) = add.iter().find_map(both) {
        let field = "add_permissions".to_owned();
        return Err(Error::InvalidRequest(vec![FieldViolation { field, description }]));
    }
    for (pattern, actions) in add {
        let own = permissions.entry(pattern.clone()).or_default();
        *own = own.union(*actions);
    }
    for (pattern, actions) in remove {
        if let Some(own) = permissions.get_mut(pattern) {
            *own = own.difference(*actions);
        }
    }
    permissions.retain(|_, actions| !actions.is_empty());
    Ok(())
}

/// The end of a scope map.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeleteScopeMap {
    /// The registry.
    pub registry: RegistryName,
    /// The scope map.
    pub name: ScopeMapName,
    /// The content that is meant.
    pub etag: Option<Etag>,
    /// What becomes of the tokens that are tied to it.
    pub tied: Tied,
}

/// What becomes of the tokens that are tied to a scope map that is to be deleted.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Tied {
    /// They keep it from being deleted.
    Refuse,
    /// They are disabled.
    Disable,
}

impl Edit for DeleteScopeMap {
    /// The tokens that were disabled.
    type Output = Vec<TokenName>;

    fn target(&self) -> Target<'_> {
        target("DeleteScopeMap", &self.registry, &self.name)
    }

    fn field(&self) -> &'static str {
        "name"
    }

    fn asked(&self) -> Value {
        asked(self)
    }

    fn edit(&self, present: &Present) -> Result<Edited<Vec<TokenName>>, Error> {
        let before = present.scope_map(&self.registry, self.name.as_str())?;
        Etag::of_scope_map(before).refuse_other(self.etag.as_ref())?;
        let tied = present.snapshot.tokens_of(&self.registry, self.name.as_str());
        if self.tied == Tied::Refuse && !tied.is_empty() {
            return Err(in_use(before, &tied));
        }
        let enabled = tied.into_iter().filter(|token| token.status == Status::Enabled);
        let disabled: Vec<Token> = enabled.map(|token| disabled(token, present)).collect();
        let output = disabled.iter().map(|token| token.name.clone()).collect();
        let gone = DefinitionChange::ScopeMapGone {
            registry: self.registry.clone(),
            name: self.name.clone(),
        };
        let disabled =
            disabled.into_iter().map(|token| DefinitionChange::TokenPut(Box::new(token)));
        Ok(Edited { changes: std::iter::once(gone).chain(disabled).collect(), output })
    }
}

fn disabled(token: &Token, present: &Present) -> Token {
    Token {
        status: Status::Disabled,
        revision: present.revision,
        update_time: present.now,
        updated_by: present.actor().into(),
        ..token.clone()
    }
}

fn in_use(map: &ScopeMap, tokens: &[&Token]) -> Error {
    let named: Vec<_> =
        tokens.iter().take(NAMED).map(|token| format!("`{}`", token.name)).collect();
    let others = match tokens.len().saturating_sub(NAMED) {
        0 => String::new(),
        others => format!(" and {others} more"),
    };
    Error::InUse(format!(
        "scope map `{}` is used by the tokens {}{others}: tie them to another, or force it, which disables them",
        map.name,
        named.join(", ")
    ))
}

fn put(map: ScopeMap) -> Edited<ScopeMap> {
    Edited { changes: vec![DefinitionChange::ScopeMapPut(Box::new(map.clone()))], output: map }
}

fn target<'a>(
    method: &'static str,
    registry: &'a RegistryName,
    name: &'a ScopeMapName,
) -> Target<'a> {
    Target {
        method,
        role: Role::Editor,
        place: Place::Registry(registry),
        definition: Some((Noun::ScopeMap, name.as_str())),
    }
}
