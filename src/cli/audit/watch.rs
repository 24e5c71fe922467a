//! `dockpass audit watch`.

use clap::Args;
use serde::Serialize;

use super::filter::FilterArgs;
use super::shown::Shown;
use super::{Failure, Process, api_event};
use crate::audit::Places;
use crate::cli::api::ApiArgs;
use crate::cli::output::{self, OutputArgs};
use crate::cli::refusal::Refusal;
use crate::pb;

/// Show events as they are recorded, until Ctrl-C
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    dockpass audit watch --refused\n  \
    dockpass audit watch --registry local --kind registry_push --output json\n\n\
    One line an event; as JSON, one object a line.")]
pub(in crate::cli) struct Watch {
    #[command(flatten)]
    filter: FilterArgs,
    /// Start with the events after this place: a sequence number of chain 0, or the `place` of an event [default: with what is recorded from now on]
    #[arg(long, value_name = "PLACE")]
    after: Option<Places>,
    /// End after this many events
    #[arg(long, value_name = "NUMBER")]
    limit: Option<u64>,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    api: ApiArgs,
}

/// An event, and where to go on after it.
#[derive(Serialize)]
struct Watched {
    #[serde(flatten)]
    event: Shown,
    place: String,
}

impl Watch {
    pub(super) async fn run(self, process: &mut Process) -> Result<(), Failure> {
        let api = self.api.connect(process).await?;
        let request = pb::WatchAuditEventsRequest {
            filter: Some(self.filter.message()),
            after_sequence: 0,
            after: self.after.as_ref().map(Places::to_string).unwrap_or_default(),
        };
        let answer = api.audit().watch_audit_events(request).await.map_err(Refusal::from)?;
        let mut events = answer.into_inner();
        let mut left = self.limit;
        while left != Some(0) {
            let Some(answer) = events.message().await.map_err(Refusal::from)? else { break };
            let Some(event) = answer.audit_event else { continue };
            let watched = Watched { event: api_event::shown(event)?, place: answer.place };
            self.output.print_line(process, &watched, line)?;
            left = left.map(|left| left.saturating_sub(1));
        }
        Ok(())
    }
}

/// One line: columns of a width of their own would need all events first.
fn line(watched: &Watched) -> String {
    let [time, kind, outcome, who, what, id] = watched.event.row_of_its_own();
    output::plain(&format!("{time}  {kind:<13}  {outcome:<17}  {who}  {what}  {id}"))
}
