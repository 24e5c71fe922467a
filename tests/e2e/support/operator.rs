//! Who changes the policy, by the API of one replica.

use std::collections::BTreeSet;

use dockpass::pb::scope_map_service_client::ScopeMapServiceClient;
use dockpass::pb::token_service_client::TokenServiceClient;
use dockpass::pb::{
    Action, AddFederatedCredentialRequest, CreateTokenRequest, DeleteTokenRequest,
    FederatedCredential, GetTokenRequest, ListTokensRequest, PatternPermission,
    RemoveFederatedCredentialRequest, ScopeMap, Token, TokenStatus, UpdateScopeMapRequest,
    UpdateTokenRequest,
};
use prost_types::FieldMask;
use tonic::Status;
use tonic::transport::Channel;

use super::with_bearer;

/// An operator with a connection to one replica.
pub(crate) struct Operator {
    scope_maps: ScopeMapServiceClient<Channel>,
    tokens: TokenServiceClient<Channel>,
    identity: String,
}

impl Operator {
    /// The operator of this identity token.
    pub(crate) fn new(channel: Channel, identity: String) -> Self {
        let scope_maps = ScopeMapServiceClient::new(channel.clone());
        Self { scope_maps, tokens: TokenServiceClient::new(channel), identity }
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

    /// Adds an action on a repository to a scope map.
    pub(crate) async fn add_action(&mut self, scope_map: &str, repository: &str, action: Action) {
        let add_permissions = vec![pattern(repository, action)];
        let request = UpdateScopeMapRequest { add_permissions, ..update_of(scope_map) };
        self.scope_maps.update_scope_map(with_bearer(request, &self.identity)).await.unwrap();
    }

    /// Takes an action on a repository from a scope map.
    pub(crate) async fn take_action(&mut self, scope_map: &str, repository: &str, action: Action) {
        let remove_permissions = vec![pattern(repository, action)];
        let request = UpdateScopeMapRequest { remove_permissions, ..update_of(scope_map) };
        self.scope_maps.update_scope_map(with_bearer(request, &self.identity)).await.unwrap();
    }

    /// Takes a federated credential from a token; what it was.
    pub(crate) async fn take_credential(
        &mut self,
        name: &str,
        credential: &str,
    ) -> FederatedCredential {
        let Token { registry, name, .. } = token(name);
        let request = GetTokenRequest { registry: registry.clone(), name: name.clone() };
        let answer = self.tokens.get_token(with_bearer(request, &self.identity)).await.unwrap();
        let of_token = answer.into_inner().token.unwrap().federated_credentials;
        let request = RemoveFederatedCredentialRequest {
            registry,
            token_name: name,
            federated_credential_name: credential.to_owned(),
            ..Default::default()
        };
        let request = with_bearer(request, &self.identity);
        self.tokens.remove_federated_credential(request).await.unwrap();
        of_token.into_iter().find(|own| own.name == credential).unwrap()
    }

    /// Gives a token a federated credential.
    pub(crate) async fn add_credential(&mut self, name: &str, credential: FederatedCredential) {
        let Token { registry, name, .. } = token(name);
        let request = AddFederatedCredentialRequest {
            registry,
            token_name: name,
            federated_credential: Some(credential),
            ..Default::default()
        };
        self.tokens.add_federated_credential(with_bearer(request, &self.identity)).await.unwrap();
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

fn pattern(repository: &str, action: Action) -> PatternPermission {
    PatternPermission { repository_pattern: repository.to_owned(), actions: vec![action.into()] }
}

fn update_of(name: &str) -> UpdateScopeMapRequest {
    let (registry, name) = ("local".to_owned(), name.to_owned());
    let scope_map = Some(ScopeMap { registry, name, ..Default::default() });
    UpdateScopeMapRequest { scope_map, ..Default::default() }
}

fn token(name: &str) -> Token {
    Token { registry: "local".to_owned(), name: name.to_owned(), ..Default::default() }
}
