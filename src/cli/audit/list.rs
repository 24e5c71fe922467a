//! `dockpass audit list`.

use clap::Args;
use serde::Serialize;

use super::filter::FilterArgs;
use super::shown::Shown;
use super::{Failure, Process, api_event, archive};
use crate::audit::{Archive, NoPlaces, Places};
use crate::cli::api::{self, Api, ApiOrFilesArgs, Place};
use crate::cli::output::{self, OutputArgs};
use crate::cli::refusal::Refusal;
use crate::pb;

/// List events, newest first
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    dockpass audit list --refused --since 2026-08-01T00:00:00Z\n  \
    dockpass audit list --repository servers/nginx --kind issue --output json\n\n\
    The outcome is the reason of a refusal; else `allowed`, `partly` or `nothing` of what was asked for; of other events `done`. \
    A table leaves out issuers, but where two have the same subject: `dockpass audit show` and JSON have everything.")]
pub(in crate::cli) struct List {
    #[command(flatten)]
    filter: FilterArgs,
    /// At most this many events
    #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
    /// Only events before this place: the `next` of the page before
    #[arg(long, value_name = "PLACE")]
    before: Option<String>,
    #[command(flatten)]
    place: ApiOrFilesArgs,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Serialize)]
struct Listed {
    events: Vec<Shown>,
    next: Option<Next>,
}

/// Where the next page starts.
#[derive(Serialize)]
#[serde(untagged)]
enum Next {
    /// A place in each chain.
    Files(Places),
    /// What the broker calls it.
    Api(String),
}

impl List {
    pub(super) async fn run(self, process: &mut Process) -> Result<(), Failure> {
        let listed = match self.place.place(process).await? {
            Place::Files(files) => self.read(&archive(&files).await?)?,
            Place::Api(api) => self.ask(&api).await?,
        };
        self.output.print(process, &listed, |listed| {
            output::table(Shown::HEAD, Shown::rows(&listed.events))
        })?;
        match &listed.next {
            Some(Next::Api(next)) => process.note(&format!("there are more: --before {next}")),
            Some(Next::Files(next)) => process.note(&format!("there are more: --before {next}")),
            None => Ok(()),
        }
    }

    fn read(&self, archive: &Archive) -> Result<Listed, Failure> {
        let before: Option<Places> = self.before.as_deref().map(str::parse).transpose().map_err(
            |NoPlaces| Failure::usage("--before is a place with --config, such as 123 or 0:123,2:55: the `next` of the page before"),
        )?;
        let page = archive.list(&self.filter.filter(), before.as_ref(), self.limit)?;
        let events = page.events.into_iter().map(Shown::from).collect();
        Ok(Listed { events, next: page.next.map(Next::Files) })
    }

    /// As many pages as it takes.
    async fn ask(&self, api: &Api) -> Result<Listed, Failure> {
        let mut listed = Listed { events: Vec::new(), next: None };
        let mut page_token = self.before.clone().unwrap_or_default();
        let mut left = self.limit;
        loop {
            let request = pb::ListAuditEventsRequest {
                filter: Some(self.filter.message()),
                page_size: left.try_into().unwrap_or(api::PAGE).min(api::PAGE),
                page_token,
            };
            let answer = api.audit().list_audit_events(request).await.map_err(Refusal::from)?;
            let page = answer.into_inner();
            let count = u32::try_from(page.audit_events.len()).unwrap_or(u32::MAX);
            for event in page.audit_events {
                listed.events.push(api_event::shown(event)?);
            }
            left = left.saturating_sub(count);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return Ok(listed);
            }
            if left == 0 {
                listed.next = Some(Next::Api(page_token));
                return Ok(listed);
            }
        }
    }
}
