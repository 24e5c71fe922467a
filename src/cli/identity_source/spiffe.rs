//! The SPIFFE Workload API: a local agent that hands out JWT-SVIDs over a unix socket or a loopback port.

use std::net::SocketAddr;
use std::time::Duration;

use tonic::transport::Endpoint;
use tonic::{Code, Request, Status};

use super::{Attempt, Sources};
use crate::model::Secret;
use crate::pb::spiffe::JwtsvidRequest;
use crate::pb::spiffe::spiffe_workload_api_client::SpiffeWorkloadApiClient;

const SOCKET: &str = "SPIFFE_ENDPOINT_SOCKET";
const TIMEOUT: Duration = Duration::from_secs(10);

/// A JWT-SVID with the broker's audience.
pub(super) async fn token(sources: &Sources<'_>) -> Result<Attempt, String> {
    let Some(socket) = sources.environment.value(SOCKET) else {
        return Ok(Attempt::Absent("SPIFFE_ENDPOINT_SOCKET is not set"));
    };
    let channel = endpoint(socket)?
        .connect_timeout(TIMEOUT)
        .timeout(TIMEOUT)
        .connect()
        .await
        .map_err(|_| format!("the agent at `{socket}` does not answer: is it running?"))?;
    let mut request = Request::new(JwtsvidRequest {
        audience: vec![sources.audience.to_owned()],
        spiffe_id: String::new(),
    });
    // SPIFFE Workload Endpoint, 3.3: the agent refuses calls without it, so that no browser or proxy can be tricked into one
    request
        .metadata_mut()
        .insert("workload.spiffe.io", tonic::metadata::MetadataValue::from_static("true"));
    let answer = SpiffeWorkloadApiClient::new(channel).fetch_jwtsvid(request).await;
    let svids = answer.map_err(|status| problem(&status))?.into_inner().svids;
    let first = svids.into_iter().next().ok_or("the agent answers no SVID")?;
    Ok(Attempt::Found(Secret::new(first.svid)))
}

/// `unix:///path` or `tcp://IP:port`, as SPIFFE Workload Endpoint, 4 says; the port is of this machine.
fn endpoint(socket: &str) -> Result<Endpoint, String> {
    let uri = match (socket.strip_prefix("unix:"), socket.strip_prefix("tcp://")) {
        (Some(path), _) if path.starts_with('/') => socket.to_owned(),
        (_, Some(address)) if address.parse::<SocketAddr>().is_ok_and(|a| a.ip().is_loopback()) => {
            format!("http://{address}")
        }
        _ => {
            return Err(format!(
                "{SOCKET} is `{socket}`: it must be unix:///path or tcp://127.0.0.1:port"
            ));
        }
    };
    Endpoint::from_shared(uri).map_err(|error| format!("{SOCKET} is `{socket}`: {error}"))
}

fn problem(status: &Status) -> String {
    match status.code() {
        Code::PermissionDenied => {
            "the agent knows no identity for this workload: register it, or wait for the agent"
                .to_owned()
        }
        code => format!("the agent answers {code:?}: {}", status.message().escape_debug()),
    }
}
