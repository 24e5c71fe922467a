//! `dockpass audit watch`.

use clap::Args;

use super::filter::FilterArgs;
use super::shown::Shown;
use super::{Failure, Process, api_event};
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
    /// Start with the events after this place in the chain [default: with what is recorded from now on]
    #[arg(long, value_name = "SEQUENCE", default_value_t = 0, hide_default_value = true)]
    after: u64,
    /// End after this many events
    #[arg(long, value_name = "NUMBER")]
    limit: Option<u64>,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    api: ApiArgs,
}

impl Watch {
    pub(super) async fn run(self, process: &mut Process) -> Result<(), Failure> {
        let api = self.api.connect(process).await?;
        let request = pb::WatchAuditEventsRequest {
            filter: Some(self.filter.message()),
            after_sequence: self.after,
        };
        let answer = api.audit().watch_audit_events(request).await.map_err(Refusal::from)?;
        let mut events = answer.into_inner();
        let mut left = self.limit;
        while left != Some(0) {
            let Some(answer) = events.message().await.map_err(Refusal::from)? else { break };
            let Some(event) = answer.audit_event else { continue };
            self.output.print_line(process, &api_event::shown(event)?, line)?;
            left = left.map(|left| left.saturating_sub(1));
        }
        Ok(())
    }
}

/// One line: columns of a width of their own would need all events first.
fn line(event: &Shown) -> String {
    let [time, kind, outcome, who, what, id] = event.row_of_its_own();
    output::plain(&format!("{time}  {kind:<13}  {outcome:<17}  {who}  {what}  {id}"))
}
