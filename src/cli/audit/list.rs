//! `dockpass audit list`.

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::shown::Shown;
use super::{Failure, Process, archive};
use crate::audit::{Filter, Kind, Outcome};
use crate::cli::offline::ConfigArgs;
use crate::cli::output::{self, OutputArgs};
use crate::model::{AccessTokenId, Reason, RegistryName, RepositoryName, TokenName};

/// List events, newest first
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    dockpass audit list --refused --since 2026-08-01T00:00:00Z\n  \
    dockpass audit list --repository servers/nginx --kind issue --output json\n\n\
    The outcome is the reason of a refusal; else `allowed`, `partly` or `nothing` of what was asked for; of other events `done`. \
    A table leaves out issuers, but where two have the same subject: `dockpass audit show` and JSON have everything.")]
pub(in crate::cli) struct List {
    /// Not before this time, such as 2026-08-01T00:00:00Z
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,
    /// Before this time
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
    /// What the event is about: `issue`, `exchange`, `check`, `revoke`, `refusals`, `policy_change`, `prune`, `start`, `stop`, `unreadable`
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
    /// The registry that was asked for
    #[arg(long, short, value_name = "NAME")]
    registry: Option<RegistryName>,
    /// A repository that was asked for
    #[arg(long, value_name = "REPOSITORY")]
    repository: Option<RepositoryName>,
    /// The token that was acted as or asked for
    #[arg(long, value_name = "NAME")]
    token: Option<TokenName>,
    /// The issuer of the identity
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// The subject of the identity
    #[arg(long, value_name = "SUBJECT")]
    subject: Option<String>,
    /// The access token that was given
    #[arg(long, value_name = "ID")]
    access_token: Option<AccessTokenId>,
    /// At most this many events
    #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
    /// Only events before this place in the chain: the `next` of the page before
    #[arg(long, value_name = "SEQUENCE")]
    before: Option<u64>,
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Serialize)]
struct Listed {
    events: Vec<Shown>,
    next: Option<u64>,
}

impl List {
    pub(super) async fn run(self, process: &mut Process) -> Result<(), Failure> {
        let archive = archive(&self.config).await?;
        let page = archive.list(&self.filter(), self.before, self.limit)?;
        let listed =
            Listed { events: page.events.into_iter().map(Shown::from).collect(), next: page.next };
        self.output.print(process, &listed, |listed| {
            output::table(Shown::HEAD, Shown::rows(&listed.events))
        })?;
        match listed.next {
            Some(next) => process.note(&format!("there are more: --before {next}")),
            None => Ok(()),
        }
    }

    fn filter(&self) -> Filter {
        let outcome = match (self.reason, self.allowed, self.refused) {
            (Some(reason), _, _) => Some(Outcome::Because(reason)),
            (None, true, _) => Some(Outcome::Allowed),
            (None, false, true) => Some(Outcome::Refused),
            (None, false, false) => None,
        };
        Filter {
            since: self.since,
            until: self.until,
            kind: self.kind,
            outcome,
            registry: self.registry.clone(),
            repository: self.repository.clone(),
            token: self.token.clone(),
            issuer: self.issuer.clone(),
            subject: self.subject.clone(),
            access_token: self.access_token,
            ..Filter::default()
        }
    }
}

fn kind(text: &str) -> Result<Kind, String> {
    serde_json::from_value(Value::from(text)).map_err(|_| "no event is of that kind".to_owned())
}
