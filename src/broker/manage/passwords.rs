//! The two passwords of a token: generated here, shown once, deleted.

use std::time::Duration;

use aws_lc_rs::rand;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::change::{Edit, Edited};
use super::present::Present;
use super::read::asked;
use super::target::Target;
use super::token_edit::TokenRef;
use crate::broker::{Error, FieldViolation};
use crate::model::{Password, PasswordSecret, PasswordSlot, Token};

/// When a new password ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Expiry {
    /// Never.
    Never,
    /// At a time.
    At(Timestamp),
    /// So long after it is generated.
    After(Duration),
}

/// A new password in a slot of a token; the other slot stays as it is.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GeneratePassword {
    /// Which token.
    pub token: TokenRef,
    /// Which of the two.
    pub slot: PasswordSlot,
    /// When it ends.
    pub expiry: Expiry,
}

/// A password that was generated.
#[derive(Debug)]
pub struct Generated {
    /// The secret; nobody can have it later.
    pub secret: PasswordSecret,
    /// What is kept of it.
    pub password: Password,
    /// The token as it is now.
    pub token: Token,
}

impl Edit for GeneratePassword {
    type Output = Generated;

    fn target(&self) -> Target<'_> {
        self.token.target("GeneratePassword")
    }

    fn field(&self) -> &'static str {
        "token_name"
    }

    fn asked(&self) -> Value {
        asked(self)
    }

    fn edit(&self, present: &Present) -> Result<Edited<Generated>, Error> {
        let secret = new_secret()?;
        // the generation is the policy revision, so that it grows also when the slot was empty in between: sessions rest on it
        let password = Password {
            slot: self.slot,
            generation: present.revision,
            hash: secret.hash(),
            last_four: secret.last_four().into(),
            create_time: present.now,
            expire_time: end(self.expiry, present.now)?,
        };
        let edited = self.token.edit(present, |token| {
            token.passwords.retain(|own| own.slot != self.slot);
            token.passwords.push(password.clone());
            token.passwords.sort_by_key(|own| own.slot);
            Ok(())
        })?;
        let Edited { changes, output: token } = edited;
        Ok(Edited { changes, output: Generated { secret, password, token } })
    }
}

/// A slot of a token that is to be emptied.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeletePassword {
    /// Which token.
    pub token: TokenRef,
    /// Which of the two.
    pub slot: PasswordSlot,
}

impl Edit for DeletePassword {
    type Output = Token;

    fn target(&self) -> Target<'_> {
        self.token.target("DeletePassword")
    }

    fn field(&self) -> &'static str {
        "token_name"
    }

    fn asked(&self) -> Value {
        asked(self)
    }

    fn edit(&self, present: &Present) -> Result<Edited<Token>, Error> {
        self.token.edit(present, |token| {
            let before = token.passwords.len();
            token.passwords.retain(|own| own.slot != self.slot);
            if token.passwords.len() < before {
                return Ok(());
            }
            Err(Error::NotFound(format!("token `{}` has no {}", token.name, self.slot)))
        })
    }
}

/// 256 random bits.
fn new_secret() -> Result<PasswordSecret, Error> {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes)
        .map_err(|_| Error::Internal("the random number generator failed".to_owned()))?;
    Ok(PasswordSecret::from_random(&bytes))
}

fn end(expiry: Expiry, now: Timestamp) -> Result<Option<Timestamp>, Error> {
    let wrong = |field: &str, description: String| {
        Error::InvalidRequest(vec![FieldViolation { field: field.to_owned(), description }])
    };
    match expiry {
        Expiry::Never => Ok(None),
        Expiry::At(end) if end > now => Ok(Some(end)),
        Expiry::At(end) => Err(wrong("expire_time", format!("`{end}` is over already"))),
        Expiry::After(Duration::ZERO) => {
            let description = "a password lives longer than nothing; absent = for ever".to_owned();
            Err(wrong("lifetime", description))
        }
        Expiry::After(life) => now.checked_add(life).map(Some).map_err(|_| {
            wrong("lifetime", "it ends after the year 9999: give a shorter one, or none".to_owned())
        }),
    }
}
