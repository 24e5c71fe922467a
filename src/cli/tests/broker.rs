//! An emulated broker: the service of the wire, with answers by the name of the repository.

use std::collections::HashMap;

use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;
use tonic::codegen::tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::{Code, Request, Response, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::pb::access_service_server::{AccessService, AccessServiceServer};
use crate::pb::{
    AccessToken, CheckAccessRequest, CheckAccessResponse, IssueAccessTokenRequest,
    IssueAccessTokenResponse, RevokeAccessTokenRequest, RevokeAccessTokenResponse,
};

/// The identity token that it knows.
pub(super) const IDENTITY: (&str, &str) = ("DOCKPASS_IDENTITY_TOKEN", "identity-canary");
/// The decision id of its refusals.
pub(super) const DECISION: &str = "0199f3c2-7a0e-7c55-9d3b-0c1f5b0d2a11";

struct Broker;

/// Starts it; returns its URL.
pub(super) async fn start() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = Server::builder().add_service(AccessServiceServer::new(Broker));
    TaskTracker::new().spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    url
}

fn refusal(code: Code, reason: &str) -> Status {
    let metadata = HashMap::from([("decision-id".to_owned(), DECISION.to_owned())]);
    let mut details = ErrorDetails::new();
    details.set_error_info(reason, "dockpass", metadata);
    Status::with_error_details(code, "no", details)
}

fn authorize<T>(request: &Request<T>) -> Result<(), Status> {
    let values: Vec<_> = request.metadata().get_all("authorization").iter().collect();
    // the second is base64 of vendor:dpk_x
    match values.as_slice() {
        [value] if *value == "Bearer identity-canary" || *value == "Basic dmVuZG9yOmRwa194" => {
            Ok(())
        }
        _ => Err(refusal(Code::Unauthenticated, "IDENTITY_INVALID")),
    }
}

fn time(seconds: i64) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds, nanos: 0 }
}

#[tonic::async_trait]
impl AccessService for Broker {
    async fn issue_access_token(
        &self,
        request: Request<IssueAccessTokenRequest>,
    ) -> Result<Response<IssueAccessTokenResponse>, Status> {
        authorize(&request)?;
        let message = request.into_inner();
        match message.permissions[0].repository.as_str() {
            "denied" => return Err(refusal(Code::PermissionDenied, "ACCESS_DENIED")),
            "impossible" => return Err(refusal(Code::FailedPrecondition, "NOT_ENFORCEABLE")),
            "later" => return Err(refusal(Code::Unavailable, "REGISTRY_UNAVAILABLE")),
            _ => {}
        }
        let bearer_token =
            if message.with_bearer_token { "jwt-canary".to_owned() } else { String::new() };
        Ok(Response::new(IssueAccessTokenResponse {
            access_token: Some(AccessToken {
                id: DECISION.into(),
                registry: message.registry,
                registry_host: "localhost:5000".into(),
                token_name: "nginx-ci".into(),
                scope_map: "servers-push".into(),
                permissions: message.permissions,
                issue_time: Some(time(1_785_585_600)),
                expire_time: Some(time(1_785_586_500)),
                username: "nginx-ci".into(),
                password: "dps_canary".into(),
                bearer_token,
                reused: false,
            }),
        }))
    }

    async fn check_access(
        &self,
        _: Request<CheckAccessRequest>,
    ) -> Result<Response<CheckAccessResponse>, Status> {
        Err(Status::unimplemented("the program does not ask this"))
    }

    async fn revoke_access_token(
        &self,
        request: Request<RevokeAccessTokenRequest>,
    ) -> Result<Response<RevokeAccessTokenResponse>, Status> {
        authorize(&request)?;
        if request.get_ref().access_token_id == DECISION {
            return Ok(Response::new(RevokeAccessTokenResponse {
                expire_time: Some(time(1_785_586_500)),
            }));
        }
        Err(refusal(Code::FailedPrecondition, "NOT_REVOCABLE"))
    }
}
