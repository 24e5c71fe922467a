//! The broker, running in this process.

use std::net::SocketAddr;
use std::sync::Arc;

use dockpass::app::App;
use dockpass::config::Config;
use dockpass::model::ManualClock;
use dockpass::pb::access_service_client::AccessServiceClient;
use dockpass::pb::audit_service_client::AuditServiceClient;
use dockpass::pb::policy_service_client::PolicyServiceClient;
use dockpass::pb::scope_map_service_client::ScopeMapServiceClient;
use dockpass::pb::token_service_client::TokenServiceClient;
use dockpass::pb::{
    AccessToken, CheckAccessRequest, CheckAccessResponse, IssueAccessTokenRequest,
    RevokeAccessTokenRequest,
};
use serde_json::Value;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use tonic::{Request, Status};

use super::{Answer, Operator, SERVICE, Site, basic, http};

/// The broker, running.
pub(crate) struct Running<'a> {
    pub(crate) site: &'a Site,
    pub(crate) channel: Channel,
    pub(crate) grpc: SocketAddr,
    http: SocketAddr,
    ops: SocketAddr,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl<'a> Running<'a> {
    pub(super) async fn start(site: &'a Site, config: &Config, clock: &ManualClock) -> Self {
        let app = App::build(config, Arc::new(clock.clone())).await.unwrap();
        let (grpc, ops, web) = (app.grpc_address(), app.ops_address(), app.http_address());
        let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
        let stopped = stop.clone();
        tasks.spawn(async move { app.run(stopped).await.unwrap() });
        // with TLS, tests bring their own way
        let channel = match config.tls {
            None => connect(grpc).await,
            Some(_) => Channel::from_static("https://localhost").connect_lazy(),
        };
        Self { site, channel, grpc, http: web, ops, stop, tasks }
    }

    /// Asks the broker to end, without waiting for it.
    pub(crate) fn begin_to_stop(&self) {
        self.stop.cancel();
    }

    /// Ends it in order; everything is in the trail then.
    pub(crate) async fn stop(mut self) {
        self.stop.cancel();
        self.tasks.join_next().await.unwrap().unwrap();
    }

    /// A client of its own connection.
    pub(crate) async fn another_client(&self) -> AccessServiceClient<Channel> {
        AccessServiceClient::new(connect(self.grpc).await)
    }

    /// A client.
    pub(crate) fn client(&self) -> AccessServiceClient<Channel> {
        AccessServiceClient::new(self.channel.clone())
    }

    /// A client of the audit trail.
    pub(crate) fn audit(&self) -> AuditServiceClient<Channel> {
        AuditServiceClient::new(self.channel.clone())
    }

    /// A client of whole policy files.
    pub(crate) fn policy_files(&self) -> PolicyServiceClient<Channel> {
        PolicyServiceClient::new(self.channel.clone())
    }

    /// A client of the service of scope maps.
    pub(crate) fn scope_maps(&self) -> ScopeMapServiceClient<Channel> {
        ScopeMapServiceClient::new(self.channel.clone())
    }

    /// A client of the service of tokens.
    pub(crate) fn tokens(&self) -> TokenServiceClient<Channel> {
        TokenServiceClient::new(self.channel.clone())
    }

    /// Asks for an access token.
    pub(crate) async fn issue(
        &self,
        identity: &str,
        request: IssueAccessTokenRequest,
    ) -> Result<AccessToken, Status> {
        let response = self.client().issue_access_token(bearer(identity, request)).await?;
        Ok(response.into_inner().access_token.unwrap())
    }

    /// Asks what would be issued.
    pub(crate) async fn check(
        &self,
        identity: &str,
        request: IssueAccessTokenRequest,
    ) -> Result<CheckAccessResponse, Status> {
        let IssueAccessTokenRequest { registry, permissions, lifetime, token_name, .. } = request;
        let request = CheckAccessRequest { registry, permissions, lifetime, token_name };
        Ok(self.client().check_access(bearer(identity, request)).await?.into_inner())
    }

    /// The command line over the admin socket.
    pub(crate) fn local_operator(&self) -> Operator {
        let socket = self.site.folder.path().join("admin/admin.sock");
        Operator::of(format!("unix:{}", socket.display()), &self.site.clock)
    }

    /// The command line over the network, with TLS.
    pub(crate) fn tls_operator(&self) -> Operator {
        Operator::of(format!("https://localhost:{}", self.grpc.port()), &self.site.clock)
    }

    /// Takes an access token back.
    pub(crate) async fn revoke(&self, identity: &str, id: &str) -> Result<(), Status> {
        let request = RevokeAccessTokenRequest { access_token_id: id.to_owned() };
        self.client().revoke_access_token(bearer(identity, request)).await.map(drop)
    }

    /// The URL of a path of the HTTP listener.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.http)
    }

    /// The URL of a path of the ops listener.
    pub(crate) fn ops_url(&self, path: &str) -> String {
        format!("http://{}{path}", self.ops)
    }

    /// Asks the token endpoint with Basic credentials, or none, for scopes.
    pub(crate) async fn login(
        &self,
        credentials: Option<(&str, &str)>,
        scopes: &[&str],
        more: &[(&str, &str)],
    ) -> Answer {
        let mut query = vec![("service", SERVICE)];
        query.extend(scopes.iter().map(|scope| ("scope", *scope)));
        query.extend_from_slice(more);
        self.get(credentials, &query).await
    }

    /// Asks the token endpoint with a query.
    pub(crate) async fn get(
        &self,
        credentials: Option<(&str, &str)>,
        query: &[(&str, &str)],
    ) -> Answer {
        let query = form(query);
        let mut request = http().get(self.url(&format!("/token?{query}")));
        if let Some((username, password)) = credentials {
            request = request.header("authorization", basic(username, password));
        }
        Answer::of(request).await
    }

    /// Sends a form to the token endpoint.
    pub(crate) async fn post(&self, fields: &[(&str, &str)]) -> Answer {
        let request = http()
            .post(self.url("/token"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form(fields));
        Answer::of(request).await
    }

    /// True when `/readyz` says so.
    pub(crate) async fn is_ready(&self) -> bool {
        http().get(self.ops_url("/readyz")).send().await.unwrap().status().is_success()
    }
}

/// The claims of a registry's JWT, which nobody here has to verify.
pub(crate) fn claims(jwt: &str) -> Value {
    use base64::Engine;
    let payload = jwt.split('.').nth(1).unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

fn form(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

async fn connect(address: SocketAddr) -> Channel {
    Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap()
}

/// A request with an identity token; with none when it is empty.
pub(crate) fn bearer<T>(identity: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    if !identity.is_empty() {
        let value = format!("Bearer {identity}").parse().unwrap();
        request.metadata_mut().insert("authorization", value);
    }
    request
}
