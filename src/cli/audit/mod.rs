//! `dockpass audit`: the audit trail, read, verified, exported and pruned on the store's files; a running broker is not disturbed.

mod export;
mod list;
mod prune;
pub(super) mod shown;
mod verify;

use clap::{Args, Subcommand};

use self::shown::Shown;
use super::offline::{self, ConfigArgs};
use super::output::{self, OutputArgs};
use super::{Failure, Process};
use crate::audit::{Archive, Found};
use crate::model::DecisionId;

/// Read, verify, export or prune the audit trail
#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    List(Box<list::List>),
    Show(Show),
    Verify(verify::Verify),
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
    config: ConfigArgs,
    #[command(flatten)]
    output: OutputArgs,
}

impl AuditCommand {
    pub(super) async fn run(self, process: &mut Process) -> Result<(), Failure> {
        match self {
            Self::List(command) => command.run(process).await,
            Self::Show(command) => command.run(process).await,
            Self::Verify(command) => command.run(process).await,
            Self::Export(command) => command.run(process).await,
            Self::Prune(command) => command.run(process).await,
        }
    }
}

impl Show {
    async fn run(self, process: &mut Process) -> Result<(), Failure> {
        let archive = archive(&self.config).await?;
        let shown = Shown::from(find(&archive, self.id)?);
        self.output.print(process, &shown, |shown| output::fields(shown.lines()))
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
