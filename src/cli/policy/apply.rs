//! `dockpass policy apply`.

use clap::Args;
use futures_util::stream;
use serde::Serialize;

use super::changed::Changed;
use super::file::{self, FileArgs, PruneArgs, onto};
use super::plan;
use super::upload::{options, pieces};
use super::{Failure, Process};
use crate::cli::api::{Api, ApiOrFilesArgs, Place};
use crate::cli::confirm::ConfirmArgs;
use crate::cli::offline::{self, ConfigArgs};
use crate::cli::output::OutputArgs;
use crate::cli::policy_change;
use crate::cli::refusal::Refusal;
use crate::pb;
use crate::policy::{Change, TestOutcome};

/// Make the policy in force what a policy file says: all of it or nothing
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    dockpass policy apply policy.toml\n  \
    dockpass policy apply policy.toml --no-prune --output json\n  \
    dockpass policy apply policy.toml --config dockpass.toml\n\n\
    The file is the whole policy: scope maps and tokens that are not in it are deleted, after a question; through a server only in the registries \
    that the file names. What is the same keeps its passwords. The tests of the file must pass. Applying the same file again changes nothing. \
    Somebody else's change after the plan that the question shows is not overwritten: the command fails, and is run again.")]
pub(in crate::cli) struct Apply {
    #[command(flatten)]
    file: FileArgs,
    #[command(flatten)]
    prune: PruneArgs,
    /// Only if the policy revision is still this one, as `plan` and `apply` print it
    #[arg(long, value_name = "REVISION")]
    if_match: Option<u64>,
    #[command(flatten)]
    confirm: ConfirmArgs,
    #[command(flatten)]
    place: ApiOrFilesArgs,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Applied {
    policy_revision: u64,
    changes: Vec<Changed>,
}

impl Apply {
    pub(super) async fn run(self, process: &mut Process) -> Result<(), Failure> {
        let applied = match self.place.place(process).await? {
            Place::Files(files) => self.change_files(&files, process).await?,
            Place::Api(api) => self.ask(&api, process).await?,
        };
        self.output.print(process, &applied, table)
    }

    async fn change_files(
        &self,
        files: &ConfigArgs,
        process: &mut Process,
    ) -> Result<Applied, Failure> {
        let (file, config) = (self.file.parse()?, files.load()?);
        let store = offline::open(&config).await?;
        let before = store.definitions().await?;
        if self.if_match.is_some_and(|expected| expected != before.revision) {
            let now = before.revision;
            return Err(Failure::failed(format!(
                "nothing was changed: the policy revision is {now} now, so somebody changed it: plan again"
            )));
        }
        let after = onto(&file, &before, self.prune, process);
        offline::compile(after.clone(), &config)?;
        refuse_failing_tests(&file::run(&file, &after, &config, process))?;
        let policy_revision = after.revision;
        let changes = Change::between(&before, &after).into_iter().map(Changed::from);
        self.question(&changes.collect::<Vec<_>>(), process)?;
        let changes = policy_change::commit(&store, &before, after, process).await?;
        Ok(Applied { policy_revision, changes: changes.into_iter().map(Changed::from).collect() })
    }

    /// The broker applies the file on top of the revision that it was planned on.
    async fn ask(&self, api: &Api, process: &mut Process) -> Result<Applied, Failure> {
        let text = self.file.text()?;
        let planned = plan::ask(api, &text, self.prune, None).await?;
        self.question(&planned.changes, process)?;
        let base = self.if_match.unwrap_or(planned.policy_revision);
        let first = pb::ApplyPolicyRequest {
            options: Some(options(self.prune.keeps(), base)),
            chunk: Vec::new(),
        };
        let rest =
            pieces(&text).into_iter().map(|chunk| pb::ApplyPolicyRequest { chunk, options: None });
        let requests: Vec<_> = std::iter::once(first).chain(rest).collect();
        let answer = api.policy().apply_policy(stream::iter(requests)).await;
        let mut answer = answer.map_err(Refusal::from)?.into_inner();
        let mut applied = Applied { policy_revision: 0, changes: Vec::new() };
        while let Some(message) = answer.message().await.map_err(Refusal::from)? {
            applied.policy_revision = message.revision;
            applied.changes.extend(message.change.map(Changed::from));
        }
        Ok(applied)
    }

    fn question(&self, changes: &[Changed], process: &mut Process) -> Result<(), Failure> {
        let gone = changes.iter().filter(|change| change.is_removal());
        let names: Vec<_> = gone.map(Changed::named).collect();
        if names.is_empty() {
            return Ok(());
        }
        let deed = format!("not in the file, so they are deleted: {}.", names.join(", "));
        self.confirm.ask(&deed, process)
    }
}

fn table(applied: &Applied) -> String {
    if applied.changes.is_empty() {
        return format!("nothing differs; policy revision {}", applied.policy_revision);
    }
    let table = Changed::table(&applied.changes);
    format!("{table}\n\npolicy revision {}", applied.policy_revision)
}

fn refuse_failing_tests(outcomes: &[TestOutcome]) -> Result<(), Failure> {
    let failing = outcomes.iter().filter(|outcome| !outcome.passed);
    let lines: Vec<_> =
        failing.map(|outcome| format!("\n  {}: {}", outcome.name, outcome.detail)).collect();
    if lines.is_empty() {
        return Ok(());
    }
    Err(Failure::failed(format!("nothing was changed: tests of the file fail:{}", lines.concat())))
}
