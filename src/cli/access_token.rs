//! The forms in which an access token is shown. Each holds the secret: it is the result.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::json;

use super::wire::{timestamp, to_the_second};
use super::{Failure, output};
use crate::pb;

/// For people.
pub(super) fn text(token: &pb::AccessToken, now: Timestamp) -> String {
    let permissions = token.permissions.iter().map(|permission| {
        let actions = actions(permission).map(|action| action.replace('_', "/").to_lowercase());
        format!("{}: {}", permission.repository, actions.collect::<Vec<_>>().join(", "))
    });
    let optional = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let shown = output::fields([
        ("registry", Some(format!("{} ({})", token.registry, token.registry_host))),
        ("allowed", Some(permissions.collect::<Vec<_>>().join("; "))),
        ("by", Some(format!("token {}, scope map {}", token.token_name, token.scope_map))),
        (
            "expires",
            expire_time(token)
                .map(|end| format!("{} ({})", to_the_second(end), remaining(end, now))),
        ),
        (
            "id",
            Some(format!("{}{}", token.id, if token.reused { " (handed out before)" } else { "" })),
        ),
        ("username", Some(token.username.clone())),
        ("password", Some(token.password.clone())),
        ("bearer token", optional(&token.bearer_token)),
    ]);
    let command =
        format!("docker login {} --username {}", word(&token.registry_host), word(&token.username));
    format!(
        "{shown}\n\nlog in: {}   (paste the password; `dockpass login` does both)",
        output::plain(&command)
    )
}

/// As proto3 JSON writes it; fields at their default are written too, so that the keys are stable.
pub(super) fn json(token: &pb::AccessToken) -> Result<String, Failure> {
    output::json(&Json {
        id: &token.id,
        registry: &token.registry,
        registry_host: &token.registry_host,
        token_name: &token.token_name,
        scope_map: &token.scope_map,
        permissions: token.permissions.iter().map(Permission::from).collect(),
        issue_time: token.issue_time.as_ref().and_then(timestamp),
        expire_time: expire_time(token),
        username: &token.username,
        password: &token.password,
        bearer_token: &token.bearer_token,
        reused: token.reused,
    })
}

/// A whole `config.json` of docker.
pub(super) fn docker_config(token: &pb::AccessToken) -> Result<String, Failure> {
    let auth = basic(&token.username, &token.password);
    output::json(&json!({ "auths": { &token.registry_host: { "auth": auth } } }))
}

/// Lines for a shell.
pub(super) fn env(token: &pb::AccessToken) -> String {
    let expire_time = expire_time(token).map(|end| end.to_string()).unwrap_or_default();
    [
        ("ACCESS_TOKEN_ID", &token.id),
        ("REGISTRY_HOST", &token.registry_host),
        ("USERNAME", &token.username),
        ("PASSWORD", &token.password),
        ("BEARER_TOKEN", &token.bearer_token),
        ("EXPIRE_TIME", &expire_time),
    ]
    .into_iter()
    .filter(|(_, value)| !value.is_empty())
    .map(|(name, value)| format!("export DOCKPASS_{name}={}", quoted(value)))
    .collect::<Vec<_>>()
    .join("\n")
}

/// `username:password` in base64 (RFC 7617), as auth files hold it.
pub(super) fn basic(username: &str, password: &str) -> String {
    STANDARD.encode(format!("{username}:{password}"))
}

/// When it ends.
pub(super) fn expire_time(token: &pb::AccessToken) -> Option<Timestamp> {
    token.expire_time.as_ref().and_then(timestamp)
}

/// How long until `end`, in words.
pub(super) fn remaining(end: Timestamp, now: Timestamp) -> String {
    let rest = end.duration_since(now);
    if rest.is_positive() {
        format!("in {:#}", SignedDuration::from_secs(rest.as_secs()))
    } else {
        "over".to_owned()
    }
}

/// One word for a POSIX shell: hosts and names of tokens need no quotes, whatever else a broker says does.
fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._:".contains(c);
    if !text.is_empty() && text.chars().all(plain) { text.to_owned() } else { quoted(text) }
}

