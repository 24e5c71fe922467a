//! `dockpass registry`: the configured registries, what they must be told, and whether they are set up.

use std::sync::Arc;

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::Value;

use super::offline::ConfigArgs;
use super::output::{self, OutputArgs};
use super::{Failure, Process, serve};
use crate::app;
use crate::config::Config;
use crate::model::RegistryName;

/// List, show or check the configured registries
#[derive(Debug, Subcommand)]
pub(super) enum RegistryCommand {
    List(List),
    Show(Show),
    Check(Check),
}

/// List the configured registries
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  dockpass registry list --config dockpass.toml")]
pub(super) struct List {
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Show a registry, or what its own configuration must hold
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    dockpass registry show local\n  \
    dockpass registry show local --registry-config >> /etc/docker/registry/config.yml\n  \
    dockpass registry show local --bundle > root.pem")]
pub(super) struct Show {
    /// The registry, by its name in the configuration
    #[arg(value_name = "NAME")]
    name: RegistryName,
    /// The block for the registry's own configuration (YAML): it sends clients to this broker and trusts its keys
    #[arg(long, conflicts_with = "bundle")]
    registry_config: bool,
    /// The certificates (PEM) that the registry must trust: its `rootcertbundle`
    #[arg(long)]
    bundle: bool,
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// Check that a registry is set up for this broker, and what goes around it; changes nothing
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  dockpass registry check local --config dockpass.toml\n\n\
    The exit code is 1 when something does not work or is not safe.")]
pub(super) struct Check {
    /// The registry, by its name in the configuration
    #[arg(value_name = "NAME")]
    name: RegistryName,
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Serialize)]
struct Row {
    name: String,
    host: String,
    driver: Value,
    service: String,
}

impl RegistryCommand {
    pub(super) async fn run(self, process: &mut Process) -> Result<(), Failure> {
        match self {
            Self::List(command) => command.run(process),
            Self::Show(command) => command.run(process),
            Self::Check(command) => command.run(process).await,
        }
    }
}

impl List {
    fn run(self, process: &mut Process) -> Result<(), Failure> {
        let config = self.config.load()?;
        let mut rows = Vec::new();
        for registry in &config.registries {
            rows.push(Row {
                name: registry.name.to_string(),
                host: registry.host.clone(),
                driver: value(&registry.driver)?,
                service: registry.service.clone(),
            });
        }
        rows.sort_by(|a, b| a.name.cmp(&b.name));
        self.output.print(process, &rows, |rows| {
            let rows = rows.iter().map(|row| {
                [row.name.clone(), row.host.clone(), text(&row.driver), row.service.clone()]
            });
            output::table(["name", "host", "driver", "service"], rows)
        })
    }
}

impl Show {
    fn run(self, process: &mut Process) -> Result<(), Failure> {
        let config = self.config.load()?;
        if self.registry_config || self.bundle {
            return self.show_for_the_registry(&config, process);
        }
        let section = config.registries.iter().find(|registry| registry.name == self.name);
        let Value::Object(section) = value(section.ok_or_else(|| unknown(&self.name))?)? else {
            return Err(Failure::failed("the registry cannot be shown"));
        };
        let section: serde_json::Map<_, _> =
            section.into_iter().map(|(key, value)| (camel_case(&key), value)).collect();
        self.output.print(process, &section, |section| {
            let set = section.iter().filter(|(_, value)| !value.is_null());
            output::table(["key", "value"], set.map(|(key, value)| [key.clone(), text(value)]))
        })
    }

    fn show_for_the_registry(&self, config: &Config, process: &mut Process) -> Result<(), Failure> {
        let registries =
            app::offline_registries(config, Arc::clone(&process.clock)).map_err(serve::chain)?;
        let registry = registries.get(&self.name).ok_or_else(|| unknown(&self.name))?;
        let server = registry.driver.token_server().ok_or_else(|| {
            Failure::failed(format!("registry `{}` has a token server of its own", self.name))
        })?;
        let shown = if self.bundle { server.bundle_pem() } else { server.config_yaml() };
        process.print(&shown)
    }
}

impl Check {
    async fn run(self, process: &mut Process) -> Result<(), Failure> {
        let config = self.config.load()?;
        let registries =
            app::offline_registries(&config, Arc::clone(&process.clock)).map_err(serve::chain)?;
        let registry = registries.get(&self.name).ok_or_else(|| unknown(&self.name))?;
        let findings = value(&registry.driver.check().await)?;
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
}

pub(super) fn unknown(name: &RegistryName) -> Failure {
    Failure::failed(format!(
        "the configuration has no registry `{name}`: see dockpass registry list"
    ))
}

fn value<T: Serialize + ?Sized>(thing: &T) -> Result<Value, Failure> {
    serde_json::to_value(thing).map_err(|error| Failure::failed(error.to_string()))
}

/// A JSON value as a person writes it.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// `key_reference` as `keyReference`.
fn camel_case(key: &str) -> String {
    let mut words = key.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |text, word| {
        let (initial, rest) = word.split_at_checked(1).unwrap_or((word, ""));
        format!("{text}{}{rest}", initial.to_uppercase())
    })
}
