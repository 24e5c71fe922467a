//! The policy file of a command, and what it makes of the definitions in force.

use std::path::PathBuf;

use clap::Args;

use super::{Failure, Process};
use crate::cli::policy_change;
use crate::config::Config;
use crate::model::{Definitions, TokenUid};
use crate::policy::{PolicyFile, TestOutcome, run_tests};

/// Which policy file.
#[derive(Args, Clone, Debug)]
pub(super) struct FileArgs {
    /// The policy file
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl FileArgs {
    /// Its text.
    pub(super) fn text(&self) -> Result<String, Failure> {
        std::fs::read_to_string(&self.file).map_err(|error| {
            Failure::failed(format!("cannot read `{}`: {error}", self.file.display()))
        })
    }

    /// The file, parsed.
    pub(super) fn parse(&self) -> Result<PolicyFile, Failure> {
        PolicyFile::parse(&self.text()?)
            .map_err(|error| Failure::failed(format!("`{}`: {error}", self.file.display())))
    }
}

/// What to do with scope maps and tokens that are not in the file.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct PruneArgs {
    /// Keep scope maps and tokens that are not in the file
    #[arg(long)]
    no_prune: bool,
}

impl PruneArgs {
    /// True when what is not in the file stays.
    pub(super) const fn keeps(self) -> bool {
        self.no_prune
    }
}

/// The definitions that the file makes of the present ones.
pub(super) fn onto(
    file: &PolicyFile,
    present: &Definitions,
    prune: PruneArgs,
    process: &Process,
) -> Definitions {
    let now = process.clock.now();
    let mut after = file.onto(present, now, &policy_change::actor(), &mut || TokenUid::new(now));
    if prune.keeps() {
        keep(present, &mut after);
    }
    after
}

/// Puts back what is not in the file.
fn keep(present: &Definitions, after: &mut Definitions) {
    let maps: Vec<_> = present
        .scope_maps
        .iter()
        .filter(|own| {
            !after.scope_maps.iter().any(|map| map.registry == own.registry && map.name == own.name)
        })
        .cloned()
        .collect();
    let tokens: Vec<_> = present
        .tokens
        .iter()
        .filter(|own| {
            !after
                .tokens
                .iter()
                .any(|token| token.registry == own.registry && token.name == own.name)
        })
        .cloned()
        .collect();
    after.scope_maps.extend(maps);
    after.tokens.extend(tokens);
    let differs = !crate::policy::Change::between(present, after).is_empty();
    after.revision = present.revision + u64::from(differs);
}

/// Runs the tests of the file against definitions.
pub(super) fn run(
    file: &PolicyFile,
    definitions: &Definitions,
    config: &Config,
    process: &Process,
) -> Vec<TestOutcome> {
    run_tests(&file.tests, definitions, &config.policy_context(), process.clock.now())
}
