//! `dockpass explain`: makes a recorded decision again, with everything looked at, and shows why it went as it did.

use clap::Args;
use serde::Serialize;
use serde_json::json;

use super::api::{self, Api, ApiOrFilesArgs, Place};
use super::audit::shown::Shown;
use super::audit::{api_event, find};
use super::offline::{self, ConfigArgs};
use super::output::{self, OutputArgs};
use super::refusal::Refusal;
use super::{Failure, Process, json_struct};
use crate::audit::{Archive, Event};
use crate::identity::Evidence;
use crate::model::{AccessRequest, DecisionId};
use crate::pb;
use crate::policy::{Trace, explain};

/// Show why a decision went as it did: every token, credential and scope map entry against the request
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  dockpass explain 0199f3c2-7a0e-7c55-9d3b-0c1f5b0d2a11\n  \
    dockpass explain 0199f3c2-7a0e-7c55-9d3b-0c1f5b0d2a11 --config dockpass.toml\n\n\
    The decision is made again from what the audit trail holds: the verified identity, the request, and the policy as it was then. \
    Bounds of registries are those of the configuration now.")]
pub(super) struct Explain {
    /// The decision id, as in a refusal, or the id of an access token
    #[arg(value_name = "DECISION-ID")]
    id: DecisionId,
    #[command(flatten)]
    place: ApiOrFilesArgs,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Serialize)]
struct Explained {
    event: Shown,
    /// Absent when policy was not asked.
    trace: Option<Trace>,
}

impl Explain {
    pub(super) async fn run(self, process: &mut Process) -> Result<(), Failure> {
        match self.place.place(process).await? {
            Place::Files(files) => {
                let explained = self.explain(&files).await?;
                self.output.print(process, &explained, text)
            }
            Place::Api(api) => self.ask(&api, process).await,
        }
    }

    async fn explain(&self, files: &ConfigArgs) -> Result<Explained, Failure> {
        let config = files.load()?;
        let store = offline::existing_store(&config).await?;
        let found = find(&Archive::open(&store), self.id)?;
        let trace = match question(&found.event) {
            Some((revision, evidence, request)) => {
                let definitions = store.definitions_at(revision).await?;
                let context = config.policy_context();
                Some(explain(&definitions, &context, &evidence, &request, found.event.time))
            }
            None => None,
        };
        Ok(Explained { event: found.into(), trace })
    }

    /// The broker explains, in its own words.
    async fn ask(&self, api: &Api, process: &mut Process) -> Result<(), Failure> {
        let request = pb::ExplainDecisionRequest { decision_id: self.id.to_string() };
        let answer = api.audit().explain_decision(request).await.map_err(Refusal::from)?;
        let answer = answer.into_inner();
        let event = answer.audit_event.ok_or_else(|| api::incomplete("event"))?;
        let trace = answer.trace.map(json_struct::object);
        let explained = json!({ "event": api_event::shown(event)?, "trace": trace });
        self.output.print(process, &explained, |_| answer.text)
    }
}

/// What policy was asked, when it was.
fn question(event: &Event) -> Option<(u64, Evidence, AccessRequest)> {
    let evidence = Evidence::from_event(event.identity.as_ref()?, event.claims.as_ref())?;
    Some((event.policy_revision?, evidence, event.request.as_ref()?.to_request()))
}

fn text(explained: &Explained) -> String {
    let event = output::fields(explained.event.lines());
    let Some(trace) = &explained.trace else {
        return format!("{event}\n\npolicy was not asked: the reason is above");
    };
    format!("{event}\n\n{trace}")
}
