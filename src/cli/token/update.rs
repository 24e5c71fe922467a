//! `dockpass token update`.

use clap::Args;
use jiff::Timestamp;

use super::shown::Shown;
use super::{Failure, Process, StatusWord, Target, expiry, there};
use crate::cli::api::ApiArgs;
use crate::cli::etag::EtagArgs;
use crate::cli::output::OutputArgs;
use crate::cli::refusal::Refusal;
use crate::cli::wire;
use crate::model::ScopeMapName;
use crate::pb;

/// Change a token; what is not named stays: tying a disabled token to another scope map does not enable it
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    dockpass token update -r local -n vendor-agent --status disabled\n  \
    dockpass token update -r local -n vendor-agent --scope-map agent-readers\n  \
    dockpass token update -r local -n contractor --token-expiration 2027-01-31T00:00:00Z")]
pub(in crate::cli) struct Update {
    #[command(flatten)]
    target: Target,
    /// Tie it to this scope map
    #[arg(long, value_name = "NAME")]
    scope_map: Option<ScopeMapName>,
    /// Whether it may be used
    #[arg(long, value_enum)]
    status: Option<StatusWord>,
    /// When the token itself ends, whatever its credentials, or `none`
    #[arg(long, value_name = "TIME", value_parser = end)]
    token_expiration: Option<End>,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Who answers for it
    #[arg(long, value_name = "TEXT")]
    owner: Option<String>,
    #[command(flatten)]
    if_match: EtagArgs,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    api: ApiArgs,
}

/// When a token ends, or never.
#[derive(Clone, Copy, Debug)]
struct End(Option<Timestamp>);

impl Update {
    pub(in crate::cli) async fn run(self, process: &mut Process) -> Result<(), Failure> {
        let request = self.request()?;
        if let Some(End(end)) = self.token_expiration {
            expiry::end("--token-expiration", end, None, process.clock.now())?;
        }
        let api = self.api.connect(process).await?;
        let changed = api.tokens().update_token(request).await.map_err(Refusal::from)?;
        let token = there(changed.into_inner().token)?;
        self.output.print(process, &Shown::from(token), Shown::text)
    }

    fn request(&self) -> Result<pb::UpdateTokenRequest, Failure> {
        let mut token = pb::Token {
            registry: self.target.registry.to_string(),
            name: self.target.name.to_string(),
            etag: self.if_match.clone().into_etag(),
            ..Default::default()
        };
        let mut paths = Vec::new();
        if let Some(scope_map) = &self.scope_map {
            token.scope_map = scope_map.to_string();
            paths.push("scope_map".to_owned());
        }
        if let Some(status) = self.status {
            token.set_status(status.into());
            paths.push("status".to_owned());
        }
        if let Some(End(end)) = self.token_expiration {
            token.expire_time = end.map(wire::time);
            paths.push("expire_time".to_owned());
        }
        if let Some(description) = &self.description {
            token.description.clone_from(description);
            paths.push("description".to_owned());
        }
        if let Some(owner) = &self.owner {
            token.owner.clone_from(owner);
            paths.push("owner".to_owned());
        }
        if paths.is_empty() {
            return Err(Failure::usage(
                "no token properties to update: give --scope-map, --status, --token-expiration, --description or --owner",
            ));
        }
        let update_mask = Some(prost_types::FieldMask { paths });
        Ok(pb::UpdateTokenRequest { token: Some(token), update_mask })
    }
}

fn end(text: &str) -> Result<End, String> {
    if text == "none" { Ok(End(None)) } else { expiry::time(text).map(|end| End(Some(end))) }
}
