//! `dockpass audit`: the audit trail, read and verified through a broker or on its files, exported and pruned on the files.

pub(super) mod api_event;
mod export;
mod filter;
mod list;
mod prune;
pub(super) mod shown;
mod verify;
mod watch;

use clap::{Args, Subcommand};

use self::shown::Shown;
use super::api::{self, Api, ApiOrFilesArgs, Place};
use super::offline::{self, ConfigArgs};
use super::output::{self, OutputArgs};
use super::refusal::Refusal;
use super::{Failure, Process};
use crate::audit::{Archive, Found};
use crate::model::DecisionId;
use crate::pb;

/// Read, verify, export or prune the audit trail
#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    List(Box<list::List>),
    Show(Box<Show>),
    Watch(Box<watch::Watch>),
    Verify(Box<verify::Verify>),
    Export(export::Export),
    Prune(prune::Prune),
}

/// Show one event with everything that was recorded
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  dockpass audit show 0199f3c2-7a0e-7c55-9d3b-0c1f5b0d2a11\n\n\
    `dockpass explain` makes the decision again and shows why it went as it did.")]
pub(super) struct Show {
    /// The decision id, as in a refusal, or the id of an access token
    #[arg(value_name = "ID")]
    id: DecisionId,
    #[command(flatten)]
    place: ApiOrFilesArgs,
    #[command(flatten)]
    output: OutputArgs,
}

impl AuditCommand {
    pub(super) async fn run(self, process: &mut Process) -> Result<(), Failure> {
        match self {
            Self::List(command) => command.run(process).await,
            Self::Show(command) => command.run(process).await,
            Self::Watch(command) => command.run(process).await,
            Self::Verify(command) => command.run(process).await,
            Self::Export(command) => command.run(process).await,
            Self::Prune(command) => command.run(process).await,
        }
    }
}

impl Show {
    async fn run(self, process: &mut Process) -> Result<(), Failure> {
        let shown = match self.place.place(process).await? {
            Place::Files(files) => Shown::from(find(&archive(&files).await?, self.id)?),
            Place::Api(api) => self.ask(&api).await?,
        };
        self.output.print(process, &shown, |shown| output::fields(shown.lines()))
    }
}

impl Show {
    async fn ask(&self, api: &Api) -> Result<Shown, Failure> {
        let request = pb::GetAuditEventRequest { id: self.id.to_string() };
        let answer = api.audit().get_audit_event(request).await.map_err(Refusal::from)?;
        let event = answer.into_inner().audit_event.ok_or_else(|| api::incomplete("event"))?;
        api_event::shown(event)
    }
}

/// The archive of the configured store.
async fn archive(config: &ConfigArgs) -> Result<Archive, Failure> {
    Ok(Archive::open(&offline::existing_store(&config.load()?).await?))
}

/// The event of a decision.
pub(super) fn find(archive: &Archive, id: DecisionId) -> Result<Found, Failure> {
    let found = archive.find(id)?;
    found.ok_or_else(|| {
        Failure::failed(format!(
            "there is no event `{id}` in this trail: it was pruned, or another broker decided"
        ))
    })
}
