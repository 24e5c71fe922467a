//! One token on the page.

use super::escaped::Escaped;
use crate::cli::review::matrix::{Reviewed, Row};
use crate::cli::review::words;
use crate::cli::wire::{end_text, time_text};

/// The token: what it is, who can act as it, what it may do.
pub(super) fn section(reviewed: &Reviewed, days: u32) -> String {
    let token = &reviewed.token;
    let name = Escaped(&token.name);
    let class = if token.status == "enabled" { "token" } else { "token off" };
    let state = words::state(reviewed);
    let mut html = format!(
        "<section class=\"{class}\" id=\"{name}\">\n<h3>{name}</h3>\n<p class=\"soft\">{}</p>\n",
        Escaped(&state)
    );
    html += &paragraph("", &token.description);
    html += &paragraph("Answers for it: ", &token.owner);
    html += &look(reviewed);
    html += &credentials(reviewed);
    html += &permissions(reviewed, days);
    html += &sufficient(reviewed, days);
    html + "</section>\n"
}

fn paragraph(label: &str, text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("<p>{label}{}</p>\n", Escaped(text)) }
}

fn look(reviewed: &Reviewed) -> String {
    if reviewed.findings.is_empty() {
        return String::new();
    }
    let items = reviewed.findings.iter().map(|finding| format!("<li>{}</li>", Escaped(finding)));
    format!("<ul class=\"look\">{}</ul>\n", items.collect::<String>())
}

fn credentials(reviewed: &Reviewed) -> String {
    let token = &reviewed.token;
    let passwords = token.credentials.passwords.iter().map(|own| {
        let (end, last) = (end_text(own.expiry), time_text(own.last_use_time));
        row([&format!("Password ({})", own.name), "whoever knows it", &end, &last])
    });
    let identities = token.federated_credentials.iter().map(|own| {
        let who = format!("jobs of {} with {}", own.issuer, own.conditions());
        row([
            &format!("Workload identity ({})", own.name),
            &who,
            "-",
            &time_text(own.last_use_time),
        ])
    });
    let rows: String = passwords.chain(identities).collect();
    if rows.is_empty() {
        return "<p>Nobody can act as it: it has no password and no workload identity.</p>\n"
            .to_owned();
    }
    format!(
        "<table><tr><th>Can act as it</th><th>Who</th><th>Ends</th><th>Last used</th></tr>\n{rows}</table>\n"
    )
}

fn permissions(reviewed: &Reviewed, days: u32) -> String {
    let map = Escaped(&reviewed.token.scope_map);
    if reviewed.permissions.is_empty() {
        return format!(
            "<p>It may do nothing: its scope map {map} allows nothing or is gone.</p>\n"
        );
    }
    let rows: String = reviewed.permissions.iter().map(permission).collect();
    format!(
        "<p>Allowed by scope map <b>{map}</b>:</p>\n<table><tr><th>Where</th><th>May</th><th>Not used in {days} days</th>\
         <th>Times used</th><th>Last used</th></tr>\n{rows}</table>\n"
    )
}

fn permission(own: &Row) -> String {
    let place = words::repositories(&own.repository);
    let by = if own.used_by.is_empty() {
        String::new()
    } else {
        format!(" (by {})", own.used_by.join(", "))
    };
    format!(
        "<tr><td>{}</td><td>{}</td><td class=\"unused\">{}</td><td>{}{}</td><td>{}</td></tr>\n",
        Escaped(&place),
        Escaped(&words::actions(&own.actions)),
        Escaped(&words::actions(&own.unused)),
        own.uses,
        Escaped(&by),
        time_text(own.last_use_time),
    )
}

/// The narrower scope map, where there is one.
fn sufficient(reviewed: &Reviewed, days: u32) -> String {
    let Some(narrower) = reviewed.narrower() else { return String::new() };
    let items = narrower.iter().map(|(repository, actions)| {
        format!("<li>{}: {}</li>", Escaped(repository), Escaped(&words::actions(actions)))
    });
    format!(
        "<p>In the past {days} days, this would have sufficed:</p>\n<ul>{}</ul>\n",
        items.collect::<String>()
    )
}

fn row<const N: usize>(cells: [&str; N]) -> String {
    let cells = cells.map(|cell| format!("<td>{}</td>", Escaped(cell)));
    format!("<tr>{}</tr>\n", cells.concat())
}
