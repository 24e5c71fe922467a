//! What an update of a scope map would do, and to whom.

use jiff::Timestamp;
use serde::Serialize;

use super::shown::permission_table;
use super::{Failure, Process};
use crate::cli::api::Api;
use crate::cli::output::{self, OutputArgs};
use crate::cli::refusal::Refusal;
use crate::cli::wire;
use crate::pb;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Preview {
    added: wire::Entries,
    removed: wire::Entries,
    /// By name, at most 1000.
    tokens: Vec<String>,
    /// All of them.
    token_count: u64,
    days: u32,
    lost_uses: Vec<Use>,
}

/// A use of what would go.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Use {
    token: String,
    issuer: String,
    subject: String,
    repository: String,
    action: String,
    count: u64,
    last_time: Option<Timestamp>,
}

/// Asks for the preview of an update and prints it.
pub(super) async fn run(
    api: &Api,
    update: pb::UpdateScopeMapRequest,
    days: u32,
    output: OutputArgs,
    process: &mut Process,
) -> Result<(), Failure> {
    let request = pb::PreviewScopeMapUpdateRequest {
        update: Some(update),
        usage_window: Some(wire::days(days)),
    };
    let answer = api.scope_maps().preview_scope_map_update(request).await.map_err(Refusal::from)?;
    let answer = answer.into_inner();
    let preview = Preview {
        added: wire::entries(&answer.added),
        removed: wire::entries(&answer.removed),
        tokens: answer.token_names,
        token_count: answer.token_count,
        days,
        lost_uses: answer.lost_uses.into_iter().map(Use::from).collect(),
    };
    output.print(process, &preview, text)
}

impl From<pb::PermissionUse> for Use {
    fn from(used: pb::PermissionUse) -> Self {
        Self {
            token: used.token_name,
            issuer: used.issuer,
            subject: used.subject,
            repository: used.repository,
            action: wire::action_text(used.action),
            count: used.count,
            last_time: wire::optional_time(used.last_time.as_ref()),
        }
    }
}

fn text(preview: &Preview) -> String {
    let tokens = match preview.tokens.as_slice() {
        [] => "no token is tied to it".to_owned(),
        [name] if preview.token_count == 1 => format!("touches one token: {name}"),
        names => {
            let more = if preview.token_count > names.len() as u64 { ", …" } else { "" };
            format!("touches {} tokens: {}{more}", preview.token_count, names.join(", "))
        }
    };
    [
        "nothing was changed; the update".to_owned(),
        entries("adds", &preview.added),
        entries("removes", &preview.removed),
        tokens,
        uses(preview),
    ]
    .join("\n\n")
}

fn entries(word: &str, entries: &wire::Entries) -> String {
    if entries.is_empty() {
        format!("{word} nothing")
    } else {
        format!("{word}\n{}", permission_table(entries))
    }
}

fn uses(preview: &Preview) -> String {
    let days = preview.days;
    if preview.removed.is_empty() {
        return String::new();
    }
    if preview.lost_uses.is_empty() {
        return format!("what it removes was not used in the past {days} days");
    }
    let rows = preview.lost_uses.iter().map(|used| {
        let who = if used.subject.is_empty() { "-" } else { &used.subject };
        [
            used.token.clone(),
            who.to_owned(),
            format!("{} {}", used.repository, used.action),
            used.count.to_string(),
            wire::time_text(used.last_time),
        ]
    });
    let table = output::table(["token", "who", "what", "times", "last"], rows);
    format!("what it removes was used in the past {days} days\n{table}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preview_names_tokens_and_who_would_lose_what() {
        let entry =
            |pattern: &str| wire::Entries::from([(pattern.into(), vec!["content/write".into()])]);
        let mut preview = Preview {
            added: wire::Entries::new(),
            removed: entry("servers/nginx"),
            tokens: vec!["nginx-ci".into(), "web-ci".into()],
            token_count: 2,
            days: 30,
            lost_uses: Vec::new(),
        };
        let unused = text(&preview);
        assert!(unused.contains("was not used in the past 30 days"), "{unused}");
        preview.lost_uses.push(Use {
            token: "nginx-ci".into(),
            issuer: "https://i".into(),
            subject: "job".into(),
            repository: "servers/nginx".into(),
            action: "content/write".into(),
            count: 7,
            last_time: None,
        });
        let used = text(&preview);
        for expected in ["adds nothing", "touches 2 tokens: nginx-ci, web-ci", "job", "7"] {
            assert!(used.contains(expected), "{expected} is not in {used}");
        }
    }
}
