//! Plain words for those who do not know containers.

use super::matrix::Reviewed;
use crate::cli::wire;

/// What an action lets somebody do.
pub(super) fn action(name: &str) -> &str {
    match name {
        "content/read" => "download",
        "content/write" => "upload",
        "content/delete" => "delete",
        "metadata/read" => "list versions",
        "metadata/write" => "lock and unlock versions",
        other => other,
    }
}

/// Several of them.
pub(super) fn actions(names: &[String]) -> String {
    names.iter().map(|name| action(name)).collect::<Vec<_>>().join(", ")
}

/// The repositories that an entry stands for.
pub(super) fn repositories(pattern: &str) -> String {
    match pattern.strip_suffix('*') {
        Some("") => "all repositories".to_owned(),
        Some(prefix) if !prefix.contains('*') => format!("all repositories below {prefix}"),
        _ => pattern.to_owned(),
    }
}

/// Whether a token may be used, and until when.
pub(super) fn state(reviewed: &Reviewed) -> String {
    let token = &reviewed.token;
    match (token.status, token.expire_time) {
        ("enabled", None) => "enabled, without an end".to_owned(),
        (status, None) => status.to_owned(),
        (status, Some(end)) => format!("{status}, until {}", wire::to_the_second(end)),
    }
}
