//! `dockpass.v1.AccessService`: reads the message, asks the broker, writes the answer.

use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::call::call;
use super::presented::presented;
use super::{convert, status};
use crate::broker::{Broker, Call, FieldViolation};
use crate::identity::Presented;
use crate::pb;
use crate::pb::access_service_server::AccessService;

/// The service.
#[derive(Clone, Debug)]
pub(super) struct Access {
    broker: Arc<Broker>,
}

impl Access {
    pub(super) const fn new(broker: Arc<Broker>) -> Self {
        Self { broker }
    }

    /// The well-formed request, or the recorded refusal of a malformed one.
    async fn well_formed<T>(
        &self,
        call: &Call,
        parsed: Result<T, Vec<FieldViolation>>,
    ) -> Result<T, Status> {
        match parsed {
            Ok(request) => Ok(request),
            Err(violations) => {
                let refusal = self.broker.refuse_malformed(call.clone(), violations).await;
                Err(status::status(&refusal))
            }
        }
    }
}

#[tonic::async_trait]
impl AccessService for Access {
    async fn issue_access_token(
        &self,
        request: Request<pb::IssueAccessTokenRequest>,
    ) -> Result<Response<pb::IssueAccessTokenResponse>, Status> {
        let (call, presented, message) = open(request);
        let request = self.well_formed(&call, convert::access_request(&message)).await?;
        let issued = self.broker.issue(call, presented, request).await;
        let issued = issued.map_err(|refusal| status::status(&refusal))?;
        let access_token = Some(convert::access_token(&issued));
        Ok(Response::new(pb::IssueAccessTokenResponse { access_token }))
    }

    async fn check_access(
        &self,
        request: Request<pb::CheckAccessRequest>,
    ) -> Result<Response<pb::CheckAccessResponse>, Status> {
        let (call, presented, message) = open(request);
        let request = self.well_formed(&call, convert::check_request(message)).await?;
        let checked = self.broker.check(call, presented, request).await;
        let checked = checked.map_err(|refusal| status::status(&refusal))?;
        Ok(Response::new(convert::check_response(&checked)))
    }

    async fn revoke_access_token(
        &self,
        request: Request<pb::RevokeAccessTokenRequest>,
    ) -> Result<Response<pb::RevokeAccessTokenResponse>, Status> {
        let (call, presented, message) = open(request);
        let id = self.well_formed(&call, convert::access_token_id(&message)).await?;
        let revoked = self.broker.revoke(call, presented, id).await;
        let expire_time = revoked.map_err(|refusal| status::status(&refusal))?;
        let expire_time = Some(convert::timestamp(expire_time));
        Ok(Response::new(pb::RevokeAccessTokenResponse { expire_time }))
    }
}

/// Takes a request apart: what is known of the call, what is presented as identity, and the message.
fn open<T>(request: Request<T>) -> (Call, Presented, T) {
    let (metadata, extensions, message) = request.into_parts();
    (call(metadata.as_ref(), &extensions), presented(metadata.as_ref()), message)
}
