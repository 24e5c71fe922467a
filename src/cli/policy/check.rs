//! `dockpass policy check`.

use clap::Args;
use serde::Serialize;

use super::file::FileArgs;
use super::{Failure, Process};
use crate::cli::offline::{self, ConfigArgs};
use crate::cli::output::OutputArgs;
use crate::cli::policy_change;
use crate::model::{Definitions, TokenUid};

/// Check that a policy file is well formed and compiles under the configuration
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  dockpass policy check policy.toml --config dockpass.toml")]
pub(in crate::cli) struct Check {
    #[command(flatten)]
    file: FileArgs,
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Checked {
    scope_maps: usize,
    tokens: usize,
    tests: usize,
}

impl Check {
    pub(super) fn run(self, process: &mut Process) -> Result<(), Failure> {
        let (file, config) = (self.file.parse()?, self.config.load()?);
        let definitions = alone(&file, process);
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

/// The definitions of the file, on top of nothing.
pub(super) fn alone(file: &crate::policy::PolicyFile, process: &Process) -> Definitions {
    let now = process.clock.now();
    let nothing = Definitions::default();
    file.onto(&nothing, now, &policy_change::actor(), &mut || TokenUid::new(now))
}
