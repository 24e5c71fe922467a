//! `dockpass scope-map update`.

use std::str::FromStr;

use clap::Args;

use super::{Failure, Process, Target, find, preview, print};
use crate::cli::api::{self, Api, ApiArgs};
use crate::cli::etag::EtagArgs;
use crate::cli::output::OutputArgs;
use crate::cli::refusal::Refusal;
use crate::cli::repository_args::{self, ChangeArgs, RepositoryArgs};
use crate::cli::wire;
use crate::model::{Lifetime, ScopeMapName};
use crate::pb;

/// Change a scope map; the next request is decided by the new one
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    dockpass scope-map update -r local -n servers-push --add-repository servers/apache content/read content/write\n  \
    dockpass scope-map update -r local -n servers-push --remove-repository servers/nginx content/write --dry-run\n  \
    dockpass scope-map update -r local -n servers-push --description web-pipelines --max-lifetime none\n\n\
    --dry-run changes nothing: it names the tokens that the change touches, and who lately used what would go.")]
#[group(id = "whole", args = ["repository", "from"], conflicts_with_all = ["add_repository", "remove_repository"])]
pub(in crate::cli) struct Update {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    change: ChangeArgs,
    #[command(flatten)]
    allowed: RepositoryArgs,
    /// Allow what this scope map of the same registry allows, in place of everything
    #[arg(long, value_name = "NAME", conflicts_with = "repository")]
    from: Option<ScopeMapName>,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Who answers for it
    #[arg(long, value_name = "TEXT")]
    owner: Option<String>,
    /// The longest lifetime of an access token under it, such as 30m, or `none`
    #[arg(long, value_name = "DURATION", value_parser = longest)]
    max_lifetime: Option<Longest>,
    #[command(flatten)]
    if_match: EtagArgs,
    /// Change nothing; show what the change would do, and to whom
    #[arg(long)]
    dry_run: bool,
    /// How many days --dry-run looks back for uses of what would go
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3650))]
    days: u32,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    api: ApiArgs,
}

/// A longest lifetime, or none.
#[derive(Clone, Copy, Debug)]
struct Longest(Option<Lifetime>);

impl Update {
    pub(in crate::cli) async fn run(self, process: &mut Process) -> Result<(), Failure> {
        self.check()?;
        let api = self.api.connect(process).await?;
        let request = self.request(&api).await?;
        if self.dry_run {
            return preview::run(&api, request, self.days, self.output, process).await;
        }
        let changed = api.scope_maps().update_scope_map(request).await.map_err(Refusal::from)?;
        let changed = changed.into_inner().scope_map.ok_or_else(|| api::incomplete("scope map"))?;
        print(changed, self.output, process)
    }

    fn check(&self) -> Result<(), Failure> {
        if let Some(pattern) = self.change.ambiguity() {
            return Err(Failure::usage(format!(
                "an action of `{pattern}` is both added and removed"
            )));
        }
        let whole = !self.allowed.repositories.is_empty() || self.from.is_some();
        let text = self.description.is_some() || self.owner.is_some();
        if self.change.is_empty() && !whole && !text && self.max_lifetime.is_none() {
            return Err(Failure::usage(
                "no scope map properties to update: give --add-repository, --remove-repository, --repository, --from, --description, --owner or --max-lifetime",
            ));
        }
        Ok(())
    }

    async fn request(&self, api: &Api) -> Result<pb::UpdateScopeMapRequest, Failure> {
        let mut scope_map = pb::ScopeMap {
            registry: self.target.registry.to_string(),
            name: self.target.name.to_string(),
            etag: self.if_match.clone().into_etag(),
            ..Default::default()
        };
        let mut paths = Vec::new();
        if let Some(permissions) = self.whole(api).await? {
            scope_map.permissions = permissions;
            paths.push("permissions".to_owned());
        }
        if let Some(description) = &self.description {
            scope_map.description.clone_from(description);
            paths.push("description".to_owned());
        }
        if let Some(owner) = &self.owner {
            scope_map.owner.clone_from(owner);
            paths.push("owner".to_owned());
        }
        if let Some(Longest(longest)) = self.max_lifetime {
            scope_map.max_lifetime = longest.map(|longest| wire::duration(longest.as_duration()));
            paths.push("max_lifetime".to_owned());
        }
        Ok(pb::UpdateScopeMapRequest {
            scope_map: Some(scope_map),
            update_mask: (!paths.is_empty()).then_some(prost_types::FieldMask { paths }),
            add_permissions: repository_args::message(&self.change.added),
            remove_permissions: repository_args::message(&self.change.removed),
        })
    }

    /// What is to take the place of all permissions.
    async fn whole(&self, api: &Api) -> Result<Option<Vec<pb::PatternPermission>>, Failure> {
        let Some(from) = &self.from else {
            let given = repository_args::message(&self.allowed.repositories);
            return Ok((!given.is_empty()).then_some(given));
        };
        let other = find(api, &self.target.registry, from).await?;
        Ok(Some(other.ok_or_else(|| api::incomplete("scope map"))?.permissions))
    }
}

fn longest(text: &str) -> Result<Longest, String> {
    if text == "none" {
        return Ok(Longest(None));
    }
    text.parse()
        .map(|own| Longest(Some(own)))
        .map_err(|error: <Lifetime as FromStr>::Err| error.to_string())
}
