//! `dockpass.v1.AccessService`: reads the message, asks the broker, writes the answer.

use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::asked::Asked;
use super::{convert, status};
use crate::broker::{Broker, Call, FieldViolation};
use crate::pb;
use crate::pb::access_service_server::AccessService;

/// The service.
#[derive(Clone, Debug)]
pub(super) struct Access {
    broker: Arc<Broker>,
}

impl Access {
    /// What the paths of the methods begin with.
    pub(super) const PREFIX: &str = "/dockpass.v1.AccessService/";

    pub(super) const fn new(broker: Arc<Broker>) -> Self {
        Self { broker }
    }

    pub(super) async fn issue(
        &self,
        asked: Asked<pb::IssueAccessTokenRequest>,
    ) -> Result<pb::IssueAccessTokenResponse, Status> {
        let Asked { call, presented, message } = asked;
        let request = self.well_formed(&call, convert::access_request(&message)).await?;
        let issued = self.broker.issue(call, presented, request).await;
        let issued = issued.map_err(|refusal| status::status(&refusal))?;
        let access_token = Some(convert::access_token(&issued));
        Ok(pb::IssueAccessTokenResponse { access_token })
    }

    pub(super) async fn check(
        &self,
        asked: Asked<pb::CheckAccessRequest>,
    ) -> Result<pb::CheckAccessResponse, Status> {
        let Asked { call, presented, message } = asked;
        let request = self.well_formed(&call, convert::check_request(message)).await?;
        let checked = self.broker.check(call, presented, request).await;
        let checked = checked.map_err(|refusal| status::status(&refusal))?;
        Ok(convert::check_response(&checked))
    }

    pub(super) async fn revoke(
        &self,
        asked: Asked<pb::RevokeAccessTokenRequest>,
    ) -> Result<pb::RevokeAccessTokenResponse, Status> {
        let Asked { call, presented, message } = asked;
        let id = self.well_formed(&call, convert::access_token_id(&message)).await?;
        let revoked = self.broker.revoke(call, presented, id).await;
        let expire_time = revoked.map_err(|refusal| status::status(&refusal))?;
        let expire_time = Some(convert::timestamp(expire_time));
        Ok(pb::RevokeAccessTokenResponse { expire_time })
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

/// The same methods behind tonic's routes, for the requests that [`super::front`] leaves to them.
#[tonic::async_trait]
impl AccessService for Access {
    async fn issue_access_token(
        &self,
        request: Request<pb::IssueAccessTokenRequest>,
    ) -> Result<Response<pb::IssueAccessTokenResponse>, Status> {
        self.issue(request.into()).await.map(Response::new)
    }

    async fn check_access(
        &self,
        request: Request<pb::CheckAccessRequest>,
    ) -> Result<Response<pb::CheckAccessResponse>, Status> {
        self.check(request.into()).await.map(Response::new)
    }

    async fn revoke_access_token(
        &self,
        request: Request<pb::RevokeAccessTokenRequest>,
    ) -> Result<Response<pb::RevokeAccessTokenResponse>, Status> {
        self.revoke(request.into()).await.map(Response::new)
    }
}
