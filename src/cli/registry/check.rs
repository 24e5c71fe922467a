//! `dockpass registry check`.

use std::sync::Arc;

use clap::Args;
use serde_json::{Value, json};

use super::{Failure, Process, files, text};
use crate::app;
use crate::cli::api::{Api, ApiOrFilesArgs, Place};
use crate::cli::offline::ConfigArgs;
use crate::cli::output::{self, OutputArgs};
use crate::cli::refusal::Refusal;
use crate::cli::serve;
use crate::model::RegistryName;
use crate::pb;

/// Check that a registry is set up for this broker, and what goes around it; changes nothing
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  dockpass registry check local\n  dockpass registry check local --config dockpass.toml\n\n\
    The exit code is 1 when something does not work or is not safe."
)]
pub(in crate::cli) struct Check {
    /// The registry, by its name in the configuration
    #[arg(value_name = "NAME")]
    name: RegistryName,
    #[command(flatten)]
    place: ApiOrFilesArgs,
    #[command(flatten)]
    output: OutputArgs,
}

impl Check {
    pub(super) async fn run(self, process: &mut Process) -> Result<(), Failure> {
        let findings = match self.place.place(process).await? {
            Place::Files(files) => self.look(&files, process).await?,
            Place::Api(api) => self.ask(&api).await?,
        };
        let rows = findings.as_array().map_or(&[][..], Vec::as_slice);
        let field = |row: &Value, key| row.get(key).map(text).unwrap_or_default();
        self.output.print(process, rows, |rows| {
            let rows = rows.iter().map(|row| {
                let remedy = field(row, "remedy");
                let then = if remedy.is_empty() { "" } else { "\n-> " };
                let message = format!("{}{then}{remedy}", field(row, "message"));
                [field(row, "level"), field(row, "check"), message]
            });
            output::table(["level", "check", "message"], rows)
        })?;
        let bad = rows.iter().any(|row| field(row, "level") == "error");
        if bad { Err(Failure::Shown) } else { Ok(()) }
    }

    async fn look(&self, files: &ConfigArgs, process: &Process) -> Result<Value, Failure> {
        let config = files.load()?;
        let registries =
            app::offline_registries(&config, Arc::clone(&process.clock)).map_err(serve::chain)?;
        let registry = registries.get(&self.name).ok_or_else(|| files::unknown(&self.name))?;
        files::value(&registry.driver.check().await)
    }

    async fn ask(&self, api: &Api) -> Result<Value, Failure> {
        let request = pb::CheckRegistryRequest { name: self.name.to_string() };
        let answer = api.registries().check_registry(request).await.map_err(Refusal::from)?;
        let findings = answer.into_inner().findings.into_iter().map(|finding| {
            let level = match finding.severity() {
                pb::Severity::Ok | pb::Severity::Unspecified => "ok",
                pb::Severity::Warning => "warning",
                pb::Severity::Error => "error",
            };
            json!({
                "level": level,
                "check": finding.check,
                "message": finding.message,
                "remedy": finding.remedy,
            })
        });
        Ok(findings.collect())
    }
}
