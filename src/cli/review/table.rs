//! The review at a terminal.

use std::fmt::Write;

use super::Report;
use super::matrix::Reviewed;
use crate::cli::{output, wire};

/// As many entries of a narrower scope map are shown; all of them are in the other forms.
const SHOWN: usize = 5;

/// The matrix, what would have sufficed, then what to look at.
pub(super) fn text(report: &Report) -> String {
    let rows = report.tokens.iter().flat_map(rows);
    let head = ["token", "until", "repository", "actions", "unused", "last used"];
    let table = output::table(head, rows);
    let of_registry = report.findings.iter().map(|finding| format!("  {finding}"));
    let of_tokens = report.tokens.iter().flat_map(findings);
    let findings: Vec<String> = of_registry.chain(of_tokens).collect();
    let days = report.days;
    let findings = if findings.is_empty() {
        "nothing to look at".to_owned()
    } else {
        format!("to look at:\n{}", findings.join("\n"))
    };
    let count = report.tokens.len();
    let shortfall = report.shortfall().map(|said| format!("\n{said}")).unwrap_or_default();
    format!(
        "{table}\n\n{count} tokens; unused = not in the past {days} days{shortfall}\n\n{}{findings}",
        sufficient(report)
    )
}

fn rows(reviewed: &Reviewed) -> Vec<[String; 6]> {
    let token = &reviewed.token;
    let until = match (token.status, token.expire_time) {
        ("enabled", end) => wire::end_text(end),
        (status, _) => status.to_owned(),
    };
    let row = |repository: &str, actions: String, unused: String, last: String| {
        [token.name.clone(), until.clone(), repository.to_owned(), actions, unused, last]
    };
    if reviewed.permissions.is_empty() {
        return vec![row("-", "nothing".to_owned(), String::new(), "-".to_owned())];
    }
    let rows = reviewed.permissions.iter().map(|own| {
        let unused =
            if own.unused == own.actions { "all".to_owned() } else { own.unused.join(",") };
        let last = wire::time_text(own.last_use_time);
        row(&own.repository, own.actions.join(","), unused, last)
    });
    rows.collect()
}

/// The narrower scope maps, where there are any.
fn sufficient(report: &Report) -> String {
    let lines: Vec<_> = report.tokens.iter().filter_map(narrower).collect();
    if lines.is_empty() {
        return String::new();
    }
    format!("would have sufficed:\n{}\n\n", lines.join("\n"))
}

fn narrower(reviewed: &Reviewed) -> Option<String> {
    let all = reviewed.narrower()?;
    let mut line = format!("  {}:", reviewed.token.name);
    for (repository, actions) in all.iter().take(SHOWN) {
        // writing to a text never fails
        write!(line, " {repository} {};", actions.join(",")).ok()?;
    }
    let line = line.trim_end_matches(';').to_owned();
    Some(match all.len().saturating_sub(SHOWN) {
        0 => line,
        more => format!("{line} and {more} more"),
    })
}

fn findings(reviewed: &Reviewed) -> Vec<String> {
    let name = &reviewed.token.name;
    reviewed.findings.iter().map(|finding| format!("  {name}: {finding}")).collect()
}
