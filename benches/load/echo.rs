//! The yardstick: a bare tonic unary hello, and a bare axum reply, on a current-thread runtime each.

use std::io::Write;
use std::path::Path;

use axum::Router;
use axum::routing::get;
use dockpass::pb::access_service_server::{AccessService, AccessServiceServer};
use dockpass::pb::{
    AccessToken, CheckAccessRequest, CheckAccessResponse, IssueAccessTokenRequest,
    IssueAccessTokenResponse, RevokeAccessTokenRequest, RevokeAccessTokenResponse,
};
use tokio::net::TcpListener;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Identity, ServerTlsConfig};
use tonic::{Request, Response, Status};

/// The argument that makes this program the echo; what it speaks is the next one.
pub(crate) const ROLE: &str = "role-echo";
pub(crate) const GRPC: &str = "grpc";
pub(crate) const HTTP: &str = "http";
/// gRPC over TLS; the next argument is the folder of certificate and key.
pub(crate) const TLS: &str = "tls";

/// As many bytes as a registry JWT with its certificates.
const REPLY: usize = 2_000;
/// As many bytes as an access token without a bearer token.
const ACCESS_TOKEN: usize = 600;

/// Prints its port, and answers until it is ended.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async move {
        let tls = match arguments {
            [speaks, folder] if speaks == TLS => Some(tls(Path::new(folder))?),
            _ => None,
        };
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?.port());
        std::io::stdout().flush()?;
        match arguments.first().map(String::as_str) {
            Some(HTTP) => serve_http(listener).await,
            _ => serve_grpc(listener, tls).await,
        }
    })
}

fn tls(folder: &Path) -> anyhow::Result<ServerTlsConfig> {
    let read = |name| std::fs::read(folder.join(name));
    Ok(ServerTlsConfig::new().identity(Identity::from_pem(read("tls.crt")?, read("tls.key")?)))
}

async fn serve_grpc(listener: TcpListener, tls: Option<ServerTlsConfig>) -> anyhow::Result<()> {
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let mut server = tonic::transport::Server::builder();
    if let Some(tls) = tls {
        server = server.tls_config(tls)?;
    }
    server.add_service(AccessServiceServer::new(Hello)).serve_with_incoming(incoming).await?;
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
    /// As many bytes as a reply of dockpass, and nothing behind them.
    async fn issue_access_token(
        &self,
        _: Request<IssueAccessTokenRequest>,
    ) -> Result<Response<IssueAccessTokenResponse>, Status> {
        let access_token = AccessToken { password: "x".repeat(ACCESS_TOKEN), ..Default::default() };
        Ok(Response::new(IssueAccessTokenResponse { access_token: Some(access_token) }))
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
