//! `dockpass token`: the named principals of a registry, with the flags of `az acr token`.

mod create;
mod credential;
mod delete;
mod expiry;
mod federation;
mod shown;
mod update;

use clap::{Args, Subcommand, ValueEnum};

pub(super) use self::shown::Shown;
use super::api::{self, Api, ApiArgs};
use super::output::{self, OutputArgs};
use super::refusal::Refusal;
use super::{Failure, Process};
use crate::model::{RegistryName, ScopeMapName, TokenName};
use crate::pb;

/// Manage the tokens of a registry: named principals with passwords or federated credentials, each tied to a scope map
#[derive(Debug, Subcommand)]
pub(super) enum TokenCommand {
    List(List),
    Show(Show),
    Create(Box<create::Create>),
    Update(Box<update::Update>),
    Delete(Box<delete::Delete>),
    #[command(subcommand)]
    Credential(credential::CredentialCommand),
    #[command(subcommand)]
    Federation(federation::FederationCommand),
}

/// List the tokens of a registry, by name
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  dockpass token list -r local\n  dockpass token list -r local --scope-map servers-push --output json"
)]
pub(super) struct List {
    /// The registry, by its name in the broker's configuration
    #[arg(long, short, value_name = "NAME")]
    registry: RegistryName,
    /// Only those that are tied to this scope map
    #[arg(long, value_name = "NAME")]
    scope_map: Option<ScopeMapName>,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    api: ApiArgs,
}

/// Show a token, with when it was last used
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  dockpass token show -r local -n nginx-ci\n\n\
    Secrets are shown only by the command that generates them.")]
pub(super) struct Show {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    api: ApiArgs,
}

/// Which token.
#[derive(Args, Clone, Debug)]
pub(super) struct Target {
    /// The registry, by its name in the broker's configuration
    #[arg(long, short, value_name = "NAME")]
    registry: RegistryName,
    /// The token
    #[arg(long, short, value_name = "NAME")]
    name: TokenName,
}

/// Whether a token may be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum StatusWord {
    /// It may be used
    Enabled,
    /// It may not; its sessions stop at their next exchange
    Disabled,
}

impl From<StatusWord> for pb::TokenStatus {
    fn from(word: StatusWord) -> Self {
        match word {
            StatusWord::Enabled => Self::Enabled,
            StatusWord::Disabled => Self::Disabled,
        }
    }
}

impl TokenCommand {
    pub(super) async fn run(self, process: &mut Process) -> Result<(), Failure> {
        match self {
            Self::List(command) => command.run(process).await,
            Self::Show(command) => command.run(process).await,
            Self::Create(command) => command.run(process).await,
            Self::Update(command) => command.run(process).await,
            Self::Delete(command) => command.run(process).await,
            Self::Credential(command) => command.run(process).await,
            Self::Federation(command) => command.run(process).await,
        }
    }
}

impl List {
    async fn run(self, process: &mut Process) -> Result<(), Failure> {
        let api = self.api.connect(process).await?;
        let registry = self.registry.to_string();
        let scope_map = self.scope_map.as_ref().map(ToString::to_string).unwrap_or_default();
        let tokens = api::all_pages(async |page_token| {
            let request = pb::ListTokensRequest {
                registry: registry.clone(),
                page_size: api::PAGE,
                page_token,
                scope_map: scope_map.clone(),
            };
            let page = api.tokens().list_tokens(request).await?.into_inner();
            Ok((page.tokens, page.next_page_token))
        });
        let shown: Vec<Shown> = tokens.await?.into_iter().map(Shown::from).collect();
        self.output.print(process, &shown, |shown| {
            output::table(Shown::HEAD, shown.iter().map(Shown::row))
        })
    }
}

impl Show {
    async fn run(self, process: &mut Process) -> Result<(), Failure> {
        let api = self.api.connect(process).await?;
        let token = self.target.find(&api).await?;
        self.output.print(process, &Shown::from(token), Shown::text)
    }
}

impl Target {
    /// The token, as the broker has it.
    async fn find(&self, api: &Api) -> Result<pb::Token, Failure> {
        let request = pb::GetTokenRequest {
            registry: self.registry.to_string(),
            name: self.name.to_string(),
        };
        let answer = api.tokens().get_token(request).await.map_err(Refusal::from)?;
        there(answer.into_inner().token)
    }
}

/// The token of an answer.
fn there(token: Option<pb::Token>) -> Result<pb::Token, Failure> {
    token.ok_or_else(|| api::incomplete("token"))
}
