//! `dockpass.v1.TokenService`: reads the message, asks the broker, writes the answer.

use tonic::{Request, Response, Status};

use super::convert::credential::pb_password;
use super::convert::token as convert;
use super::management::Management;
use crate::pb;
use crate::pb::token_service_server::TokenService;

/// The service.
#[derive(Clone, Debug)]
pub(super) struct Tokens(pub(super) Management);

#[tonic::async_trait]
impl TokenService for Tokens {
    async fn list_tokens(
        &self,
        request: Request<pb::ListTokensRequest>,
    ) -> Result<Response<pb::ListTokensResponse>, Status> {
        let list = request.get_ref().clone();
        let page = self.0.read(request, |message| convert::list(&message)).await?;
        Ok(Response::new(convert::listed(&list, &page)))
    }

    async fn get_token(
        &self,
        request: Request<pb::GetTokenRequest>,
    ) -> Result<Response<pb::GetTokenResponse>, Status> {
        let (token, last) = self.0.read(request, |message| convert::get(&message)).await?;
        let token = Some(convert::used_token(&token, &last));
        Ok(Response::new(pb::GetTokenResponse { token }))
    }

    async fn create_token(
        &self,
        request: Request<pb::CreateTokenRequest>,
    ) -> Result<Response<pb::CreateTokenResponse>, Status> {
        let token = self.0.change(request, convert::create).await?;
        let token = Some(convert::token(&token));
        Ok(Response::new(pb::CreateTokenResponse { token }))
    }

    async fn update_token(
        &self,
        request: Request<pb::UpdateTokenRequest>,
    ) -> Result<Response<pb::UpdateTokenResponse>, Status> {
        let token = self.0.change(request, convert::update).await?;
        let token = Some(convert::token(&token));
        Ok(Response::new(pb::UpdateTokenResponse { token }))
    }

    async fn delete_token(
        &self,
        request: Request<pb::DeleteTokenRequest>,
    ) -> Result<Response<pb::DeleteTokenResponse>, Status> {
        self.0.change(request, |message| convert::delete(&message)).await?;
        Ok(Response::new(pb::DeleteTokenResponse {}))
    }

    async fn generate_password(
        &self,
        request: Request<pb::GeneratePasswordRequest>,
    ) -> Result<Response<pb::GeneratePasswordResponse>, Status> {
        let made = self.0.change(request, |message| convert::generate_password(&message)).await?;
        Ok(Response::new(pb::GeneratePasswordResponse {
            password_info: Some(pb_password(&made.password)),
            username: made.token.name.to_string(),
            secret: made.secret.expose().to_owned(),
            token: Some(convert::token(&made.token)),
        }))
    }

    async fn delete_password(
        &self,
        request: Request<pb::DeletePasswordRequest>,
    ) -> Result<Response<pb::DeletePasswordResponse>, Status> {
        let token = self.0.change(request, |message| convert::delete_password(&message)).await?;
        let token = Some(convert::token(&token));
        Ok(Response::new(pb::DeletePasswordResponse { token }))
    }

    async fn add_federated_credential(
        &self,
        request: Request<pb::AddFederatedCredentialRequest>,
    ) -> Result<Response<pb::AddFederatedCredentialResponse>, Status> {
        let token = self.0.change(request, convert::add_credential).await?;
        let token = Some(convert::token(&token));
        Ok(Response::new(pb::AddFederatedCredentialResponse { token }))
    }

    async fn remove_federated_credential(
        &self,
        request: Request<pb::RemoveFederatedCredentialRequest>,
    ) -> Result<Response<pb::RemoveFederatedCredentialResponse>, Status> {
        let token = self.0.change(request, |message| convert::remove_credential(&message)).await?;
        let token = Some(convert::token(&token));
        Ok(Response::new(pb::RemoveFederatedCredentialResponse { token }))
    }
}
