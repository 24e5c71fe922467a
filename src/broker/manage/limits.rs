//! How large a definition may be.

use crate::broker::Error;
use crate::model::{ActionSet, DefinitionChange, ScopeMap, Token};
use crate::registry::Registries;

/// The most actions of a scope map, all patterns together, where the registry's driver has no limit of its own.
const MOST_ACTIONS: usize = 10_000;
/// The most federated credentials of a token.
const MOST_CREDENTIALS: usize = 50;
/// The longest description or owner, in characters, as in Azure Container Registry.
const LONGEST_TEXT: usize = 256;

/// Refuses definitions that are too large.
pub(super) fn check(changes: &[DefinitionChange], registries: &Registries) -> Result<(), Error> {
    changes.iter().try_for_each(|change| match change {
        DefinitionChange::ScopeMapPut(map) => {
            let of_driver = registries.get(&map.registry).and_then(|own| own.driver.most_actions());
            scope_map(map, of_driver.unwrap_or(MOST_ACTIONS))
        }
        DefinitionChange::TokenPut(own) => token(own),
        DefinitionChange::ScopeMapGone { .. } | DefinitionChange::TokenGone { .. } => Ok(()),
    })
}

fn scope_map(map: &ScopeMap, most: usize) -> Result<(), Error> {
    let subject = || format!("scope map `{}`", map.name);
    let actions = map.permissions.values().map(|actions| count(*actions)).sum::<usize>();
    if actions > most {
        let split = "split it, or use a pattern for several repositories";
        return Err(reached(
            &subject(),
            &format!("has {actions} actions, at most {most}: {split}"),
        ));
    }
    text(&subject(), "description", &map.description)?;
    text(&subject(), "owner", &map.owner)
}

fn token(token: &Token) -> Result<(), Error> {
    let subject = || format!("token `{}`", token.name);
    let credentials = token.federated_credentials.len();
    if credentials > MOST_CREDENTIALS {
        let problem = format!(
            "has {credentials} federated credentials, at most {MOST_CREDENTIALS}: use another token, or a pattern"
        );
        return Err(reached(&subject(), &problem));
    }
    text(&subject(), "description", &token.description)?;
    text(&subject(), "owner", &token.owner)
}

fn count(actions: ActionSet) -> usize {
    actions.iter().count()
}

fn text(subject: &str, member: &str, text: &str) -> Result<(), Error> {
    let length = text.chars().count();
    if length <= LONGEST_TEXT {
        return Ok(());
    }
    let problem = format!("has {member} of {length} characters, at most {LONGEST_TEXT}");
    Err(reached(subject, &problem))
}

fn reached(subject: &str, problem: &str) -> Error {
    Error::LimitReached(format!("{subject} {problem}"))
}
