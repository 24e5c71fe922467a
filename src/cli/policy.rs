//! `dockpass policy`: the policy file, checked, tested, applied to the store, and written from it.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::offline::{self, ConfigArgs};
use super::output::{self, OutputArgs};
use super::{Failure, Process, policy_change};
use crate::config::Config;
use crate::model::{Definitions, TokenUid};
use crate::policy::{Change, PolicyFile, TestOutcome, run_tests};

/// Check, test, apply or export the policy: scope maps, tokens and federated credentials
#[derive(Debug, Subcommand)]
pub(super) enum PolicyCommand {
    Check(Check),
    Test(Test),
    Apply(Apply),
    Export(Export),
}

/// Check that a policy file is well formed and compiles under the configuration
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  dockpass policy check policy.toml --config dockpass.toml")]
pub(super) struct Check {
    #[command(flatten)]
    file: FileArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Run the `[[tests]]` of a policy file against its own definitions
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  dockpass policy test policy.toml --config dockpass.toml\n\n\
    The exit code is 1 when a test fails.")]
pub(super) struct Test {
    #[command(flatten)]
    file: FileArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Make the stored policy what a policy file says
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  dockpass policy apply policy.toml --config dockpass.toml\n\n\
    The file is the whole policy: scope maps and tokens that are not in it are deleted, after a question. What is the same keeps its passwords. \
    The tests of the file must pass. Applying the same file again changes nothing.")]
pub(super) struct Apply {
    #[command(flatten)]
    file: FileArgs,
    /// Delete what is not in the file without asking
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    output: OutputArgs,
}

/// Write the stored policy as a policy file; applied again, it changes nothing
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  dockpass policy export --config dockpass.toml > policy.toml")]
pub(super) struct Export {
    #[command(flatten)]
    config: ConfigArgs,
    /// The policy as it was at this revision [default: the present one]
    #[arg(long, value_name = "NUMBER")]
    revision: Option<u64>,
}

#[derive(Args, Debug)]
struct FileArgs {
    /// The policy file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    config: ConfigArgs,
}

impl PolicyCommand {
    pub(super) async fn run(self, process: &mut Process) -> Result<(), Failure> {
        match self {
            Self::Check(command) => command.run(process),
            Self::Test(command) => command.run(process),
            Self::Apply(command) => command.run(process).await,
            Self::Export(command) => command.run(process).await,
        }
    }
}

impl FileArgs {
    fn parse(&self) -> Result<PolicyFile, Failure> {
        let path = self.file.display();
        let text = std::fs::read_to_string(&self.file)
            .map_err(|error| Failure::failed(format!("cannot read `{path}`: {error}")))?;
        PolicyFile::parse(&text).map_err(|error| Failure::failed(format!("`{path}`: {error}")))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Checked {
    scope_maps: usize,
    tokens: usize,
    tests: usize,
}

impl Check {
    fn run(self, process: &mut Process) -> Result<(), Failure> {
        let (file, config) = (self.file.parse()?, self.file.config.load()?);
        let definitions = onto(&file, &Definitions::default(), process);
        let checked = Checked {
            scope_maps: definitions.scope_maps.len(),
            tokens: definitions.tokens.len(),
            tests: file.tests.len(),
        };
        offline::compile(definitions, &config)?;
        self.output.print(process, &checked, |checked| {
            format!(
                "the policy compiles: {} scope maps, {} tokens, {} tests",
                checked.scope_maps, checked.tokens, checked.tests
            )
        })
    }
}

impl Test {
    fn run(self, process: &mut Process) -> Result<(), Failure> {
        let (file, config) = (self.file.parse()?, self.file.config.load()?);
        let definitions = onto(&file, &Definitions::default(), process);
        let outcomes = test(&file, &definitions, &config, process);
        offline::compile(definitions, &config)?;
        if outcomes.is_empty() {
            process.note("the file has no [[tests]]")?;
        }
        let rows: Vec<_> = outcomes.iter().map(TestRow::from).collect();
        self.output.print(process, &rows, |rows| test_lines(rows))?;
        if outcomes.iter().all(|outcome| outcome.passed) { Ok(()) } else { Err(Failure::Shown) }
    }
}

#[derive(Serialize)]
struct TestRow<'a> {
    name: &'a str,
    passed: bool,
    detail: &'a str,
}

impl<'a> From<&'a TestOutcome> for TestRow<'a> {
    fn from(outcome: &'a TestOutcome) -> Self {
        Self { name: &outcome.name, passed: outcome.passed, detail: &outcome.detail }
    }
}

/// Two lines a test, because both are long, and the sum.
fn test_lines(rows: &[TestRow<'_>]) -> String {
    let lines = rows.iter().map(|row| {
        let result = if row.passed { "pass" } else { "FAIL" };
        format!("{result}  {}\n      {}\n", row.name, row.detail)
    });
    let passed = rows.iter().filter(|row| row.passed).count();
    format!("{}{passed} passed, {} failed", lines.collect::<String>(), rows.len() - passed)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Applied {
    policy_revision: u64,
    changes: Vec<Changed>,
}

#[derive(Serialize)]
struct Changed {
    change: &'static str,
    kind: &'static str,
    registry: String,
    name: String,
}

impl From<Change> for Changed {
    fn from(change: Change) -> Self {
        let word = match (&change.before, &change.after) {
            (None, _) => "added",
            (Some(_), None) => "removed",
            (Some(_), Some(_)) => "changed",
        };
        Self { change: word, kind: change.kind, registry: change.registry, name: change.name }
    }
}

impl Apply {
    async fn run(self, process: &mut Process) -> Result<(), Failure> {
        let (file, config) = (self.file.parse()?, self.file.config.load()?);
        let store = offline::open(&config).await?;
        let before = store.definitions().await?;
        let after = onto(&file, &before, process);
        offline::compile(after.clone(), &config)?;
        refuse_failing_tests(&test(&file, &after, &config, process))?;
        let policy_revision = after.revision;
        self.confirm(&Change::between(&before, &after), process)?;
        let changes = policy_change::commit(&store, &before, after, process).await?;
        let applied =
            Applied { policy_revision, changes: changes.into_iter().map(Changed::from).collect() };
        self.output.print(process, &applied, applied_table)
    }

    fn confirm(&self, changes: &[Change], process: &mut Process) -> Result<(), Failure> {
        let gone = changes.iter().filter(|change| change.after.is_none());
        let names: Vec<_> =
            gone.map(|gone| format!("{} {}/{}", gone.kind, gone.registry, gone.name)).collect();
        if names.is_empty() || self.yes {
            return Ok(());
        }
        process.confirm(&format!("not in the file, so they are deleted: {}.", names.join(", ")))
    }
}

fn applied_table(applied: &Applied) -> String {
    if applied.changes.is_empty() {
        return format!("nothing differs; policy revision {}", applied.policy_revision);
    }
    let rows = applied.changes.iter().map(|row| {
        [row.change.to_owned(), row.kind.to_owned(), row.registry.clone(), row.name.clone()]
    });
    let table = output::table(["change", "kind", "registry", "name"], rows);
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

impl Export {
    async fn run(self, process: &mut Process) -> Result<(), Failure> {
        let store = offline::existing_store(&self.config.load()?).await?;
        let definitions = match self.revision {
            Some(revision) => store.definitions_at(revision).await?,
            None => store.definitions().await?,
        };
        process.print(&PolicyFile::render(&definitions))
    }
}

/// The definitions that the file makes of the present ones.
fn onto(file: &PolicyFile, present: &Definitions, process: &Process) -> Definitions {
    let now = process.clock.now();
    file.onto(present, now, &policy_change::actor(), &mut || TokenUid::new(now))
}

fn test(
    file: &PolicyFile,
    definitions: &Definitions,
    config: &Config,
    process: &Process,
) -> Vec<TestOutcome> {
    run_tests(&file.tests, definitions, &config.policy_context(), process.clock.now())
}
