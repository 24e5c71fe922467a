//! `dockpass policy`: the policy file, checked, tested, planned, applied, replayed, and written from what is in force.

mod apply;
mod changed;
mod check;
mod export;
mod file;
mod plan;
mod replay;
mod test;
mod upload;

use clap::Subcommand;

use super::{Failure, Process};

/// Check, test, plan, apply, replay or export the policy: scope maps, tokens and federated credentials
#[derive(Debug, Subcommand)]
pub(super) enum PolicyCommand {
    Check(check::Check),
    Test(test::Test),
    Plan(Box<plan::Plan>),
    Apply(Box<apply::Apply>),
    Export(Box<export::Export>),
    Replay(Box<replay::Replay>),
}

impl PolicyCommand {
    pub(super) async fn run(self, process: &mut Process) -> Result<(), Failure> {
        match self {
            Self::Check(command) => command.run(process),
            Self::Test(command) => command.run(process),
            Self::Plan(command) => command.run(process).await,
            Self::Apply(command) => command.run(process).await,
            Self::Export(command) => command.run(process).await,
            Self::Replay(command) => command.run(process).await,
        }
    }
}
