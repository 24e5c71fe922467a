//! The yardstick: a bare tonic unary hello, and a bare axum reply, on a current-thread runtime each.

use std::io::Write;

use axum::Router;
use axum::routing::get;
use dockpass::pb::access_service_server::{AccessService, AccessServiceServer};
use dockpass::pb::{
    CheckAccessRequest, CheckAccessResponse, IssueAccessTokenRequest, IssueAccessTokenResponse,
    RevokeAccessTokenRequest, RevokeAccessTokenResponse,
};
use tokio::net::TcpListener;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

/// The argument that makes this program the echo; what it speaks is the next one.
pub(crate) const ROLE: &str = "role-echo";
pub(crate) const GRPC: &str = "grpc";
pub(crate) const HTTP: &str = "http";

/// As many bytes as a registry JWT with its certificates.
const REPLY: usize = 2_000;

/// Prints its port, and answers until it is ended.
pub(crate) fn run() -> anyhow::Result<()> {
    let http = std::env::args().any(|argument| argument == HTTP);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async move {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?.port());
        std::io::stdout().flush()?;
        if http { serve_http(listener).await } else { serve_grpc(listener).await }
    })
}

async fn serve_grpc(listener: TcpListener) -> anyhow::Result<()> {
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    tonic::transport::Server::builder()
        .add_service(AccessServiceServer::new(Hello))
        .serve_with_incoming(incoming)
        .await?;
    Ok(())
}

async fn serve_http(listener: TcpListener) -> anyhow::Result<()> {
    let reply = bytes::Bytes::from(vec![b'x'; REPLY]);
    let router = Router::new().route("/token", get(async move || reply));
    axum::serve(
        axum::serve::ListenerExt::tap_io(listener, |io| drop(io.set_nodelay(true))),
        router,
    )
    .await?;
    Ok(())
}

/// Says hello to whoever is named as registry.
struct Hello;

#[tonic::async_trait]
impl AccessService for Hello {
    async fn issue_access_token(
        &self,
        _: Request<IssueAccessTokenRequest>,
    ) -> Result<Response<IssueAccessTokenResponse>, Status> {
        Err(Status::unimplemented("an echo"))
    }

    async fn check_access(
        &self,
        request: Request<CheckAccessRequest>,
    ) -> Result<Response<CheckAccessResponse>, Status> {
        let reason = format!("hello {}", request.into_inner().registry);
        Ok(Response::new(CheckAccessResponse { reason, ..Default::default() }))
    }

    async fn revoke_access_token(
        &self,
        _: Request<RevokeAccessTokenRequest>,
    ) -> Result<Response<RevokeAccessTokenResponse>, Status> {
        Err(Status::unimplemented("an echo"))
    }
}
