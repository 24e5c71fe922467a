//! The review for spreadsheets (RFC 4180).

use super::Report;
use super::matrix::{Reviewed, Row};
use crate::cli::wire;

const HEAD: &str = "registry,token,status,expires,scope map,owner,repository,actions,unused actions,uses,last used,used by,would have sufficed,findings";

/// One line a token and entry of its scope map; a token that may do nothing has one line too.
pub(super) fn text(report: &Report) -> String {
    let mut lines = vec![HEAD.to_owned()];
    for reviewed in &report.tokens {
        if reviewed.permissions.is_empty() {
            lines.push(line(report, reviewed, None));
        }
        let rows = reviewed.permissions.iter();
        lines.extend(rows.map(|row| line(report, reviewed, Some(row))));
    }
    lines.join("\r\n") + "\r\n"
}

fn line(report: &Report, reviewed: &Reviewed, row: Option<&Row>) -> String {
    let token = &reviewed.token;
    let of_row = |text: fn(&Row) -> String| row.map(text).unwrap_or_default();
    let cells = [
        report.registry.clone(),
        token.name.clone(),
        token.status.to_owned(),
        token.expire_time.map(|end| end.to_string()).unwrap_or_default(),
        token.scope_map.clone(),
        token.owner.clone(),
        of_row(|row| row.repository.clone()),
        of_row(|row| row.actions.join(" ")),
        of_row(|row| row.unused.join(" ")),
        of_row(|row| row.uses.to_string()),
        of_row(|row| {
            row.last_use_time.map(|time| wire::to_the_second(time).to_string()).unwrap_or_default()
        }),
        of_row(|row| row.used_by.join(" ")),
        sufficient(reviewed),
        reviewed.findings.join(" "),
    ];
    cells.iter().map(|text| cell(text)).collect::<Vec<_>>().join(",")
}

/// What would have sufficed to the token, where it is less than it may.
fn sufficient(reviewed: &Reviewed) -> String {
    let entries = reviewed.narrower().into_iter().flatten();
    let entries =
        entries.map(|(repository, actions)| format!("{repository} {}", actions.join(" ")));
    entries.collect::<Vec<_>>().join("; ")
}

/// A cell that a spreadsheet shows and never computes: texts in it come from others.
fn cell(text: &str) -> String {
    let computed = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if computed { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r', '\'']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_quoted_and_never_a_formula() {
        for (text, shown) in [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("=HYPERLINK(\"x\")", "\"'=HYPERLINK(\"\"x\"\")\""),
            ("-1", "\"'-1\""),
            ("", ""),
        ] {
            assert_eq!(cell(text), shown);
        }
    }
}
