//! `dockpass config`: is the configuration right, and what does it come to.

use clap::{Args, Subcommand};
use serde::Serialize;

use super::offline::{self, ConfigArgs};
use super::output::{self, OutputArgs};
use super::{Failure, Process};

/// Check or show the broker's configuration
#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    Check(Check),
    Dump(Dump),
}

/// Check the configuration, and that the stored policy compiles under it
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  dockpass config check --config /etc/dockpass/dockpass.toml\n\n\
    Every problem is shown at once, with its key. The exit code is 1 when there is one."
)]
pub(super) struct Check {
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Show the configuration in force: the file, the environment (`DOCKPASS_SECTION__KEY`) and the defaults together
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  DOCKPASS_GRPC__LISTEN=127.0.0.1:9443 dockpass config dump --config dockpass.toml\n\n\
    Secrets are in files of their own; only the names of those files are shown."
)]
pub(super) struct Dump {
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// What a good configuration holds.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Checked {
    file: String,
    issuers: usize,
    registries: usize,
    /// Absent when there is no store yet.
    policy_revision: Option<u64>,
}

impl ConfigCommand {
    pub(super) async fn run(self, process: &mut Process) -> Result<(), Failure> {
        match self {
            Self::Check(command) => command.run(process).await,
            Self::Dump(command) => command.run(process),
        }
    }
}

impl Check {
    async fn run(self, process: &mut Process) -> Result<(), Failure> {
        let config = self.config.load()?;
        let policy_revision = if offline::missing_file(&config).is_none() {
            let definitions = offline::existing_store(&config).await?.definitions().await?;
            let revision = definitions.revision;
            offline::compile(definitions, &config)?;
            Some(revision)
        } else {
            None
        };
        let checked = Checked {
            file: self.config.path().display().to_string(),
            issuers: config.issuers.len(),
            registries: config.registries.len(),
            policy_revision,
        };
        self.output.print(process, &checked, |checked| {
            output::fields([
                ("configuration", Some(format!("{} is good", checked.file))),
                ("issuers", Some(checked.issuers.to_string())),
                ("registries", Some(checked.registries.to_string())),
                (
                    "policy",
                    Some(checked.policy_revision.map_or_else(
                        || "none yet".to_owned(),
                        |revision| format!("revision {revision} compiles"),
                    )),
                ),
            ])
        })
    }
}

impl Dump {
    fn run(self, process: &mut Process) -> Result<(), Failure> {
        let config = self.config.load()?;
        let text = toml::to_string(&config).map_err(|error| Failure::failed(error.to_string()))?;
        self.output.print(process, &config, |_| text)
    }
}
