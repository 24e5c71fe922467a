//! `dockpass token delete`.

use clap::Args;
use serde::Serialize;

use super::{Failure, Process, Target};
use crate::cli::api::ApiArgs;
use crate::cli::confirm::ConfirmArgs;
use crate::cli::etag::EtagArgs;
use crate::cli::output::OutputArgs;
use crate::cli::refusal::Refusal;
use crate::pb;

/// Delete a token; its sessions stop at their next exchange
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    dockpass token delete -r local -n vendor-agent\n  \
    dockpass token delete -r local -n vendor-agent --yes\n\n\
    `dockpass token update --status disabled` stops it as well, and can be undone.")]
pub(in crate::cli) struct Delete {
    #[command(flatten)]
    target: Target,
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
struct Deleted {
    name: String,
}

impl Delete {
    pub(in crate::cli) async fn run(self, process: &mut Process) -> Result<(), Failure> {
        let api = self.api.connect(process).await?;
        let name = self.target.name.to_string();
        let deed = format!(
            "token {name} is deleted for good, with its passwords and federated credentials."
        );
        self.confirm.ask(&deed, process)?;
        let request = pb::DeleteTokenRequest {
            registry: self.target.registry.to_string(),
            name: name.clone(),
            etag: self.if_match.into_etag(),
        };
        api.tokens().delete_token(request).await.map_err(Refusal::from)?;
        self.output
            .print(process, &Deleted { name }, |deleted| format!("deleted token {}", deleted.name))
    }
}
