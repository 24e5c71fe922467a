//! The review as one page for auditors: nothing from outside, readable without knowing containers, to be printed.

mod escaped;
mod token;

use self::escaped::Escaped;
use super::Report;
use super::matrix::Reviewed;
use crate::cli::wire::to_the_second;

const CSS: &str = include_str!("page.css");

/// The words that the page uses, for those who meet them first here.
const WORDS: [(&str, &str); 7] = [
    (
        "Registry",
        "The place where software packages (container images) are stored and from where machines fetch them.",
    ),
    ("Repository", "One shelf in it: all versions of one package."),
    ("Token", "A named access to the registry, of a team, a supplier or an automated job."),
    (
        "Scope map",
        "The approved list of repositories and actions that a token is bound to. A token can never do more than its scope map says.",
    ),
    (
        "Password",
        "A secret that a person or system uses to act as a token. dockpass keeps no copy of it.",
    ),
    (
        "Workload identity",
        "An automated job that proves who it is by its own platform's signature, without a stored secret.",
    ),
    (
        "Download, upload, delete",
        "What a token may do with packages. Listing versions shows what there is without fetching it.",
    ),
];

/// The page.
pub(super) fn page(report: &Report) -> String {
    let registry = Escaped(&report.registry);
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Access review of {registry}</title>\n<style>\n{CSS}</style>\n</head>\n<body>\n"
    );
    page += &head(report);
    page += &attention(report);
    page += "<h2>Who can do what</h2>\n";
    if report.tokens.is_empty() {
        page += "<p>Nobody: this registry has no tokens.</p>\n";
    }
    let (in_use, off): (Vec<_>, Vec<_>) =
        report.tokens.iter().partition(|own| own.token.status == "enabled");
    for reviewed in in_use.into_iter().chain(off) {
        page += &token::section(reviewed, report.days);
    }
    page += &words();
    page += "<div class=\"sign\"><div>Reviewed by, date</div><div>Approved by, date</div></div>\n</body>\n</html>\n";
    page
}

fn head(report: &Report) -> String {
    let (registry, time, days) =
        (Escaped(&report.registry), to_the_second(report.time), report.days);
    let count = |wanted: &dyn Fn(&Reviewed) -> bool| {
        report.tokens.iter().filter(|reviewed| wanted(reviewed)).count()
    };
    let shortfall = report.shortfall().map(|said| format!("<p class=\"unused\">{said}</p>\n"));
    let shortfall = shortfall.unwrap_or_default();
    let enabled = count(&|own| own.token.status == "enabled");
    let unused = count(&|own| own.permissions.iter().all(|row| row.uses == 0));
    let findings = count(&|own| !own.findings.is_empty());
    format!(
        "<h1>Access review of registry {registry}</h1>\n\
         <p class=\"soft\">Made by dockpass {} on {time}. It lists every token that can reach the registry through dockpass, what it is \
         allowed to do, and what it did in the past {days} days according to the audit trail.</p>\n\
         {shortfall}<ul class=\"sums\"><li><b>{}</b>tokens</li><li><b>{enabled}</b>of them enabled</li>\
         <li><b>{unused}</b>not used in {days} days</li><li><b>{findings}</b>to look at</li></ul>\n",
        env!("CARGO_PKG_VERSION"),
        report.tokens.len(),
    )
}

/// What needs a decision, before everything else.
fn attention(report: &Report) -> String {
    let of_registry = report
        .findings
        .iter()
        .map(|finding| format!("<tr><td>the registry</td><td>{}</td></tr>\n", Escaped(finding)));
    let rows: String = of_registry.chain(report.tokens.iter().flat_map(rows)).collect();
    if rows.is_empty() {
        return "<h2>To look at</h2>\n<p>Nothing was found that needs a decision.</p>\n".to_owned();
    }
    format!("<h2>To look at</h2>\n<table><tr><th>Token</th><th>Finding</th></tr>\n{rows}</table>\n")
}

/// One row a finding.
fn rows(reviewed: &Reviewed) -> Vec<String> {
    let token = Escaped(&reviewed.token.name);
    let row = |finding: &String| {
        format!("<tr><td><a href=\"#{token}\">{token}</a></td><td>{}</td></tr>\n", Escaped(finding))
    };
    reviewed.findings.iter().map(row).collect()
}

fn words() -> String {
    let entries = WORDS.map(|(word, meaning)| format!("<dt>{word}</dt><dd>{meaning}</dd>\n"));
    format!("<h2>Words</h2>\n<dl class=\"words\">\n{}</dl>\n", entries.concat())
}
