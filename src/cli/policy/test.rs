//! `dockpass policy test`.

use clap::Args;
use serde::Serialize;

use super::check::alone;
use super::file::{FileArgs, run};
use super::{Failure, Process};
use crate::cli::offline::{self, ConfigArgs};
use crate::cli::output::OutputArgs;
use crate::policy::TestOutcome;

/// Run the `[[tests]]` of a policy file against its own definitions
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  dockpass policy test policy.toml --config dockpass.toml\n\n\
    The exit code is 1 when a test fails.")]
pub(in crate::cli) struct Test {
    #[command(flatten)]
    file: FileArgs,
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    output: OutputArgs,
}

impl Test {
    pub(super) fn run(self, process: &mut Process) -> Result<(), Failure> {
        let (file, config) = (self.file.parse()?, self.config.load()?);
        let definitions = alone(&file, process);
        let outcomes = run(&file, &definitions, &config, process);
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
