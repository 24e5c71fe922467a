//! `dockpass.v1.PolicyService`: policy files come and go in pieces.

use std::pin::Pin;
use std::sync::Arc;

use futures_util::{Stream, stream};
use tokio::sync::Semaphore;
use tonic::{Request, Response, Status, Streaming};

use super::convert::policy as convert;
use super::management::Management;
use super::policy_upload;
use super::status::status;
use crate::broker::Role;
use crate::broker::manage::{ApplyPolicy, PlanPolicy, SendPolicyFile};
use crate::pb;
use crate::pb::policy_service_server::PolicyService;

/// Policy files that are worked on at once, with up to 64 MiB each; others wait.
const FILES: usize = 4;

/// The service.
#[derive(Clone, Debug)]
pub(super) struct Policy {
    management: Management,
    files: Arc<Semaphore>,
}

/// The answers of a method, one after the other.
type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

impl Policy {
    pub(super) fn new(management: Management) -> Self {
        Self { management, files: Arc::new(Semaphore::new(FILES)) }
    }
}

#[tonic::async_trait]
impl PolicyService for Policy {
    type ExportPolicyStream = Answers<pb::ExportPolicyResponse>;
    type PlanPolicyStream = Answers<pb::PlanPolicyResponse>;
    type ApplyPolicyStream = Answers<pb::ApplyPolicyResponse>;
    type ReplayPolicyStream = Answers<pb::ReplayPolicyResponse>;

    async fn export_policy(
        &self,
        request: Request<pb::ExportPolicyRequest>,
    ) -> Result<Response<Self::ExportPolicyStream>, Status> {
        let exported = self.management.read(request, |message| convert::export(&message)).await?;
        answer(convert::exported(exported))
    }

    async fn plan_policy(
        &self,
        request: Request<Streaming<pb::PlanPolicyRequest>>,
    ) -> Result<Response<Self::PlanPolicyStream>, Status> {
        let right = SendPolicyFile { method: "PlanPolicy", role: Role::Viewer };
        let (sent, _) =
            policy_upload::receive(&self.management, &self.files, request, right).await?;
        let plan = PlanPolicy { candidate: sent.candidate };
        let planned = self.management.broker().read(sent.call, sent.operator, plan).await;
        answer(convert::planned(planned.map_err(|refusal| status(&refusal))?))
    }

    async fn apply_policy(
        &self,
        request: Request<Streaming<pb::ApplyPolicyRequest>>,
    ) -> Result<Response<Self::ApplyPolicyStream>, Status> {
        let right = SendPolicyFile { method: "ApplyPolicy", role: Role::Editor };
        let (sent, _) =
            policy_upload::receive(&self.management, &self.files, request, right).await?;
        let apply = ApplyPolicy { candidate: sent.candidate };
        let applied = self.management.broker().change(sent.call, sent.operator, apply).await;
        answer(convert::applied(applied.map_err(|refusal| status(&refusal))?))
    }

    async fn replay_policy(
        &self,
        _: Request<Streaming<pb::ReplayPolicyRequest>>,
    ) -> Result<Response<Self::ReplayPolicyStream>, Status> {
        Err(Status::unimplemented("recorded requests are not decided again by this server"))
    }
}

fn answer<T: Send + 'static>(
    answers: impl Iterator<Item = T> + Send + 'static,
) -> Result<Response<Answers<T>>, Status> {
    Ok(Response::new(Box::pin(stream::iter(answers.map(Ok)))))
}
