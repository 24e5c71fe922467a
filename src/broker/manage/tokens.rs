//! Tokens: reading, making, changing and deleting them. Their credentials have files of their own.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::change::{Edit, Edited};
use super::federated::NewCredential;
use super::optional::Optional;
use super::page::{Page, PageRequest};
use super::present::{Present, find_token, no_registry};
use super::read::{Read, Reading, asked};
use super::role::Role;
use super::target::{Noun, Place, Target};
use super::token_edit::{self, TokenRef};
use crate::broker::evidence::LastUses;
use crate::broker::{Error, FieldViolation};
use crate::model::{
    DefinitionChange, RegistryName, ScopeMapName, Status, Token, TokenName, TokenUid,
};

/// The tokens of a registry.
#[derive(Clone, Debug)]
pub struct ListTokens {
    /// The registry.
    pub registry: RegistryName,
    /// Only those tied to this scope map.
    pub scope_map: Option<ScopeMapName>,
    /// Which page.
    pub page: PageRequest,
}

impl Read for ListTokens {
    type Output = Page<Token>;

    fn target(&self) -> Target<'_> {
        let place = Place::Registry(&self.registry);
        Target { method: "ListTokens", role: Role::Viewer, place, definition: None }
    }

    async fn read(&self, reading: &Reading<'_>) -> Result<Page<Token>, Error> {
        if !reading.snapshot().has_registry(&self.registry) {
            return Err(no_registry(&self.registry));
        }
        let PageRequest { size, after } = self.page.clone();
        let (registry, scope_map) = (self.registry.clone(), self.scope_map.clone());
        let page = reading.store().tokens_after(registry, scope_map, after, size).await?;
        let next = page.items.last().filter(|_| page.more).map(|token| token.name.to_string());
        Ok(Page { items: page.items, next })
    }
}

/// One token.
#[derive(Clone, Debug)]
pub struct GetToken {
    /// The registry.
    pub registry: RegistryName,
    /// The token.
    pub name: TokenName,
}

impl Read for GetToken {
    type Output = (Token, LastUses);

    fn target(&self) -> Target<'_> {
        Target {
            method: "GetToken",
            role: Role::Viewer,
            place: Place::Registry(&self.registry),
            definition: Some((Noun::Token, self.name.as_str())),
        }
    }

    async fn read(&self, reading: &Reading<'_>) -> Result<(Token, LastUses), Error> {
        let token = find_token(reading.snapshot(), &self.registry, self.name.as_str())?;
        Ok((token.clone(), reading.last_uses(token).await?))
    }
}

/// A new token, without passwords.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateToken {
    /// The registry.
    pub registry: RegistryName,
    /// Its name.
    pub name: TokenName,
    /// The scope map that bounds it.
    pub scope_map: ScopeMapName,
    /// Whether it may be used.
    pub status: Status,
    /// What it is for.
    pub description: String,
    /// Who answers for it.
    pub owner: String,
    /// When it ends by itself.
    pub expire_time: Option<Timestamp>,
    /// What may act as it without a secret.
    pub federated_credentials: Vec<NewCredential>,
}

impl Edit for CreateToken {
    type Output = Token;

    fn target(&self) -> Target<'_> {
        token_edit::target("CreateToken", &self.registry, &self.name)
    }

    fn field(&self) -> &'static str {
        "token"
    }

    fn asked(&self) -> Value {
        asked(self)
    }

    fn edit(&self, present: &Present) -> Result<Edited<Token>, Error> {
        present.registry(&self.registry)?;
        if present.snapshot.token_named(&self.registry, self.name.as_str()).is_some() {
            return Err(Error::AlreadyExists(format!(
                "registry `{}` has a token `{}` already",
                self.registry, self.name
            )));
        }
        refuse_past(self.expire_time, present)?;
        let credentials = self.federated_credentials.iter();
        let made = Token {
            uid: TokenUid::new(present.now),
            registry: self.registry.clone(),
            name: self.name.clone(),
            scope_map: self.scope_map.clone(),
            status: self.status,
            description: self.description.as_str().into(),
            owner: self.owner.as_str().into(),
            expire_time: self.expire_time,
            passwords: Vec::new(),
            federated_credentials: credentials.map(|own| own.made(present.revision)).collect(),
            revision: present.revision,
            create_time: present.now,
            update_time: present.now,
            updated_by: present.actor().into(),
        };
        Ok(token_edit::put(made))
    }
}

/// A change of a token; what is absent stays as it is: being tied to another scope map never enables it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateToken {
    /// Which token.
    pub token: TokenRef,
    /// The scope map that bounds it.
    pub scope_map: Option<ScopeMapName>,
    /// Whether it may be used.
    pub status: Option<Status>,
    /// What it is for.
    pub description: Option<String>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// When it ends by itself; absent = never.
    pub expire_time: Optional<Timestamp>,
}

impl UpdateToken {
    /// A change that leaves everything as it is: what is to change is set in it.
    pub const fn none(token: TokenRef) -> Self {
        Self {
            token,
            scope_map: None,
            status: None,
            description: None,
            owner: None,
            expire_time: Optional::Keep,
        }
    }
}

impl Edit for UpdateToken {
    type Output = Token;

    fn target(&self) -> Target<'_> {
        self.token.target("UpdateToken")
    }

    fn field(&self) -> &'static str {
        "token"
    }

    fn asked(&self) -> Value {
        asked(self)
    }

    fn edit(&self, present: &Present) -> Result<Edited<Token>, Error> {
        refuse_past(self.expire_time.value().copied(), present)?;
        self.token.edit(present, |token| {
            if let Some(scope_map) = &self.scope_map {
                token.scope_map = scope_map.clone();
            }
            token.status = self.status.unwrap_or(token.status);
            if let Some(description) = &self.description {
                token.description = description.as_str().into();
            }
            if let Some(owner) = &self.owner {
                token.owner = owner.as_str().into();
            }
            token.expire_time = self.expire_time.applied_to(token.expire_time);
            Ok(())
        })
    }
}

/// The end of a token.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeleteToken {
    /// Which token.
    pub token: TokenRef,
}

impl Edit for DeleteToken {
    type Output = ();

    fn target(&self) -> Target<'_> {
        self.token.target("DeleteToken")
    }

    fn field(&self) -> &'static str {
        "name"
    }

    fn asked(&self) -> Value {
        asked(self)
    }

    fn edit(&self, present: &Present) -> Result<Edited<()>, Error> {
        let token = self.token.find(present)?;
        let gone = DefinitionChange::TokenGone {
            registry: token.registry.clone(),
            name: token.name.clone(),
        };
        Ok(Edited { changes: vec![gone], output: () })
    }
}

/// An end that is over would be taken for none by whoever reads the answer carelessly.
fn refuse_past(expire_time: Option<Timestamp>, present: &Present) -> Result<(), Error> {
    match expire_time {
        Some(end) if end <= present.now => Err(Error::InvalidRequest(vec![FieldViolation {
            field: "token.expire_time".to_owned(),
            description: format!("`{end}` is over already: to end a token now, disable it"),
        }])),
        Some(_) | None => Ok(()),
    }
}
