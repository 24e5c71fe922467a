//! `dockpass scope-map delete`.

use clap::Args;
use serde::Serialize;

use super::{Failure, Process, Target};
use crate::cli::api::{self, Api, ApiArgs};
use crate::cli::confirm::ConfirmArgs;
use crate::cli::etag::EtagArgs;
use crate::cli::output::OutputArgs;
use crate::cli::refusal::Refusal;
use crate::pb;

/// Delete a scope map
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    dockpass scope-map delete -r local -n servers-push\n  \
    dockpass scope-map delete -r local -n servers-push --force --yes\n\n\
    While tokens are tied to it, it is not deleted; with --force it is, and they are disabled.")]
pub(in crate::cli) struct Delete {
    #[command(flatten)]
    target: Target,
    /// Also while tokens are tied to it: they are disabled
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    if_match: EtagArgs,
    #[command(flatten)]
    confirm: ConfirmArgs,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    api: ApiArgs,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Deleted {
    name: String,
    disabled_tokens: Vec<String>,
}

impl Delete {
    pub(in crate::cli) async fn run(self, process: &mut Process) -> Result<(), Failure> {
        let api = self.api.connect(process).await?;
        self.confirm.ask(&self.deed(&api).await?, process)?;
        let request = pb::DeleteScopeMapRequest {
            registry: self.target.registry.to_string(),
            name: self.target.name.to_string(),
            etag: self.if_match.into_etag(),
            force: self.force,
        };
        let answer = api.scope_maps().delete_scope_map(request).await.map_err(Refusal::from)?;
        let deleted = Deleted {
            name: self.target.name.to_string(),
            disabled_tokens: answer.into_inner().disabled_tokens,
        };
        self.output.print(process, &deleted, |deleted| {
            let disabled = match deleted.disabled_tokens.as_slice() {
                [] => String::new(),
                names => format!("; disabled {}", names.join(", ")),
            };
            format!("deleted scope map {}{disabled}", deleted.name)
        })
    }

    /// What is asked about; with --force, the tokens that would be disabled are named.
    async fn deed(&self, api: &Api) -> Result<String, Failure> {
        let name = &self.target.name;
        let tokens = if self.force { self.tokens(api).await? } else { Vec::new() };
        Ok(match tokens.as_slice() {
            [] => format!("scope map {name} is deleted for good."),
            names => format!(
                "scope map {name} is deleted for good, and the tokens that are tied to it are disabled: {}.",
                names.join(", ")
            ),
        })
    }

    async fn tokens(&self, api: &Api) -> Result<Vec<String>, Failure> {
        let tokens = api::all_pages(async |page_token| {
            let request = pb::ListTokensRequest {
                registry: self.target.registry.to_string(),
                page_size: api::PAGE,
                page_token,
                scope_map: self.target.name.to_string(),
            };
            let page = api.tokens().list_tokens(request).await?.into_inner();
            Ok((page.tokens, page.next_page_token))
        });
        Ok(tokens.await?.into_iter().map(|token| token.name).collect())
    }
}
