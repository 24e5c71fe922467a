//! `dockpass token federation`: which workload identities may act as a token, without a secret.

mod claim;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use self::claim::Claim;
use super::shown::Shown;
use super::{Failure, Process, Target, there};
use crate::cli::api::ApiArgs;
use crate::cli::confirm::ConfirmArgs;
use crate::cli::etag::EtagArgs;
use crate::cli::output::{self, OutputArgs};
use crate::cli::refusal::Refusal;
use crate::cli::{json_struct, wire};
use crate::model::{FederatedCredentialName, Lifetime};
use crate::pb;

/// Say which workload identities may act as a token, without a password
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum FederationCommand {
    List(List),
    Add(Box<Add>),
    Remove(Box<Remove>),
}

/// List the federated credentials of a token
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  dockpass token federation list -r local -n nginx-ci")]
pub(in crate::cli) struct List {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    api: ApiArgs,
}

/// Let more workload identities act as a token
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    dockpass token federation add -r local -n nginx-ci --credential-name main-branch --issuer https://token.actions.githubusercontent.com --claim repository_id=123456 --claim ref=refs/heads/main\n  \
    dockpass token federation add -r local -n pullers --credential-name prod --issuer https://kubernetes.default.svc --subject system:serviceaccount:prod:*\n\n\
    All conditions must hold; the same claim several times means any of the values. NAME=VALUE compares with a text (a pattern when it \
    holds `*` or `?`), NAME:=VALUE with a number, true or false.")]
pub(in crate::cli) struct Add {
    #[command(flatten)]
    target: Target,
    /// The name of the federated credential inside the token
    #[arg(long, value_name = "NAME")]
    credential_name: FederatedCredentialName,
    /// The issuer of the identity tokens, exactly as they name it (`iss`)
    #[arg(long, value_name = "URL")]
    issuer: String,
    /// The subject (`sub`), exactly or as a pattern
    #[arg(long, value_name = "SUBJECT", default_value = "", hide_default_value = true)]
    subject: String,
    /// A claim and a value that is accepted in it; may be given several times
    #[arg(long = "claim", value_name = "NAME=VALUE")]
    claims: Vec<Claim>,
    /// The longest lifetime of an access token by it, such as 30m
    #[arg(long, value_name = "DURATION")]
    max_lifetime: Option<Lifetime>,
    /// An access token ends no later than the identity token that it was given for
    #[arg(long)]
    bind_to_identity_expiry: bool,
    #[command(flatten)]
    if_match: EtagArgs,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    api: ApiArgs,
}

/// Take a federated credential away; its sessions stop at their next exchange
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  dockpass token federation remove -r local -n nginx-ci --credential-name main-branch --yes"
)]
pub(in crate::cli) struct Remove {
    #[command(flatten)]
    target: Target,
    /// The name of the federated credential inside the token
    #[arg(long, value_name = "NAME")]
    credential_name: FederatedCredentialName,
    #[command(flatten)]
    if_match: EtagArgs,
    #[command(flatten)]
    confirm: ConfirmArgs,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    api: ApiArgs,
}

/// A federated credential as JSON.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::cli) struct Federated {
    pub(in crate::cli) name: String,
    pub(in crate::cli) issuer: String,
    subject: String,
    claims: Map<String, Value>,
    max_lifetime: Option<String>,
    bind_to_identity_expiry: bool,
    pub(in crate::cli) last_use_time: Option<Timestamp>,
}

impl From<pb::FederatedCredential> for Federated {
    fn from(credential: pb::FederatedCredential) -> Self {
        let claims = credential.claims.into_iter().map(|condition| {
            let accepted = condition.accepted.into_iter().map(json_struct::value);
            (condition.name, Value::Array(accepted.collect()))
        });
        Self {
            name: credential.name,
            issuer: credential.issuer,
            subject: credential.subject,
            claims: claims.collect(),
            max_lifetime: credential.max_lifetime.as_ref().map(wire::duration_json),
            bind_to_identity_expiry: credential.bind_to_identity_expiry,
            last_use_time: wire::optional_time(credential.last_use_time.as_ref()),
        }
    }
}

impl Federated {
    /// Credentials as a table.
    pub(super) fn table(all: &[Self]) -> String {
        let rows = all.iter().map(|own| {
            [
                own.name.clone(),
                own.issuer.clone(),
                own.conditions(),
                wire::time_text(own.last_use_time),
            ]
        });
        output::table(["federated credential", "issuer", "conditions", "last used"], rows)
    }

    /// What an identity must be, in one line.
    pub(in crate::cli) fn conditions(&self) -> String {
        let subject = (!self.subject.is_empty()).then(|| format!("sub={}", self.subject));
        let claims = self.claims.iter().map(|(name, accepted)| {
            let values = accepted.as_array().map_or(&[][..], Vec::as_slice).iter();
            let values =
                values.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
            format!("{name}={}", values.collect::<Vec<_>>().join("|"))
        });
        subject.into_iter().chain(claims).collect::<Vec<_>>().join(" ")
    }
}

impl FederationCommand {
    pub(super) async fn run(self, process: &mut Process) -> Result<(), Failure> {
        match self {
            Self::List(command) => command.run(process).await,
            Self::Add(command) => command.run(process).await,
            Self::Remove(command) => command.run(process).await,
        }
    }
}

impl List {
    async fn run(self, process: &mut Process) -> Result<(), Failure> {
        let api = self.api.connect(process).await?;
        let token = self.target.find(&api).await?;
        let all: Vec<_> = token.federated_credentials.into_iter().map(Federated::from).collect();
        self.output.print(process, &all, |all| Federated::table(all))
    }
}

impl Add {
    async fn run(self, process: &mut Process) -> Result<(), Failure> {
        let api = self.api.connect(process).await?;
        let credential = pb::FederatedCredential {
            name: self.credential_name.to_string(),
            issuer: self.issuer,
            subject: self.subject,
            claims: claim::conditions(self.claims),
            max_lifetime: self.max_lifetime.map(|longest| wire::duration(longest.as_duration())),
            bind_to_identity_expiry: self.bind_to_identity_expiry,
            last_use_time: None,
        };
        let request = pb::AddFederatedCredentialRequest {
            registry: self.target.registry.to_string(),
            token_name: self.target.name.to_string(),
            federated_credential: Some(credential),
            etag: self.if_match.into_etag(),
        };
        let answer = api.tokens().add_federated_credential(request).await.map_err(Refusal::from)?;
        self.output.print(process, &Shown::from(there(answer.into_inner().token)?), Shown::text)
    }
}

impl Remove {
    async fn run(self, process: &mut Process) -> Result<(), Failure> {
        let api = self.api.connect(process).await?;
        let (name, token) = (&self.credential_name, &self.target.name);
        let deed = format!("federated credential {name} of token {token} is removed.");
        self.confirm.ask(&deed, process)?;
        let request = pb::RemoveFederatedCredentialRequest {
            registry: self.target.registry.to_string(),
            token_name: token.to_string(),
            federated_credential_name: name.to_string(),
            etag: self.if_match.into_etag(),
        };
        let answer = api.tokens().remove_federated_credential(request).await;
        let token = there(answer.map_err(Refusal::from)?.into_inner().token)?;
        self.output.print(process, &Shown::from(token), Shown::text)
    }
}
