//! `dockpass token`: the passwords of a token, with the flags of `az acr token credential`.

use aws_lc_rs::rand;
use clap::{Args, Subcommand};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::offline::{self, ConfigArgs};
use super::output::{self, OutputArgs};
use super::{Failure, Process, policy_change, registry};
use crate::model::{
    Definitions, Password, PasswordSecret, PasswordSlot, RegistryName, Token, TokenName,
};

/// Manage the tokens of a registry
#[derive(Debug, Subcommand)]
pub(super) enum TokenCommand {
    /// Generate or delete the passwords of a token
    #[command(subcommand)]
    Credential(CredentialCommand),
}

#[derive(Debug, Subcommand)]
pub(super) enum CredentialCommand {
    Generate(Generate),
    Delete(Delete),
}

/// Generate a password of a token, in place of the one in its slot
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    dockpass token credential generate --registry local --name vendor-agent --password1 --expiration-in-days 90\n  \
    dockpass token credential generate --registry local --name vendor-agent --password2 --output json\n\n\
    The secret is shown once, on standard output. To rotate without a gap: generate the other password, hand it over, delete the old one.")]
pub(super) struct Generate {
    #[command(flatten)]
    target: Target,
    /// When the password ends, as RFC 3339 such as 2027-01-31T00:00:00Z [default: never]
    #[arg(long, value_name = "TIME", value_parser = time, conflicts_with = "expiration_in_days")]
    expiration: Option<Timestamp>,
    /// In how many days the password ends, 1 to 36500
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(i64).range(1..=36_500))]
    expiration_in_days: Option<i64>,
    #[command(flatten)]
    output: OutputArgs,
}

/// Delete a password of a token: its sessions stop at their next exchange
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  dockpass token credential delete --registry local --name vendor-agent --password1"
)]
pub(super) struct Delete {
    #[command(flatten)]
    target: Target,
}

#[derive(Args, Debug)]
#[group(id = "slots", required = true, multiple = true, args = ["password1", "password2"])]
struct Target {
    /// The registry of the token
    #[arg(long, short, value_name = "NAME")]
    registry: RegistryName,
    /// The token
    #[arg(long, short, value_name = "NAME")]
    name: TokenName,
    /// The first password
    #[arg(long)]
    password1: bool,
    /// The second password
    #[arg(long)]
    password2: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

/// The answer of `az acr token credential generate`.
#[derive(Serialize)]
struct Generated {
    username: String,
    passwords: Vec<GeneratedPassword>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GeneratedPassword {
    name: String,
    value: String,
    creation_time: Timestamp,
    expiry: Option<Timestamp>,
}

impl TokenCommand {
    pub(super) async fn run(self, process: &mut Process) -> Result<(), Failure> {
        match self {
            Self::Credential(CredentialCommand::Generate(command)) => command.run(process).await,
            Self::Credential(CredentialCommand::Delete(command)) => command.run(process).await,
        }
    }
}

impl Generate {
    async fn run(self, process: &mut Process) -> Result<(), Failure> {
        let now = process.clock.now();
        let expiry = self.expiry(now)?;
        let mut passwords = Vec::new();
        for slot in self.target.slots() {
            passwords.push((slot, new_secret()?));
        }
        self.target
            .change(process, |token, revision| {
                for (slot, secret) in &passwords {
                    put(token, password(*slot, secret, revision, now, expiry));
                }
                Ok(())
            })
            .await?;
        let generated = Generated {
            username: self.target.name.to_string(),
            passwords: passwords
                .iter()
                .map(|(slot, secret)| GeneratedPassword {
                    name: slot.to_string(),
                    value: secret.expose().to_owned(),
                    creation_time: now,
                    expiry,
                })
                .collect(),
        };
        self.output.print(process, &generated, generated_table)
    }

