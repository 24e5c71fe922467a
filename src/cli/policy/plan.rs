//! `dockpass policy plan`.

use clap::Args;
use futures_util::stream;
use serde::Serialize;

use super::changed::Changed;
use super::file::{FileArgs, PruneArgs, onto};
use super::upload::{options, pieces};
use super::{Failure, Process};
use crate::cli::api::{Api, ApiOrFilesArgs, Place};
use crate::cli::offline::{self, ConfigArgs};
use crate::cli::output::OutputArgs;
use crate::cli::refusal::Refusal;
use crate::cli::wire;
use crate::pb;
use crate::policy::Change;

/// Show what applying a policy file would change, and how much of what would go was used lately; changes nothing
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    dockpass policy plan policy.toml\n  \
    dockpass policy plan policy.toml --config dockpass.toml\n\n\
    On the files alone, nobody looks for uses.")]
pub(in crate::cli) struct Plan {
    #[command(flatten)]
    file: FileArgs,
    #[command(flatten)]
    prune: PruneArgs,
    /// How many days to look back for uses of what would go
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3650))]
    days: u32,
    #[command(flatten)]
    place: ApiOrFilesArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// What a file would change.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Planned {
    /// The policy that it was compared with.
    pub(super) policy_revision: u64,
    pub(super) changes: Vec<Changed>,
}

impl Plan {
    pub(super) async fn run(self, process: &mut Process) -> Result<(), Failure> {
        let planned = match self.place.place(process).await? {
            Place::Files(files) => self.compare(&files, process).await?,
            Place::Api(api) => ask(&api, &self.file.text()?, self.prune, Some(self.days)).await?,
        };
        self.output.print(process, &planned, table)
    }

    async fn compare(&self, files: &ConfigArgs, process: &Process) -> Result<Planned, Failure> {
        let (file, config) = (self.file.parse()?, files.load()?);
        let before = offline::open(&config).await?.definitions().await?;
        let after = onto(&file, &before, self.prune, process);
        let changes = Change::between(&before, &after).into_iter().map(Changed::from).collect();
        offline::compile(after, &config)?;
        Ok(Planned { policy_revision: before.revision, changes })
    }
}

/// Asks the broker what a file would change.
pub(super) async fn ask(
    api: &Api,
    text: &str,
    prune: PruneArgs,
    days: Option<u32>,
) -> Result<Planned, Failure> {
    let first = pb::PlanPolicyRequest {
        options: Some(options(prune.keeps(), 0)),
        chunk: Vec::new(),
        usage_window: days.map(wire::days),
    };
    let rest =
        pieces(text).into_iter().map(|chunk| pb::PlanPolicyRequest { chunk, ..Default::default() });
    let requests: Vec<_> = std::iter::once(first).chain(rest).collect();
    let answer = api.policy().plan_policy(stream::iter(requests)).await.map_err(Refusal::from)?;
    let mut answer = answer.into_inner();
    let mut planned = Planned { policy_revision: 0, changes: Vec::new() };
    while let Some(message) = answer.message().await.map_err(Refusal::from)? {
        planned.policy_revision = message.revision;
        planned.changes.extend(Changed::planned(message));
    }
    Ok(planned)
}

fn table(planned: &Planned) -> String {
    if planned.changes.is_empty() {
        return "nothing differs".to_owned();
    }
    let (count, revision) = (planned.changes.len(), planned.policy_revision);
    let table = Changed::table(&planned.changes);
    let s = if count == 1 { "" } else { "s" };
    format!(
        "{table}\n\n{count} change{s} on top of policy revision {revision}; nothing was changed"
    )
}
