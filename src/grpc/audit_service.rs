//! `dockpass.v1.AuditService`: reads the message, asks the broker, writes the answer.

use std::collections::VecDeque;
use std::pin::Pin;

use futures_util::{Stream, stream};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use super::convert::{audit as convert, review};
use super::management::{Management, open};
use super::status::status;
use crate::audit::{Found, Places};
use crate::broker::evidence::Watching;
use crate::pb;
use crate::pb::audit_service_server::AuditService;

/// The service. What is watched ends when `stopping` is cancelled: it would keep its connection, and so the shutdown, open.
#[derive(Clone, Debug)]
pub(super) struct AuditTrail {
    pub(super) management: Management,
    pub(super) stopping: CancellationToken,
}

type Events = Pin<Box<dyn Stream<Item = Result<pb::WatchAuditEventsResponse, Status>> + Send>>;

#[tonic::async_trait]
impl AuditService for AuditTrail {
    type WatchAuditEventsStream = Events;

    async fn list_audit_events(
        &self,
        request: Request<pb::ListAuditEventsRequest>,
    ) -> Result<Response<pb::ListAuditEventsResponse>, Status> {
        let page = self.management.read(request, |message| convert::list(&message)).await?;
        Ok(Response::new(convert::listed(&page)))
    }

    async fn watch_audit_events(
        &self,
        request: Request<pb::WatchAuditEventsRequest>,
    ) -> Result<Response<Events>, Status> {
        let (call, operator, message) = open(request);
        let watch = self.management.well_formed(&call, convert::watch(&message)).await?;
        let watching = self.management.broker().watch(call, operator, watch).await;
        let watching = watching.map_err(|refusal| status(&refusal))?;
        Ok(Response::new(Box::pin(events(watching, self.stopping.clone()))))
    }

    async fn get_audit_event(
        &self,
        request: Request<pb::GetAuditEventRequest>,
    ) -> Result<Response<pb::GetAuditEventResponse>, Status> {
        let found = self.management.read(request, |message| convert::get(&message)).await?;
        let audit_event = Some(convert::event(&found));
        Ok(Response::new(pb::GetAuditEventResponse { audit_event }))
    }

    async fn verify_audit_log(
        &self,
        request: Request<pb::VerifyAuditLogRequest>,
    ) -> Result<Response<pb::VerifyAuditLogResponse>, Status> {
        let (call, operator, message) = open(request);
        let verify = self.management.well_formed(&call, convert::verify(&message)).await?;
        let verified = self.management.broker().verify_trail(call, operator, verify).await;
        let verified = verified.map_err(|refusal| status(&refusal))?;
        Ok(Response::new(convert::verified(&verified)))
    }

    async fn explain_decision(
        &self,
        request: Request<pb::ExplainDecisionRequest>,
    ) -> Result<Response<pb::ExplainDecisionResponse>, Status> {
        let explained = self.management.read(request, |message| convert::explain(&message)).await?;
        Ok(Response::new(convert::explained(&explained)))
    }

    async fn review_access(
        &self,
        request: Request<pb::ReviewAccessRequest>,
    ) -> Result<Response<pb::ReviewAccessResponse>, Status> {
        let registry = request.get_ref().registry.clone();
        let page = self.management.read(request, |message| review::review(&message)).await?;
        Ok(Response::new(review::reviewed(&registry, &page)))
    }
}

/// One event after the other. The next look into the trail is made when the caller has taken what the last one found.
fn events(
    watching: Watching,
    stopping: CancellationToken,
) -> impl Stream<Item = Result<pb::WatchAuditEventsResponse, Status>> + Send {
    let state = Some((watching, VecDeque::<(Found, Places)>::new(), stopping));
    stream::unfold(state, async |state| {
        let (mut watching, mut found, stopping) = state?;
        if found.is_empty() {
            match stopping.run_until_cancelled(watching.next()).await? {
                Ok(events) => found.extend(events),
                // an error ends it
                Err(refusal) => return Some((Err(status(&refusal)), None)),
            }
        }
        let message = found.pop_front().as_ref().map(convert::watched).unwrap_or_default();
        Some((Ok(message), Some((watching, found, stopping))))
    })
}