/// In single quotes for a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn actions(permission: &pb::RepositoryPermission) -> impl Iterator<Item = &'static str> {
    permission.actions().map(|action| action.as_str_name().trim_start_matches("ACTION_"))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Json<'a> {
    id: &'a str,
    registry: &'a str,
    registry_host: &'a str,
    token_name: &'a str,
    scope_map: &'a str,
    permissions: Vec<Permission<'a>>,
    issue_time: Option<Timestamp>,
    expire_time: Option<Timestamp>,
    username: &'a str,
    password: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    bearer_token: &'a str,
    reused: bool,
}

#[derive(Serialize)]
struct Permission<'a> {
    repository: &'a str,
    actions: Vec<&'static str>,
}

impl<'a> From<&'a pb::RepositoryPermission> for Permission<'a> {
    fn from(permission: &'a pb::RepositoryPermission) -> Self {
        Self {
            repository: &permission.repository,
            actions: permission.actions().map(|action| action.as_str_name()).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> pb::AccessToken {
        pb::AccessToken {
            id: "0199".into(),
            registry: "local".into(),
            registry_host: "localhost:5000".into(),
            token_name: "nginx-ci".into(),
            scope_map: "servers-push".into(),
            permissions: vec![pb::RepositoryPermission {
                repository: "servers/nginx".into(),
                actions: vec![pb::Action::ContentRead.into(), pb::Action::ContentWrite.into()],
            }],
            issue_time: Some(prost_types::Timestamp { seconds: 0, nanos: 0 }),
            expire_time: Some(prost_types::Timestamp { seconds: 900, nanos: 0 }),
            username: "nginx-ci".into(),
            password: "dps_it's".into(),
            bearer_token: String::new(),
            reused: false,
        }
    }

    #[test]
    fn the_text_shows_what_is_allowed_until_when_and_how_to_log_in() {
        let shown = text(&token(), Timestamp::UNIX_EPOCH);
        for line in [
            "registry  local (localhost:5000)",
            "allowed   servers/nginx: content/read, content/write",
            "expires   1970-01-01T00:15:00Z (in 15m)",
            "password  dps_it's",
            "log in: docker login localhost:5000 --username nginx-ci   (paste the password; `dockpass login` does both)",
        ] {
            assert!(shown.lines().any(|shown| shown == line), "{line} is not in:\n{shown}");
        }
    }

    #[test]
    fn json_is_that_of_proto3() {
        let shown: serde_json::Value = serde_json::from_str(&json(&token()).unwrap()).unwrap();
        assert_eq!(
            shown,
            json!({
                "id": "0199", "registry": "local", "registryHost": "localhost:5000",
                "tokenName": "nginx-ci", "scopeMap": "servers-push",
                "permissions": [{
                    "repository": "servers/nginx",
                    "actions": ["ACTION_CONTENT_READ", "ACTION_CONTENT_WRITE"],
                }],
                "issueTime": "1970-01-01T00:00:00Z", "expireTime": "1970-01-01T00:15:00Z",
                "username": "nginx-ci", "password": "dps_it's", "reused": false,
            })
        );
    }

    #[test]
    fn the_docker_config_holds_the_one_host() {
        let shown: serde_json::Value =
            serde_json::from_str(&docker_config(&token()).unwrap()).unwrap();
        let auth = STANDARD.encode("nginx-ci:dps_it's");
        assert_eq!(shown, json!({ "auths": { "localhost:5000": { "auth": auth } } }));
    }

    #[test]
    fn a_shell_reads_back_what_env_writes_whatever_is_in_it() {
        let password = "a'b $(touch /tmp/x) `id` \\ \"\n!";
        let lines = env(&pb::AccessToken { password: password.into(), ..token() });
        let script = format!("{lines}\nprintf %s \"$DOCKPASS_PASSWORD\"");
        let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), password);
        assert!(!lines.contains("BEARER"));
    }
}
