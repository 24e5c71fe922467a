//! A token as it is shown: with the keys of `az acr token`, and ours.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::federation::Federated;
use crate::cli::{output, scope_map, wire};
use crate::pb;

/// A token as JSON. It does not print by `Debug`: right after generation it holds secrets.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::cli) struct Shown {
    creation_date: Option<Timestamp>,
    pub(in crate::cli) credentials: Credentials,
    id: String,
    pub(in crate::cli) name: String,
    provisioning_state: &'static str,
    scope_map_id: String,
    pub(in crate::cli) status: &'static str,
    r#type: &'static str,
    // what az does not have
    registry: String,
    pub(in crate::cli) scope_map: String,
    uid: String,
    pub(in crate::cli) description: String,
    pub(in crate::cli) owner: String,
    pub(in crate::cli) expire_time: Option<Timestamp>,
    pub(in crate::cli) federated_credentials: Vec<Federated>,
    last_use_time: Option<Timestamp>,
    revision: u64,
    etag: String,
    update_time: Option<Timestamp>,
    updated_by: String,
}

/// What a token logs in with.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::cli) struct Credentials {
    /// az has certificates for another kind of registry; we have none.
    certificates: [Value; 0],
    pub(in crate::cli) passwords: Vec<Password>,
    pub(super) username: String,
}

/// A password; its secret only in the answer of the command that generated it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::cli) struct Password {
    creation_time: Option<Timestamp>,
    pub(in crate::cli) expiry: Option<Timestamp>,
    pub(in crate::cli) name: String,
    pub(super) value: Option<String>,
    last_four: String,
    pub(in crate::cli) last_use_time: Option<Timestamp>,
}

impl From<pb::Token> for Shown {
    fn from(token: pb::Token) -> Self {
        let status = match token.status() {
            pb::TokenStatus::Enabled => "enabled",
            pb::TokenStatus::Disabled => "disabled",
            pb::TokenStatus::Unspecified => "unknown",
        };
        Self {
            creation_date: wire::optional_time(token.create_time.as_ref()),
            credentials: Credentials {
                certificates: [],
                passwords: token.passwords.iter().map(Password::from).collect(),
                username: token.name.clone(),
            },
            id: format!("registries/{}/tokens/{}", token.registry, token.name),
            name: token.name,
            // a change is done when it is answered
            provisioning_state: "Succeeded",
            scope_map_id: scope_map::shown::id(&token.registry, &token.scope_map),
            status,
            r#type: "dockpass/registries/tokens",
            registry: token.registry,
            scope_map: token.scope_map,
            uid: token.uid,
            description: token.description,
            owner: token.owner,
            expire_time: wire::optional_time(token.expire_time.as_ref()),
            federated_credentials: token
                .federated_credentials
                .into_iter()
                .map(Federated::from)
                .collect(),
            last_use_time: wire::optional_time(token.last_use_time.as_ref()),
            revision: token.revision,
            etag: token.etag,
            update_time: wire::optional_time(token.update_time.as_ref()),
            updated_by: token.updated_by,
        }
    }
}

impl From<&pb::Password> for Password {
    fn from(password: &pb::Password) -> Self {
        Self {
            creation_time: wire::optional_time(password.create_time.as_ref()),
            expiry: wire::optional_time(password.expire_time.as_ref()),
            name: slot_name(password.name()).to_owned(),
            value: None,
            last_four: password.last_four.clone(),
            last_use_time: wire::optional_time(password.last_use_time.as_ref()),
        }
    }
}

/// `password1` or `password2`.
pub(super) const fn slot_name(slot: pb::PasswordName) -> &'static str {
    match slot {
        pb::PasswordName::Password1 => "password1",
        pb::PasswordName::Password2 => "password2",
        pb::PasswordName::Unspecified => "unknown",
    }
}

impl Shown {
    /// The head of a table of tokens: that of az, without the state that is always the same.
    pub(super) const HEAD: [&str; 6] =
        ["name", "scope map", "password1 expiry", "password2 expiry", "status", "creation date"];

