//! The passwords of a token, changed in the files of a broker.

use aws_lc_rs::rand;
use jiff::Timestamp;

use super::generated::GeneratedPassword;
use super::{Slot, Target};
use crate::cli::offline::{self, ConfigArgs};
use crate::cli::{Failure, Process, policy_change, registry};
use crate::model::{Definitions, Password, PasswordSecret, Token};

/// Generates passwords and stores their hashes.
pub(super) async fn generate(
    files: &ConfigArgs,
    target: &Target,
    slots: &[Slot],
    end: Option<Timestamp>,
    process: &Process,
) -> Result<Vec<GeneratedPassword>, Failure> {
    let now = process.clock.now();
    let mut secrets = Vec::new();
    for slot in slots {
        secrets.push((*slot, new_secret()?));
    }
    change(files, target, process, |token, revision| {
        for (slot, secret) in &secrets {
            put(token, password(*slot, secret, revision, now, end));
        }
        Ok(())
    })
    .await?;
    let generated = secrets.iter().map(|(slot, secret)| GeneratedPassword {
        name: slot.to_string(),
        value: secret.expose().to_owned(),
        creation_time: Some(now),
        expiry: end,
    });
    Ok(generated.collect())
}

/// Deletes passwords, all of them or none.
pub(super) async fn delete(
    files: &ConfigArgs,
    target: &Target,
    slots: &[Slot],
    process: &Process,
) -> Result<(), Failure> {
    change(files, target, process, |token, _| {
        for slot in slots {
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
    .await
}

/// Changes the token in the store, with its event; `edit` is told the new policy revision.
async fn change(
    files: &ConfigArgs,
    target: &Target,
    process: &Process,
    edit: impl FnOnce(&mut Token, u64) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let config = files.load()?;
    if !config.registries.iter().any(|registry| registry.name == target.registry) {
        return Err(registry::unknown(&target.registry));
    }
    let store = offline::existing_store(&config).await?;
    let before = store.definitions().await?;
    let mut after = before.clone();
    after.revision = before.revision.saturating_add(1);
    let revision = after.revision;
    let token = find(target, &mut after)?;
    edit(token, revision)?;
    token.revision = revision;
    token.update_time = process.clock.now();
    token.updated_by = policy_change::actor().into();
    offline::compile(after.clone(), &config)?;
    policy_change::commit(&store, &before, after, process).await.map(drop)
}

fn find<'a>(target: &Target, definitions: &'a mut Definitions) -> Result<&'a mut Token, Failure> {
    let mut tokens = definitions.tokens.iter_mut();
    let token = tokens.find(|token| token.registry == target.registry && token.name == target.name);
    token.ok_or_else(|| {
        Failure::failed(format!(
            "registry `{}` has no token `{}`: dockpass policy export shows those there are",
            target.registry, target.name
        ))
    })
}

fn new_secret() -> Result<PasswordSecret, Failure> {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).map_err(|_| Failure::failed("the random number generator failed"))?;
    Ok(PasswordSecret::from_random(&bytes))
}

/// The generation is the policy revision, so that it grows also when a slot was empty in between: sessions rest on it.
fn password(
    slot: Slot,
    secret: &PasswordSecret,
    generation: u64,
    create_time: Timestamp,
    expire_time: Option<Timestamp>,
) -> Password {
    let (hash, last_four) = (secret.hash(), secret.last_four());
    Password { slot, generation, hash, last_four: last_four.into(), create_time, expire_time }
}

fn put(token: &mut Token, password: Password) {
    token.passwords.retain(|own| own.slot != password.slot);
    token.passwords.push(password);
    token.passwords.sort_by_key(|own| own.slot);
}
