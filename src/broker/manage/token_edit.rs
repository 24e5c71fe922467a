//! What every change of a token has: which one, the content that is meant, and the marks of the change.

use serde::Serialize;

use super::change::Edited;
use super::etag::Etag;
use super::present::Present;
use super::role::Role;
use super::target::{Noun, Place, Target};
use crate::broker::Error;
use crate::model::{DefinitionChange, RegistryName, Token, TokenName};

/// Which token, and which content of it is meant.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenRef {
    /// The registry.
    pub registry: RegistryName,
    /// The token.
    pub name: TokenName,
    /// The content that the change was made from.
    pub etag: Option<Etag>,
}

impl TokenRef {
    pub(super) fn target(&self, method: &'static str) -> Target<'_> {
        target(method, &self.registry, &self.name)
    }

    /// The token, if it has the content that is meant.
    pub(super) fn find<'a>(&self, present: &'a Present) -> Result<&'a Token, Error> {
        let token = present.token(&self.registry, self.name.as_str())?;
        Etag::of_token(token).refuse_other(self.etag.as_ref())?;
        Ok(token)
    }

    /// Changes the token, and marks the change unless there is none.
    pub(super) fn edit(
        &self,
        present: &Present,
        edit: impl FnOnce(&mut Token) -> Result<(), Error>,
    ) -> Result<Edited<Token>, Error> {
        let before = self.find(present)?;
        let mut after = before.clone();
        edit(&mut after)?;
        if after == *before {
            return Ok(Edited { changes: Vec::new(), output: after });
        }
        Ok(put(Token {
            revision: present.revision,
            update_time: present.now,
            updated_by: present.actor().into(),
            ..after
        }))
    }
}

pub(super) fn put(token: Token) -> Edited<Token> {
    Edited { changes: vec![DefinitionChange::TokenPut(Box::new(token.clone()))], output: token }
}

pub(super) fn target<'a>(
    method: &'static str,
    registry: &'a RegistryName,
    name: &'a TokenName,
) -> Target<'a> {
    Target {
        method,
        role: Role::TokenEditor,
        place: Place::Registry(registry),
        definition: Some((Noun::Token, name.as_str())),
    }
}
