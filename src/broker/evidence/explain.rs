//! Explains a decision: it is made again from what was recorded, with everything looked at.

use super::search;
use crate::audit::{Event, Found};
use crate::broker::Error;
use crate::broker::manage::{Place, Read, Reading, Role, Target};
use crate::identity::Evidence;
use crate::model::{AccessRequest, DecisionId};
use crate::policy::{Trace, explain};

/// Which decision to explain.
#[derive(Clone, Copy, Debug)]
pub struct ExplainDecision {
    /// Its id.
    pub id: DecisionId,
}

/// Why a decision went as it did.
#[derive(Clone, Debug)]
pub struct Explained {
    /// The event.
    pub found: Found,
    /// The evaluation; absent when policy was not asked.
    pub trace: Option<Trace>,
}

impl Read for ExplainDecision {
    type Output = Explained;

    fn target(&self) -> Target<'_> {
        Target {
            method: "ExplainDecision",
            role: Role::Viewer,
            place: Place::Somewhere,
            definition: None,
        }
    }

    async fn read(&self, reading: &Reading<'_>) -> Result<Explained, Error> {
        let found = search::find(reading, self.id).await?;
        let Some((revision, question)) = asked(&found.event) else {
            return Ok(Explained { found, trace: None });
        };
        let definitions = reading.store().definitions_at(revision).await?;
        let context = reading.snapshot().context().clone();
        let time = found.event.time;
        let Question { evidence, request } = question;
        // it looks at every token: not on the serving threads
        let trace = tokio::task::spawn_blocking(move || {
            explain(&definitions, &context, &evidence, &request, time)
        });
        let trace =
            trace.await.map_err(|_panic| Error::Internal("the explanation panicked".to_owned()))?;
        Ok(Explained { found, trace: Some(trace) })
    }
}

/// What policy was asked.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Question {
    pub(super) evidence: Evidence,
    pub(super) request: AccessRequest,
}

/// What policy was asked, in which revision, when it was.
pub(super) fn asked(event: &Event) -> Option<(u64, Question)> {
    let evidence = Evidence::from_event(event.identity.as_ref()?, event.claims.as_ref())?;
    let request = event.request.as_ref()?.to_request();
    Some((event.policy_revision?, Question { evidence, request }))
}
