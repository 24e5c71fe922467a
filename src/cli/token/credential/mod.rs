//! `dockpass token credential`: the passwords of a token, with the flags of `az acr token credential`.

mod files;
pub(super) mod generated;

use clap::{Args, Subcommand};
use jiff::Timestamp;

use self::generated::{Generated, GeneratedPassword};
use super::expiry::ExpiryArgs;
use super::{Failure, Process, Target};
use crate::cli::api::{Api, ApiOrFilesArgs, Place};
use crate::cli::confirm::ConfirmArgs;
use crate::cli::output::OutputArgs;
use crate::cli::refusal::Refusal;
use crate::cli::wire;
use crate::pb;

/// Generate or delete the passwords of a token
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum CredentialCommand {
    Generate(Box<Generate>),
    Delete(Box<Delete>),
}

/// Generate passwords of a token, in place of those in their slots; the other one goes on
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    dockpass token credential generate -r local -n vendor-agent --password1 --expiration-in-days 90\n  \
    dockpass token credential generate --registry local --name vendor-agent --password2 --output json\n\n\
    Without --password1 and --password2, both are generated. The secrets are shown once, on standard output. \
    To rotate without a gap: generate the other password, hand it over, delete the old one.")]
pub(in crate::cli) struct Generate {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    slots: SlotArgs,
    #[command(flatten)]
    expiry: ExpiryArgs,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    place: ApiOrFilesArgs,
}

/// Delete passwords of a token: their sessions stop at their next exchange
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  dockpass token credential delete -r local -n vendor-agent --password1\n  \
    dockpass token credential delete -r local -n vendor-agent --password1 --yes"
)]
#[group(id = "which", required = true, multiple = true, args = ["password1", "password2"])]
pub(in crate::cli) struct Delete {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    slots: SlotArgs,
    #[command(flatten)]
    confirm: ConfirmArgs,
    #[command(flatten)]
    place: ApiOrFilesArgs,
}

/// Which passwords.
#[derive(Args, Clone, Copy, Debug)]
pub(in crate::cli) struct SlotArgs {
    /// The first password
    #[arg(long)]
    password1: bool,
    /// The second password
    #[arg(long)]
    password2: bool,
}

/// One of the two passwords.
pub(super) type Slot = crate::model::PasswordSlot;

/// Both passwords.
pub(super) const BOTH: [Slot; 2] = [Slot::Password1, Slot::Password2];

impl SlotArgs {
    /// Those that are named.
    fn named(self) -> Vec<Slot> {
        let slots = [(self.password1, Slot::Password1), (self.password2, Slot::Password2)];
        slots.into_iter().filter_map(|(wanted, slot)| wanted.then_some(slot)).collect()
    }

    /// Those that are named; both when none is, as az does.
    fn named_or_both(self) -> Vec<Slot> {
        let named = self.named();
        if named.is_empty() { BOTH.to_vec() } else { named }
    }
}

impl CredentialCommand {
    pub(super) async fn run(self, process: &mut Process) -> Result<(), Failure> {
        match self {
            Self::Generate(command) => command.run(process).await,
            Self::Delete(command) => command.run(process).await,
        }
    }
}

impl Generate {
    async fn run(self, process: &mut Process) -> Result<(), Failure> {
        let end = self.expiry.end(process.clock.now())?;
        let slots = self.slots.named_or_both();
        let (passwords, failure) = match self.place.place(process).await? {
            Place::Files(files) => {
                (files::generate(&files, &self.target, &slots, end, process).await?, None)
            }
            Place::Api(api) => {
                let outcome = generate(&api, &self.target, &slots, end).await;
                (outcome.passwords, outcome.failure)
            }
        };
        let generated = Generated::new(self.target.name.to_string(), passwords);
        if !generated.is_empty() {
            self.output.print(process, &generated, Generated::table)?;
        }
        failure.map_or(Ok(()), Err)
    }
}

/// What came of generating passwords: when the second fails, the first one is not lost.
pub(super) struct Outcome {
    pub(super) passwords: Vec<GeneratedPassword>,
    pub(super) token: Option<pb::Token>,
    pub(super) failure: Option<Failure>,
}

/// Generates passwords through the API, one after the other.
pub(super) async fn generate(
    api: &Api,
    target: &Target,
    slots: &[Slot],
    end: Option<Timestamp>,
) -> Outcome {
    let mut outcome = Outcome { passwords: Vec::new(), token: None, failure: None };
    for slot in slots {
        let request = pb::GeneratePasswordRequest {
            registry: target.registry.to_string(),
            token_name: target.name.to_string(),
            password_name: wire_name(*slot).into(),
            expiry: end
                .map(|end| pb::generate_password_request::Expiry::ExpireTime(wire::time(end))),
            etag: String::new(),
        };
        match api.tokens().generate_password(request).await {
            Ok(answer) => {
                let answer = answer.into_inner();
                outcome.passwords.push(GeneratedPassword::from_answer(*slot, &answer));
                outcome.token = answer.token;
            }
            Err(status) => {
                outcome.failure = Some(Refusal::from(status).into());
                return outcome;
            }
        }
    }
    outcome
}

impl Delete {
    async fn run(self, process: &mut Process) -> Result<(), Failure> {
        let slots = self.slots.named();
        let names: Vec<_> = slots.iter().map(ToString::to_string).collect();
        let (names, token) = (names.join(" and "), &self.target.name);
        self.confirm.ask(&format!("{names} of token {token} is deleted for good."), process)?;
        match self.place.place(process).await? {
            Place::Files(files) => files::delete(&files, &self.target, &slots, process).await?,
            Place::Api(api) => delete(&api, &self.target, &slots).await?,
        }
        process.print(&format!("deleted {names} of token {token}"))
    }
}

async fn delete(api: &Api, target: &Target, slots: &[Slot]) -> Result<(), Failure> {
    for slot in slots {
        let request = pb::DeletePasswordRequest {
            registry: target.registry.to_string(),
            token_name: target.name.to_string(),
            password_name: wire_name(*slot).into(),
            etag: String::new(),
        };
        api.tokens().delete_password(request).await.map_err(Refusal::from)?;
    }
    Ok(())
}

const fn wire_name(slot: Slot) -> pb::PasswordName {
    match slot {
        Slot::Password1 => pb::PasswordName::Password1,
        Slot::Password2 => pb::PasswordName::Password2,
    }
}
