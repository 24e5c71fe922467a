//! `dockpass review`: who can do what in a registry, until when, and what of it nobody used; for those who have to sign it off.

mod csv;
mod html;
mod matrix;
mod table;
mod words;

use clap::{Args, ValueEnum};
use jiff::Timestamp;
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
    tokens: Vec<Reviewed>,
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
        let tokens = api::all_pages(async |page_token| {
            let request = pb::ReviewAccessRequest {
                registry: self.registry.to_string(),
                unused_window: Some(wire::days(self.days)),
                page_size: api::PAGE,
                page_token,
            };
            let page = api.audit().review_access(request).await?.into_inner();
            Ok((page.tokens, page.next_page_token))
        });
        Ok(Report {
            registry: self.registry.to_string(),
            time,
            days: self.days,
            tokens: tokens.await?.into_iter().map(Reviewed::from).collect(),
        })
    }
}

#[cfg(test)]
mod tests;
