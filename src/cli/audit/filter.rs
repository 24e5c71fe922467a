//! Which events are meant, for `audit list` and `audit watch`.

use clap::Args;
use jiff::Timestamp;
use serde_json::Value;

use crate::audit::{Filter, Kind, Outcome};
use crate::cli::wire;
use crate::model::{AccessTokenId, Reason, RegistryName, RepositoryName, ScopeMapName, TokenName};
use crate::pb;

/// Which events.
#[derive(Args, Clone, Debug)]
pub(super) struct FilterArgs {
    /// Not before this time, such as 2026-08-01T00:00:00Z
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,
    /// Before this time
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
    /// What the event is about: `issue`, `exchange`, `check`, `revoke`, `refusals`, `policy_change`, `management_read`, `registry_push`, `registry_pull`, `registry_mount`, `registry_delete`, `notification`, `prune`, `start`, `stop`, `unreadable`
    #[arg(long, value_name = "KIND", value_parser = kind)]
    kind: Option<Kind>,
    /// Only what was allowed
    #[arg(long, conflicts_with_all = ["refused", "reason"])]
    allowed: bool,
    /// Only what was refused
    #[arg(long, conflicts_with = "reason")]
    refused: bool,
    /// Only what was refused for this reason, such as `ACCESS_DENIED`
    #[arg(long, value_name = "REASON")]
    reason: Option<Reason>,
    /// Only uses that a registry reported and no access token explains
    #[arg(long, conflicts_with_all = ["allowed", "refused", "reason"])]
    bypass: bool,
    /// The registry that was asked for
    #[arg(long, short, value_name = "NAME")]
    registry: Option<RegistryName>,
    /// A repository that was asked for
    #[arg(long, value_name = "REPOSITORY")]
    repository: Option<RepositoryName>,
    /// The token that was acted as or asked for
    #[arg(long, value_name = "NAME")]
    token: Option<TokenName>,
    /// The scope map that allowed it
    #[arg(long, value_name = "NAME")]
    scope_map: Option<ScopeMapName>,
    /// The issuer of the identity
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// The subject of the identity
    #[arg(long, value_name = "SUBJECT")]
    subject: Option<String>,
    /// The access token that was given
    #[arg(long, value_name = "ID")]
    access_token: Option<AccessTokenId>,
}

impl FilterArgs {
    /// For the files.
    pub(super) fn filter(&self) -> Filter {
        Filter {
            since: self.since,
            until: self.until,
            kind: self.kind,
            outcome: self.outcome(),
            registry: self.registry.clone(),
            repository: self.repository.clone(),
            token: self.token.clone(),
            scope_map: self.scope_map.clone(),
            issuer: self.issuer.clone(),
            subject: self.subject.clone(),
            access_token: self.access_token,
            ..Filter::default()
        }
    }

    /// For the API.
    pub(super) fn message(&self) -> pb::AuditFilter {
        fn text(value: Option<&impl ToString>) -> String {
            value.map(ToString::to_string).unwrap_or_default()
        }
        let outcome = match self.outcome() {
            Some(Outcome::Because(reason)) => reason.as_str(),
            Some(Outcome::Allowed) => "ALLOWED",
            Some(Outcome::Refused) => "REFUSED",
            Some(Outcome::Bypass) => "BYPASS",
            None => "",
        };
        pb::AuditFilter {
            registry: text(self.registry.as_ref()),
            repository: text(self.repository.as_ref()),
            token_name: text(self.token.as_ref()),
            scope_map: text(self.scope_map.as_ref()),
            issuer: text(self.issuer.as_ref()),
            subject: text(self.subject.as_ref()),
            kind: text(self.kind.as_ref()),
            outcome: outcome.to_owned(),
            access_token_id: text(self.access_token.as_ref()),
            since: self.since.map(wire::time),
            until: self.until.map(wire::time),
        }
    }
}

impl FilterArgs {
    fn outcome(&self) -> Option<Outcome> {
        let flags = [
            (self.allowed, Outcome::Allowed),
            (self.refused, Outcome::Refused),
            (self.bypass, Outcome::Bypass),
        ];
        let flag = flags.into_iter().find_map(|(given, outcome)| given.then_some(outcome));
        self.reason.map(Outcome::Because).or(flag)
    }
}

fn kind(text: &str) -> Result<Kind, String> {
    serde_json::from_value(Value::from(text)).map_err(|_| "no event is of that kind".to_owned())
}
