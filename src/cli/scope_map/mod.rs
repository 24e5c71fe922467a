//! `dockpass scope-map`: the boundaries that a person approved, with the flags of `az acr scope-map`.

mod create;
mod delete;
mod preview;
pub(super) mod shown;
mod update;

use clap::{Args, Subcommand};

use self::shown::Shown;
use super::api::{self, Api, ApiArgs};
use super::output::{self, OutputArgs};
use super::refusal::Refusal;
use super::{Failure, Process};
use crate::model::{RegistryName, ScopeMapName};
use crate::pb;

/// Manage the scope maps of a registry: named sets of permissions that tokens are tied to
#[derive(Debug, Subcommand)]
pub(super) enum ScopeMapCommand {
    List(List),
    Show(Show),
    Create(Box<create::Create>),
    Update(Box<update::Update>),
    Delete(Box<delete::Delete>),
}

/// List the scope maps of a registry, by name
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  dockpass scope-map list -r local\n  dockpass scope-map list --registry local --output json"
)]
pub(super) struct List {
    /// The registry, by its name in the broker's configuration
    #[arg(long, short, value_name = "NAME")]
    registry: RegistryName,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    api: ApiArgs,
}

/// Show a scope map
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  dockpass scope-map show -r local -n servers-push")]
pub(super) struct Show {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    api: ApiArgs,
}

/// Which scope map.
#[derive(Args, Clone, Debug)]
pub(super) struct Target {
    /// The registry, by its name in the broker's configuration
    #[arg(long, short, value_name = "NAME")]
    registry: RegistryName,
    /// The scope map
    #[arg(long, short, value_name = "NAME")]
    name: ScopeMapName,
}

impl ScopeMapCommand {
    pub(super) async fn run(self, process: &mut Process) -> Result<(), Failure> {
        match self {
            Self::List(command) => command.run(process).await,
            Self::Show(command) => command.run(process).await,
            Self::Create(command) => command.run(process).await,
            Self::Update(command) => command.run(process).await,
            Self::Delete(command) => command.run(process).await,
        }
    }
}

impl List {
    async fn run(self, process: &mut Process) -> Result<(), Failure> {
        let api = self.api.connect(process).await?;
        let registry = self.registry.to_string();
        let maps = api::all_pages(async |page_token| {
            let request = pb::ListScopeMapsRequest {
                registry: registry.clone(),
                page_size: api::PAGE,
                page_token,
            };
            let page = api.scope_maps().list_scope_maps(request).await?.into_inner();
            Ok((page.scope_maps, page.next_page_token))
        });
        let shown: Vec<Shown> = maps.await?.into_iter().map(Shown::from).collect();
        self.output.print(process, &shown, |shown| {
            output::table(Shown::HEAD, shown.iter().map(Shown::row))
        })
    }
}

impl Show {
    async fn run(self, process: &mut Process) -> Result<(), Failure> {
        let api = self.api.connect(process).await?;
        let map = self.target.find(&api).await?.ok_or_else(|| api::incomplete("scope map"))?;
        print(map, self.output, process)
    }
}

impl Target {
    async fn find(&self, api: &Api) -> Result<Option<pb::ScopeMap>, Refusal> {
        find(api, &self.registry, &self.name).await
    }
}

/// A scope map, as the broker has it.
pub(super) async fn find(
    api: &Api,
    registry: &RegistryName,
    name: &ScopeMapName,
) -> Result<Option<pb::ScopeMap>, Refusal> {
    let request = pb::GetScopeMapRequest { registry: registry.to_string(), name: name.to_string() };
    Ok(api.scope_maps().get_scope_map(request).await?.into_inner().scope_map)
}

/// Prints one scope map.
fn print(map: pb::ScopeMap, output: OutputArgs, process: &mut Process) -> Result<(), Failure> {
    output.print(process, &Shown::from(map), Shown::text)
}
