//! `dockpass token create`.

use clap::Args;
use jiff::Timestamp;
use tonic::Code;

use super::credential::{self, generated::Generated};
use super::expiry::{self, ExpiryArgs};
use super::shown::Shown;
use super::{Failure, Process, StatusWord, Target, there};
use crate::cli::api::{self, Api, ApiArgs};
use crate::cli::output::OutputArgs;
use crate::cli::refusal::Refusal;
use crate::cli::repository_args::{self, RepositoryArgs};
use crate::cli::{scope_map, wire};
use crate::model::ScopeMapName;
use crate::pb;

/// Create a token, tied to a scope map, with two passwords
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    dockpass token create -r local -n vendor-agent --scope-map agent-readers --expiration-in-days 90\n  \
    dockpass token create -r local -n vendor-agent --repository field/agent content/read metadata/read\n  \
    dockpass token create -r local -n nginx-ci --scope-map servers-push --no-passwords\n\n\
    With --repository, a scope map `NAME-scope-map` is made for the token; one of that name that allows the same is used. \
    The secrets are shown once, on standard output.")]
#[group(id = "boundary", required = true, args = ["scope_map", "repository"])]
pub(in crate::cli) struct Create {
    #[command(flatten)]
    target: Target,
    /// The scope map that bounds it
    #[arg(long, value_name = "NAME", conflicts_with = "repository")]
    scope_map: Option<ScopeMapName>,
    #[command(flatten)]
    allowed: RepositoryArgs,
    /// Whether it may be used at once
    #[arg(long, value_enum, default_value_t = StatusWord::Enabled)]
    status: StatusWord,
    /// Generate no passwords: federated credentials or passwords come later
    #[arg(long, conflicts_with_all = ["expiration", "expiration_in_days"])]
    no_passwords: bool,
    #[command(flatten)]
    expiry: ExpiryArgs,
    /// When the token itself ends, whatever its credentials [default: never]
    #[arg(long, value_name = "TIME", value_parser = expiry::time)]
    token_expiration: Option<Timestamp>,
    /// What it is for
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    description: String,
    /// Who answers for it
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    owner: String,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    api: ApiArgs,
}

impl Create {
    pub(in crate::cli) async fn run(self, process: &mut Process) -> Result<(), Failure> {
        let now = process.clock.now();
        let end = self.expiry.end(now)?;
        expiry::end("--token-expiration", self.token_expiration, None, now)?;
        let api = self.api.connect(process).await?;
        let scope_map = match &self.scope_map {
            Some(name) => name.clone(),
            None => self.own_scope_map(&api).await?,
        };
        let token = self.token(&api, scope_map).await?;
        if self.no_passwords {
            return self.output.print(process, &Shown::from(token), Shown::text);
        }
        // what one of them is not told must not be lost with the other
        let generated = credential::generate(&api, &self.target, &credential::BOTH, end).await;
        let (passwords, failure) = (generated.passwords, generated.failure);
        let mut shown = Shown::from(generated.token.unwrap_or(token));
        shown.credentials.passwords.iter_mut().for_each(|own| {
            own.value =
                passwords.iter().find(|new| new.name == own.name).map(|new| new.value.clone());
        });
        let generated = Generated::new(shown.credentials.username.clone(), passwords);
        self.output
            .print(process, &shown, |shown| format!("{}\n\n{}", shown.text(), generated.table()))?;
        failure.map_or(Ok(()), Err)
    }

    async fn token(&self, api: &Api, scope_map: ScopeMapName) -> Result<pb::Token, Failure> {
        let token = pb::Token {
            registry: self.target.registry.to_string(),
            name: self.target.name.to_string(),
            scope_map: scope_map.to_string(),
            status: pb::TokenStatus::from(self.status).into(),
            description: self.description.clone(),
            owner: self.owner.clone(),
            expire_time: self.token_expiration.map(wire::time),
            ..Default::default()
        };
        let request = pb::CreateTokenRequest { token: Some(token) };
        let made = api.tokens().create_token(request).await.map_err(Refusal::from)?;
        there(made.into_inner().token)
    }

    /// The scope map of `--repository`: made, or found to allow the same already.
    async fn own_scope_map(&self, api: &Api) -> Result<ScopeMapName, Failure> {
        let token = &self.target.name;
        let name = format!("{token}-scope-map");
        let name = name.parse::<ScopeMapName>().map_err(|_| {
            Failure::usage(format!(
                "`{name}` is too long for a scope map's name: make one with dockpass scope-map create, and give --scope-map"
            ))
        })?;
        let permissions = repository_args::message(&self.allowed.repositories);
        let map = pb::ScopeMap {
            registry: self.target.registry.to_string(),
            name: name.to_string(),
            description: format!("Created by token: {token}"),
            permissions: permissions.clone(),
            ..Default::default()
        };
        let request = pb::CreateScopeMapRequest { scope_map: Some(map) };
        match api.scope_maps().create_scope_map(request).await {
            Ok(_) => return Ok(name),
            Err(status) if status.code() == Code::AlreadyExists => {}
            Err(status) => return Err(Refusal::from(status).into()),
        }
        let there = scope_map::find(api, &self.target.registry, &name).await?;
        let there = there.ok_or_else(|| api::incomplete("scope map"))?;
        if wire::entries(&there.permissions) == wire::entries(&permissions) {
            return Ok(name);
        }
        Err(Failure::failed(format!(
            "scope map `{name}` is there already and allows something else: change it with dockpass scope-map update, then give --scope-map {name}"
        )))
    }
}
