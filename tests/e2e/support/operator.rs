//! Who changes the policy, by the API of one replica.

use std::collections::BTreeSet;

use dockpass::pb::token_service_client::TokenServiceClient;
use dockpass::pb::{
    CreateTokenRequest, DeleteTokenRequest, FederatedCredential, ListTokensRequest, Token,
    TokenStatus, UpdateTokenRequest,
};
use prost_types::FieldMask;
use tonic::Status;
use tonic::transport::Channel;

use super::with_bearer;

/// An operator with a connection to one replica.
pub(crate) struct Operator {
    tokens: TokenServiceClient<Channel>,
    identity: String,
}

impl Operator {
    /// The operator of this identity token.
    pub(crate) fn new(channel: Channel, identity: String) -> Self {
        Self { tokens: TokenServiceClient::new(channel), identity }
    }

    /// Enables or disables a token.
    pub(crate) async fn set_status(&mut self, name: &str, status: TokenStatus) {
        let token = Token { status: status.into(), ..token(name) };
        let update_mask = Some(FieldMask { paths: vec!["status".to_owned()] });
        let request = UpdateTokenRequest { token: Some(token), update_mask };
        self.tokens.update_token(with_bearer(request, &self.identity)).await.unwrap();
    }

    /// Makes a token that pushes to `servers/nginx` for one subject.
    pub(crate) async fn create(
        &mut self,
        name: &str,
        issuer: &str,
        subject: &str,
    ) -> Result<(), Status> {
        let federated = FederatedCredential {
            name: "subject".to_owned(),
            issuer: issuer.to_owned(),
            subject: subject.to_owned(),
            ..Default::default()
        };
        let token = Token {
            scope_map: "servers-push".to_owned(),
            federated_credentials: vec![federated],
            ..token(name)
        };
        let request = CreateTokenRequest { token: Some(token) };
        self.tokens.create_token(with_bearer(request, &self.identity)).await.map(drop)
    }

    /// Deletes a token.
    pub(crate) async fn delete(&mut self, name: &str) {
        let Token { registry, name, .. } = token(name);
        let request = DeleteTokenRequest { registry, name, etag: String::new() };
        self.tokens.delete_token(with_bearer(request, &self.identity)).await.unwrap();
    }

    /// The names of all tokens.
    pub(crate) async fn names(&mut self) -> BTreeSet<String> {
        let request = ListTokensRequest {
            registry: "local".to_owned(),
            page_size: 1000,
            ..Default::default()
        };
        let answer = self.tokens.list_tokens(with_bearer(request, &self.identity)).await.unwrap();
        answer.into_inner().tokens.into_iter().map(|token| token.name).collect()
    }
}

fn token(name: &str) -> Token {
    Token { registry: "local".to_owned(), name: name.to_owned(), ..Default::default() }
}
