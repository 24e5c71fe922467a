//! Generated passwords, with their secrets: the answer of `az acr token credential generate`.

use jiff::Timestamp;
use serde::Serialize;

use super::Slot;
use crate::cli::{output, wire};
use crate::pb;

/// What was generated, to be printed once. It does not print by `Debug`: it holds secrets.
#[derive(Serialize)]
pub(in crate::cli::token) struct Generated {
    username: String,
    passwords: Vec<GeneratedPassword>,
}

/// One password with its secret.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::cli::token) struct GeneratedPassword {
    pub(in crate::cli::token) name: String,
    pub(in crate::cli::token) value: String,
    pub(super) creation_time: Option<Timestamp>,
    pub(super) expiry: Option<Timestamp>,
}

impl GeneratedPassword {
    /// The password of an answer of the broker.
    pub(super) fn from_answer(slot: Slot, answer: &pb::GeneratePasswordResponse) -> Self {
        let kept = answer.password_info.as_ref();
        Self {
            name: slot.to_string(),
            value: answer.secret.clone(),
            creation_time: kept.and_then(|own| wire::optional_time(own.create_time.as_ref())),
            expiry: kept.and_then(|own| wire::optional_time(own.expire_time.as_ref())),
        }
    }
}

impl Generated {
    pub(in crate::cli::token) const fn new(
        username: String,
        passwords: Vec<GeneratedPassword>,
    ) -> Self {
        Self { username, passwords }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.passwords.is_empty()
    }

    /// For people; the secrets are shown whole.
    pub(in crate::cli::token) fn table(&self) -> String {
        let rows = self.passwords.iter().map(|password| {
            [
                self.username.clone(),
                password.name.clone(),
                password.value.clone(),
                wire::end_text(password.expiry),
            ]
        });
        output::table(["username", "name", "value", "expiry"], rows)
    }
}
