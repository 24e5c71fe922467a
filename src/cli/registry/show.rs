//! `dockpass registry show`.

use std::sync::Arc;

use clap::Args;
use serde_json::{Map, Value, json};

use super::{Failure, Process, files, text};
use crate::app;
use crate::cli::api::{self, Api, ApiOrFilesArgs, Place};
use crate::cli::output::{self, OutputArgs};
use crate::cli::refusal::Refusal;
use crate::cli::{serve, wire};
use crate::config::Config;
use crate::model::RegistryName;
use crate::pb;

/// Show a registry, or what its own configuration must hold
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    dockpass registry show local\n  \
    dockpass registry show local --registry-config --config dockpass.toml >> /etc/docker/registry/config.yml\n  \
    dockpass registry show local --bundle --config dockpass.toml > root.pem\n\n\
    --registry-config and --bundle come from the broker's files: `dockpass.toml` here, unless --config names it.")]
pub(in crate::cli) struct Show {
    /// The registry, by its name in the configuration
    #[arg(value_name = "NAME")]
    name: RegistryName,
    /// The block for the registry's own configuration (YAML): it sends clients to this broker and trusts its keys
    #[arg(long, conflicts_with_all = ["bundle", "server"])]
    registry_config: bool,
    /// The certificates (PEM) that the registry must trust: its `rootcertbundle`
    #[arg(long, conflicts_with = "server")]
    bundle: bool,
    #[command(flatten)]
    place: ApiOrFilesArgs,
    #[command(flatten)]
    output: OutputArgs,
}

impl Show {
    pub(super) async fn run(self, process: &mut Process) -> Result<(), Failure> {
        if self.registry_config || self.bundle {
            let config = self.place.files_or_default().load()?;
            return self.show_for_the_registry(&config, process);
        }
        let section = match self.place.place(process).await? {
            Place::Files(files) => files::section(&files.load()?, &self.name)?,
            Place::Api(api) => self.ask(&api).await?,
        };
        self.output.print(process, &section, |section| {
            let set = section.iter().filter(|(_, value)| !value.is_null());
            output::table(["key", "value"], set.map(|(key, value)| [key.clone(), text(value)]))
        })
    }

    async fn ask(&self, api: &Api) -> Result<Map<String, Value>, Failure> {
        let request = pb::GetRegistryRequest { name: self.name.to_string() };
        let answer = api.registries().get_registry(request).await.map_err(Refusal::from)?;
        let registry = answer.into_inner().registry.ok_or_else(|| api::incomplete("registry"))?;
        let lifetime = |own: Option<&prost_types::Duration>| own.map(wire::duration_text);
        let shown = json!({
            "name": registry.name,
            "host": registry.host,
            "driver": registry.driver,
            "service": registry.service,
            "anonymous": registry.anonymous,
            "defaultLifetime": lifetime(registry.default_lifetime.as_ref()),
            "maxLifetime": lifetime(registry.max_lifetime.as_ref()),
        });
        Ok(shown.as_object().cloned().unwrap_or_default())
    }

    fn show_for_the_registry(&self, config: &Config, process: &mut Process) -> Result<(), Failure> {
        let registries =
            app::offline_registries(config, Arc::clone(&process.clock)).map_err(serve::chain)?;
        let registry = registries.get(&self.name).ok_or_else(|| files::unknown(&self.name))?;
        let server = registry.driver.token_server().ok_or_else(|| {
            Failure::failed(format!("registry `{}` has a token server of its own", self.name))
        })?;
        let shown = if self.bundle { server.bundle_pem() } else { server.config_yaml() };
        process.print(&shown)
    }
}
