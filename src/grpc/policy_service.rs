//! `dockpass.v1.PolicyService`: policy files come and go in pieces.

use std::pin::Pin;
use std::sync::Arc;

use futures_util::{Stream, StreamExt, stream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};

use super::convert::policy as convert;
use super::management::Management;
use super::policy_upload;
use super::status::status;
use crate::broker::Role;
use crate::broker::evidence::{ReplayPolicy, Replayed};
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
    /// Ends what is replayed: it would keep its connection, and so the shutdown, open.
    stopping: CancellationToken,
}

/// The answers of a method, one after the other.
type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

impl Policy {
    pub(super) fn new(management: Management, stopping: CancellationToken) -> Self {
        Self { management, files: Arc::new(Semaphore::new(FILES)), stopping }
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
        Ok(answer(convert::exported(exported)))
    }

    async fn plan_policy(
        &self,
        request: Request<Streaming<pb::PlanPolicyRequest>>,
    ) -> Result<Response<Self::PlanPolicyStream>, Status> {
        let right = SendPolicyFile { method: "PlanPolicy", role: Role::Viewer };
        let (sent, first) =
            policy_upload::receive(&self.management, &self.files, request, right).await?;
        let window = convert::usage_window(&first);
        let usage_window = self.management.well_formed(&sent.call, window).await?;
        let plan = PlanPolicy { candidate: sent.candidate, usage_window };
        let planned = self.management.broker().read(sent.call, sent.operator, plan).await;
        Ok(answer(convert::planned(planned.map_err(|refusal| status(&refusal))?)))
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
        Ok(answer(convert::applied(applied.map_err(|refusal| status(&refusal))?)))
    }

    async fn replay_policy(
        &self,
        request: Request<Streaming<pb::ReplayPolicyRequest>>,
    ) -> Result<Response<Self::ReplayPolicyStream>, Status> {
        let right = SendPolicyFile { method: "ReplayPolicy", role: Role::Viewer };
        let (sent, first) =
            policy_upload::receive(&self.management, &self.files, request, right).await?;
        let since = self.management.well_formed(&sent.call, convert::since(&first)).await?;
        let replay = ReplayPolicy { candidate: sent.candidate, since };
        let replayed = self.management.broker().replay(sent.call, sent.operator, replay).await;
        let mut replayed = replayed.map_err(|refusal| status(&refusal))?;
        let answers = stream::poll_fn(move |context| replayed.poll_recv(context));
        let answers =
            answers.map(replay_answer).take_until(self.stopping.clone().cancelled_owned());
        Ok(Response::new(Box::pin(answers)))
    }
}

fn replay_answer(replayed: Replayed) -> Result<pb::ReplayPolicyResponse, Status> {
    match replayed {
        Replayed::Difference(one) => Ok(convert::difference(&one)),
        Replayed::Summary(summary) => Ok(convert::summary(summary)),
        Replayed::Failed(refusal) => Err(status(&refusal)),
    }
}

fn answer<T: Send + 'static>(
    answers: impl Iterator<Item = T> + Send + 'static,
) -> Response<Answers<T>> {
    Response::new(Box::pin(stream::iter(answers.map(Ok))))
}
