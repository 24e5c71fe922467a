//! An emulated SPIFFE agent on a unix socket and on a loopback port.

use tokio::net::{TcpListener, UnixListener};
use tokio_util::task::TaskTracker;
use tonic::codegen::tokio_stream::wrappers::{TcpListenerStream, UnixListenerStream};
use tonic::transport::Server;
use tonic::{Request, Response, Status};

use super::*;
use crate::pb::spiffe::spiffe_workload_api_server::{SpiffeWorkloadApi, SpiffeWorkloadApiServer};
use crate::pb::spiffe::{Jwtsvid, JwtsvidRequest, JwtsvidResponse};

/// Answers as an agent does; it knows the workload when `svid` is there.
struct Agent {
    svid: Option<&'static str>,
}

#[tonic::async_trait]
impl SpiffeWorkloadApi for Agent {
    async fn fetch_jwtsvid(
        &self,
        request: Request<JwtsvidRequest>,
    ) -> Result<Response<JwtsvidResponse>, Status> {
        if request.metadata().get("workload.spiffe.io").is_none_or(|value| value != "true") {
            return Err(Status::invalid_argument("security header missing from request"));
        }
        if request.get_ref().audience.is_empty() {
            return Err(Status::invalid_argument("audience must be specified"));
        }
        let svid = self.svid.ok_or_else(|| Status::permission_denied("no identity issued"))?;
        let audience = request.get_ref().audience.join("+");
        Ok(Response::new(JwtsvidResponse {
            svids: vec![Jwtsvid {
                spiffe_id: "spiffe://example.org/ci".into(),
                svid: format!("{svid}-for-{audience}"),
                hint: String::new(),
            }],
        }))
    }
}

/// Starts an agent; returns its socket as the variable names it.
fn agent(folder: &Path, svid: Option<&'static str>) -> String {
    let path = folder.join("agent.sock");
    let incoming = UnixListenerStream::new(UnixListener::bind(&path).unwrap());
    let server = Server::builder().add_service(SpiffeWorkloadApiServer::new(Agent { svid }));
    TaskTracker::new().spawn(server.serve_with_incoming(incoming));
    format!("unix://{}", path.display())
}

async fn ask(socket: &str) -> Result<Secret, String> {
    let environment = environment(&[("SPIFFE_ENDPOINT_SOCKET", socket)]);
    sources(&environment).detect().await.map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_workload_gets_a_jwt_svid_with_the_brokers_audience() {
    let folder = tempfile::tempdir().unwrap();
    let socket = agent(folder.path(), Some("svid"));
    assert_eq!(ask(&socket).await.unwrap().expose(), "svid-for-https://broker.example.com");
}

#[tokio::test]
async fn the_agent_may_listen_on_a_loopback_port() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let agent = SpiffeWorkloadApiServer::new(Agent { svid: Some("svid") });
    let incoming = TcpListenerStream::new(listener);
    TaskTracker::new().spawn(Server::builder().add_service(agent).serve_with_incoming(incoming));
    assert!(ask(&format!("tcp://{address}")).await.is_ok());
}

#[tokio::test]
async fn an_agent_that_does_not_know_the_workload_or_is_not_there_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let error = ask(&agent(folder.path(), None)).await.unwrap_err();
    assert!(error.contains("register it"), "{error}");
    let error = ask("unix:///nonexistent/agent.sock").await.unwrap_err();
    assert!(error.contains("does not answer"), "{error}");
}

#[tokio::test]
async fn d7_an_agent_is_on_this_machine() {
    for socket in
        ["tcp://10.0.0.1:80", "tcp://localhost:1", "http://127.0.0.1:1", "unix:relative", "/x"]
    {
        let error = ask(socket).await.unwrap_err();
        assert!(error.contains("it must be unix:///path"), "{socket}: {error}");
    }
}

#[test]
fn a_jwt_svid_does_not_print() {
    let svid = Jwtsvid { svid: "canary".into(), ..Jwtsvid::default() };
    let answer = JwtsvidResponse { svids: vec![svid] };
    assert!(!format!("{answer:?}").contains("canary"));
}
