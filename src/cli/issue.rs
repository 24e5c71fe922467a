//! `dockpass issue`: a credential for exactly what is asked for.

use clap::{Args, ValueEnum};

use super::access::{AccessArgs, Bearer};
use super::access_token;
use super::{Failure, Process};

/// Get a short-lived credential for repositories
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    dockpass issue --registry local --repository servers/nginx --action push\n  \
    eval \"$(dockpass issue --registry local --repository servers/nginx --action pull --output env)\"\n  \
    dockpass issue --registry local --repository a --repository b --action pull --output docker-config > config.json\n\n\
    The result holds a secret and goes to standard output.")]
pub(super) struct Issue {
    /// Also get the bearer token that is sent to the registry directly
    #[arg(long)]
    bearer: bool,
    /// The form of the result
    #[arg(long, short, value_enum, default_value_t = Form::Text)]
    output: Form,
    #[command(flatten)]
    access: AccessArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Form {
    /// For people
    #[value(alias = "table")]
    Text,
    /// The access token, as proto3 JSON writes it
    Json,
    /// A docker config.json that holds this credential and nothing else
    DockerConfig,
    /// Lines for a shell to evaluate: `DOCKPASS_USERNAME`, `DOCKPASS_PASSWORD`, …
    Env,
}

impl Issue {
    pub(super) async fn run(self, process: &mut Process) -> Result<(), Failure> {
        let bearer = if self.bearer { Bearer::With } else { Bearer::Without };
        let token = self.access.issue(bearer, process).await?;
        let shown = match self.output {
            Form::Text => access_token::text(&token, process.clock.now()),
            Form::Json => access_token::json(&token)?,
            Form::DockerConfig => access_token::docker_config(&token)?,
            Form::Env => access_token::env(&token),
        };
        process.print(&shown)
    }
}
