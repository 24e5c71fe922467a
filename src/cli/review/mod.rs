//! `dockpass review`: who can do what in a registry, until when, and what of it nobody used; for those who have to sign it off.

mod csv;
mod html;
mod matrix;
mod table;
mod words;

use clap::{Args, ValueEnum};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use self::matrix::Reviewed;
use super::api::{self, Api, ApiArgs};
use super::{Failure, Process, output, wire};
use crate::model::RegistryName;
use crate::pb;

/// Review who has access to a registry: the matrix of tokens and permissions, what of it was not used, and what to look at
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    dockpass review --registry local\n  \
    dockpass review --registry local --days 180 --output html > review.html\n  \
    dockpass review --registry local --output csv > review.csv\n\n\
    The HTML page is one file without anything from outside: to be sent, printed and kept.")]
pub(super) struct Review {
    /// The registry, by its name in the broker's configuration
    #[arg(long, short, value_name = "NAME")]
    registry: RegistryName,
    /// What was not used for so many days counts as unused
    #[arg(long, value_name = "DAYS", default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=3650))]
    days: u32,
    /// The form of the result
    #[arg(long, short, value_enum, default_value_t = Form::Table)]
    output: Form,
    #[command(flatten)]
    api: ApiArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Form {
    /// For people at a terminal
    Table,
    /// For scripts
    Json,
    /// For spreadsheets: one line a token and repository
    Csv,
    /// One page for auditors, to be printed
    Html,
}

/// A whole review.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    registry: String,
    time: Timestamp,
    /// How far back uses count.
    days: u32,
    /// How far back they were looked for: later than asked for where there was too much to look at.
    uses_since: Option<Timestamp>,
    /// What concerns the registry as a whole, one sentence each.
    findings: Vec<String>,
    tokens: Vec<Reviewed>,
}

impl Report {
    /// Said where uses were not looked for as far back as was asked: then nothing counts as unused.
    fn shortfall(&self) -> Option<String> {
        let asked = SignedDuration::from_hours(i64::from(self.days) * 24);
        let since = self.uses_since?;
        // the broker's clock may differ a little
        let wanted =
            self.time.checked_sub(asked).ok()?.checked_add(SignedDuration::from_hours(1)).ok()?;
        (since > wanted).then(|| {
            let since = wire::to_the_second(since);
            format!("there was too much to look at: uses were looked for only back to {since}, so nothing counts as unused")
        })
    }
}

impl Review {
    pub(super) async fn run(self, process: &mut Process) -> Result<(), Failure> {
        let api = self.api.connect(process).await?;
        let report = self.ask(&api, process.clock.now()).await?;
        let shown = match self.output {
            Form::Table => output::plain_lines(&table::text(&report)),
            Form::Json => output::json(&report)?,
            Form::Csv => csv::text(&report),
            Form::Html => html::page(&report),
        };
        process.print(&shown)
    }

    async fn ask(&self, api: &Api, time: Timestamp) -> Result<Report, Failure> {
        let (mut findings, mut uses_since) = (Vec::new(), None);
        let tokens = api::all_pages(async |page_token| {
            let request = pb::ReviewAccessRequest {
                registry: self.registry.to_string(),
                unused_window: Some(wire::days(self.days)),
                page_size: api::PAGE,
                page_token,
            };
            let page = api.audit().review_access(request).await?.into_inner();
            findings.extend(page.registry_findings);
            for token in &page.tokens {
                uses_since = uses_since.max(cut_short_at(token));
            }
            Ok((page.tokens, page.next_page_token))
        });
        let tokens = tokens.await?.into_iter().map(Reviewed::from).collect();
        Ok(Report {
            registry: self.registry.to_string(),
            time,
            days: self.days,
            uses_since,
            findings,
            tokens,
        })
    }
}

/// Where the look back for uses of a token ended; none when it went back to where the token was made.
fn cut_short_at(review: &pb::TokenReview) -> Option<Timestamp> {
    let since = wire::optional_time(review.uses_since.as_ref())?;
    let made = wire::optional_time(review.token.as_ref().and_then(|own| own.create_time.as_ref()));
    (Some(since) > made).then_some(since)
}

#[cfg(test)]
mod tests;
