//! `dockpass registry`: the configured registries, what they must be told, and whether they are set up.

mod check;
mod files;
mod show;

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::Value;

pub(super) use self::files::unknown;
use super::api::{self, ApiOrFilesArgs, Place};
use super::output::{self, OutputArgs};
use super::{Failure, Process};
use crate::pb;

/// List, show or check the configured registries
#[derive(Debug, Subcommand)]
pub(super) enum RegistryCommand {
    List(List),
    Show(show::Show),
    Check(check::Check),
}

/// List the configured registries
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  dockpass registry list\n  dockpass registry list --config dockpass.toml"
)]
pub(super) struct List {
    #[command(flatten)]
    place: ApiOrFilesArgs,
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
            Self::List(command) => command.run(process).await,
            Self::Show(command) => command.run(process).await,
            Self::Check(command) => command.run(process).await,
        }
    }
}

impl List {
    async fn run(self, process: &mut Process) -> Result<(), Failure> {
        let mut rows = match self.place.place(process).await? {
            Place::Files(files) => files::rows(&files.load()?)?,
            Place::Api(api) => {
                let registries = api::all_pages(async |page_token| {
                    let request = pb::ListRegistriesRequest { page_size: api::PAGE, page_token };
                    let page = api.registries().list_registries(request).await?.into_inner();
                    Ok((page.registries, page.next_page_token))
                });
                registries.await?.into_iter().map(Row::from).collect()
            }
        };
        rows.sort_by(|a, b| a.name.cmp(&b.name));
        self.output.print(process, &rows, |rows| {
            let rows = rows.iter().map(|row| {
                [row.name.clone(), row.host.clone(), text(&row.driver), row.service.clone()]
            });
            output::table(["name", "host", "driver", "service"], rows)
        })
    }
}

impl From<pb::Registry> for Row {
    fn from(registry: pb::Registry) -> Self {
        Self {
            name: registry.name,
            host: registry.host,
            driver: Value::String(registry.driver),
            service: registry.service,
        }
    }
}

/// A JSON value as a person writes it.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