    fn expiry(&self, now: Timestamp) -> Result<Option<Timestamp>, Failure> {
        let in_days = self.expiration_in_days.map(|days| SignedDuration::from_hours(days * 24));
        let in_days = in_days.map(|rest| now.saturating_add(rest)).transpose();
        let in_days = in_days.map_err(|error| Failure::usage(error.to_string()))?;
        match self.expiration.or(in_days) {
            Some(end) if end <= now => {
                Err(Failure::usage(format!("--expiration `{end}` is over already")))
            }
            end => Ok(end),
        }
    }
}

impl Delete {
    async fn run(self, process: &mut Process) -> Result<(), Failure> {
        let slots = self.target.slots();
        self.target
            .change(process, |token, _| {
                for slot in &slots {
                    let before = token.passwords.len();
                    token.passwords.retain(|password| password.slot != *slot);
                    if token.passwords.len() == before {
                        return Err(Failure::failed(format!(
                            "nothing was changed: token `{}` has no {slot}",
                            token.name
                        )));
                    }
                }
                Ok(())
            })
            .await?;
        let names: Vec<_> = slots.iter().map(ToString::to_string).collect();
        process.print(&format!("deleted {} of token {}", names.join(" and "), self.target.name))
    }
}

impl Target {
    fn slots(&self) -> Vec<PasswordSlot> {
        let slots =
            [(self.password1, PasswordSlot::Password1), (self.password2, PasswordSlot::Password2)];
        slots.into_iter().filter_map(|(wanted, slot)| wanted.then_some(slot)).collect()
    }

    /// Changes the token in the store, with its event; `edit` is told the new policy revision.
    async fn change(
        &self,
        process: &Process,
        edit: impl FnOnce(&mut Token, u64) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let config = self.config.load()?;
        if !config.registries.iter().any(|registry| registry.name == self.registry) {
            return Err(registry::unknown(&self.registry));
        }
        let store = offline::existing_store(&config).await?;
        let before = store.definitions().await?;
        let mut after = before.clone();
        after.revision = before.revision.saturating_add(1);
        let revision = after.revision;
        let token = self.find(&mut after)?;
        edit(token, revision)?;
        token.revision = revision;
        token.update_time = process.clock.now();
        token.updated_by = policy_change::actor();
        offline::compile(after.clone(), &config)?;
        policy_change::commit(&store, &before, after, process).await.map(drop)
    }

    fn find<'a>(&self, definitions: &'a mut Definitions) -> Result<&'a mut Token, Failure> {
        let mut tokens = definitions.tokens.iter_mut();
        let token = tokens.find(|token| token.registry == self.registry && token.name == self.name);
        token.ok_or_else(|| {
            Failure::failed(format!(
                "registry `{}` has no token `{}`: dockpass policy export shows those there are",
                self.registry, self.name
            ))
        })
    }
}

/// A time as RFC 3339 writes it.
fn time(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| "write date, time and zone, such as 2027-01-31T00:00:00Z".to_owned())
}

fn generated_table(generated: &Generated) -> String {
    let rows = generated.passwords.iter().map(|password| {
        let expiry = password.expiry.map_or_else(|| "never".to_owned(), |end| end.to_string());
        [generated.username.clone(), password.name.clone(), password.value.clone(), expiry]
    });
    output::table(["username", "name", "value", "expiry"], rows)
}

fn new_secret() -> Result<PasswordSecret, Failure> {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).map_err(|_| Failure::failed("the random number generator failed"))?;
    Ok(PasswordSecret::from_random(&bytes))
}

/// The generation is the policy revision, so that it grows also when a slot was empty in between: sessions rest on it.
fn password(
    slot: PasswordSlot,
    secret: &PasswordSecret,
    generation: u64,
    create_time: Timestamp,
    expire_time: Option<Timestamp>,
) -> Password {
    let (hash, last_four) = (secret.hash(), secret.last_four());
    Password { slot, generation, hash, last_four, create_time, expire_time }
}

fn put(token: &mut Token, password: Password) {
    token.passwords.retain(|own| own.slot != password.slot);
    token.passwords.push(password);
    token.passwords.sort_by_key(|own| own.slot);
}
