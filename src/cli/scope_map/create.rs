//! `dockpass scope-map create`.

use clap::Args;

use super::{Failure, Process, Target, find, print};
use crate::cli::api::{self, ApiArgs};
use crate::cli::output::OutputArgs;
use crate::cli::refusal::Refusal;
use crate::cli::repository_args::{self, RepositoryArgs};
use crate::cli::wire;
use crate::model::{Lifetime, ScopeMapName};
use crate::pb;

/// Create a scope map
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    dockpass scope-map create -r local -n servers-push --repository servers/nginx content/read content/write --description web-pipeline\n  \
    dockpass scope-map create -r local -n servers-pull --repository servers/* pull --max-lifetime 30m --owner team-web\n  \
    dockpass scope-map create -r local -n servers-push2 --from servers-push --repository servers/apache push\n\n\
    No action implies another: `push` stands for content/read and content/write.")]
pub(in crate::cli) struct Create {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    allowed: RepositoryArgs,
    /// Start from what this scope map of the same registry allows
    #[arg(long, value_name = "NAME")]
    from: Option<ScopeMapName>,
    /// What it is for
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    description: String,
    /// Who answers for it
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    owner: String,
    /// The longest lifetime of an access token under it, such as 30m [default: as the registry says]
    #[arg(long, value_name = "DURATION")]
    max_lifetime: Option<Lifetime>,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    api: ApiArgs,
}

impl Create {
    pub(in crate::cli) async fn run(self, process: &mut Process) -> Result<(), Failure> {
        if self.allowed.repositories.is_empty() && self.from.is_none() {
            return Err(Failure::usage(
                "say what it is to allow: --repository REPO ACTION..., or --from NAME",
            ));
        }
        let api = self.api.connect(process).await?;
        let mut permissions = repository_args::message(&self.allowed.repositories);
        if let Some(from) = &self.from {
            let other = find(&api, &self.target.registry, from).await?;
            permissions.extend(other.ok_or_else(|| api::incomplete("scope map"))?.permissions);
        }
        let scope_map = pb::ScopeMap {
            registry: self.target.registry.to_string(),
            name: self.target.name.to_string(),
            description: self.description,
            owner: self.owner,
            permissions: united(&permissions),
            max_lifetime: self.max_lifetime.map(|longest| wire::duration(longest.as_duration())),
            ..Default::default()
        };
        let request = pb::CreateScopeMapRequest { scope_map: Some(scope_map) };
        let made = api.scope_maps().create_scope_map(request).await.map_err(Refusal::from)?;
        let made = made.into_inner().scope_map.ok_or_else(|| api::incomplete("scope map"))?;
        print(made, self.output, process)
    }
}

/// One entry a pattern, with the actions of all.
fn united(permissions: &[pb::PatternPermission]) -> Vec<pb::PatternPermission> {
    let mut united: Vec<pb::PatternPermission> = Vec::new();
    for permission in permissions {
        let pattern = &permission.repository_pattern;
        match united.iter_mut().find(|own| own.repository_pattern == *pattern) {
            None => united.push(permission.clone()),
            Some(own) => {
                own.actions.extend(&permission.actions);
                own.actions.sort_unstable();
                own.actions.dedup();
            }
        }
    }
    united
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_of_one_pattern_are_united() {
        let entry = |pattern: &str, actions: &[i32]| pb::PatternPermission {
            repository_pattern: pattern.to_owned(),
            actions: actions.to_vec(),
        };
        let all = [entry("a", &[2, 1]), entry("b", &[1]), entry("a", &[1, 4])];
        assert_eq!(united(&all), [entry("a", &[1, 2, 4]), entry("b", &[1])]);
    }
}