    /// A row of that table.
    pub(super) fn row(&self) -> [String; 6] {
        [
            self.name.clone(),
            self.scope_map.clone(),
            self.password_end("password1"),
            self.password_end("password2"),
            title(self.status),
            wire::time_text(self.creation_date),
        ]
    }

    /// Nothing for a password that is not there.
    fn password_end(&self, name: &str) -> String {
        let mut passwords = self.credentials.passwords.iter();
        let own = passwords.find(|password| password.name == name);
        own.map(|password| wire::end_text(password.expiry)).unwrap_or_default()
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let time = |time: Option<Timestamp>| Some(wire::to_the_second(time?).to_string());
        let fields = output::fields([
            ("name", some(&self.name)),
            ("registry", some(&self.registry)),
            ("scope map", some(&self.scope_map)),
            ("status", some(self.status)),
            ("expires", Some(wire::end_text(self.expire_time))),
            ("description", some(&self.description)),
            ("owner", some(&self.owner)),
            ("last used", time(self.last_use_time)),
            ("created", time(self.creation_date)),
            ("changed", self.changed()),
            ("etag", some(&self.etag)),
        ]);
        let parts = [Some(fields), self.passwords(), self.federated()];
        parts.into_iter().flatten().collect::<Vec<_>>().join("\n\n")
    }

    fn changed(&self) -> Option<String> {
        let time = wire::to_the_second(self.update_time?);
        let by = output::plain(&self.updated_by);
        Some(if by.is_empty() { time.to_string() } else { format!("{time} by {by}") })
    }

    fn passwords(&self) -> Option<String> {
        let passwords = &self.credentials.passwords;
        let rows = passwords.iter().map(|password| {
            [
                password.name.clone(),
                format!("…{}", password.last_four),
                wire::end_text(password.expiry),
                wire::time_text(password.creation_time),
                wire::time_text(password.last_use_time),
            ]
        });
        let head = ["password", "ends in", "expiry", "creation time", "last used"];
        (!passwords.is_empty()).then(|| output::table(head, rows))
    }

    fn federated(&self) -> Option<String> {
        let all = &self.federated_credentials;
        (!all.is_empty()).then(|| Federated::table(all))
    }
}

/// With a capital letter, as az shows a status.
fn title(word: &str) -> String {
    let (initial, rest) = word.split_at_checked(1).unwrap_or((word, ""));
    format!("{}{rest}", initial.to_uppercase())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn token() -> pb::Token {
        let time = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
        pb::Token {
            registry: "local".into(),
            name: "vendor-agent".into(),
            scope_map: "agent-readers".into(),
            status: pb::TokenStatus::Disabled.into(),
            passwords: vec![pb::Password {
                name: pb::PasswordName::Password2.into(),
                create_time: time(0),
                expire_time: time(86_400),
                last_four: "abcd".into(),
                last_use_time: None,
            }],
            create_time: time(0),
            ..Default::default()
        }
    }

    #[test]
    fn json_has_the_keys_of_az_and_no_secret() {
        let shown = serde_json::to_value(Shown::from(token())).unwrap();
        assert_eq!(shown["scopeMapId"], "registries/local/scopeMaps/agent-readers");
        assert_eq!(shown["status"], "disabled");
        assert_eq!(shown["credentials"]["username"], "vendor-agent");
        assert_eq!(shown["credentials"]["certificates"], json!([]));
        let password = &shown["credentials"]["passwords"][0];
        assert_eq!(
            *password,
            json!({
                "creationTime": "1970-01-01T00:00:00Z", "expiry": "1970-01-02T00:00:00Z",
                "name": "password2", "value": null, "lastFour": "abcd", "lastUseTime": null,
            })
        );
    }

    #[test]
    fn a_row_is_that_of_az() {
        let row = Shown::from(token()).row();
        assert_eq!(
            row.join("|"),
            "vendor-agent|agent-readers||1970-01-02T00:00:00Z|Disabled|1970-01-01T00:00:00Z"
        );
    }

    #[test]
    fn the_text_shows_passwords_without_their_secrets() {
        let text = Shown::from(token()).text();
        assert!(text.contains("expires    Never"), "{text}");
        assert!(text.contains("password2  …abcd"), "{text}");
    }
}
