//! gRPC calls by bare HTTP/2. A connection is one caller's, as with real clients: its `authorization` stays in the table of HPACK.

use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use axum::http::{HeaderMap, HeaderValue, Request, Uri};
use bytes::{BufMut, Bytes, BytesMut};
use h2::client::SendRequest;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::generator::Shared;
use crate::job::{Protocol, Supply};

/// What a lane needs for each request, made once.
struct Prepared {
    uri: Uri,
    message: Bytes,
    authorizations: Vec<HeaderValue>,
    expected: String,
}

/// Opens the connections, and starts the lanes on them.
pub(crate) async fn open(
    shared: &Arc<Shared>,
    lanes: &mut JoinSet<anyhow::Result<()>>,
) -> anyhow::Result<()> {
    let prepared = Arc::new(prepare(shared)?);
    for connection_number in 0..shared.job.lanes.connections {
        let stream = TcpStream::connect(shared.job.target).await?;
        stream.set_nodelay(true)?;
        let (client, connection) = h2::client::Builder::new()
            .initial_window_size(1 << 20)
            .initial_connection_window_size(1 << 24)
            .handshake(stream)
            .await?;
        // ends when the last lane lets go of its client
        lanes.spawn(async move { Ok(connection.await?) });
        for _ in 0..shared.job.lanes.streams {
            let caller = Caller { connection: connection_number, client: client.clone() };
            lanes.spawn(lane(caller, Arc::clone(shared), Arc::clone(&prepared)));
        }
    }
    Ok(())
}

fn prepare(shared: &Shared) -> anyhow::Result<Prepared> {
    let Protocol::Grpc { path, message, expected } = &shared.job.protocol else {
        anyhow::bail!("not gRPC");
    };
    let mut framed = BytesMut::with_capacity(message.len() + 5);
    framed.put_u8(0);
    framed.put_u32(u32::try_from(message.len())?);
    framed.put_slice(message);
    let values = shared.job.authorizations.iter().map(|value| HeaderValue::from_str(value));
    Ok(Prepared {
        uri: format!("http://{}{path}", shared.job.target).parse()?,
        message: framed.freeze(),
        authorizations: values.collect::<Result<_, _>>()?,
        expected: expected.clone(),
    })
}

/// Who calls: over which connection, the number of which is that of the caller.
struct Caller {
    connection: usize,
    client: SendRequest<Bytes>,
}

/// One request after another.
async fn lane(
    Caller { connection, mut client }: Caller,
    shared: Arc<Shared>,
    prepared: Arc<Prepared>,
) -> anyhow::Result<()> {
    while let Some(number) = shared.next() {
        let caller = match shared.job.supply {
            Supply::Endless => connection,
            Supply::Once => number,
        };
        let request = prepared.request(caller)?;
        client = client.ready().await?;
        let begun = Instant::now();
        let (response, mut body) = client.send_request(request, false)?;
        body.send_data(prepared.message.clone(), true)?;
        let status = status(response.await?).await?;
        let wrong = (status != prepared.expected).then(|| format!("grpc-status {status}"));
        shared.answered(begun, wrong);
    }
    Ok(())
}

impl Prepared {
    fn request(&self, caller: usize) -> anyhow::Result<Request<()>> {
        let mut request = Request::post(self.uri.clone())
            .header("te", "trailers")
            .header("content-type", "application/grpc");
        let turn = caller.checked_rem(self.authorizations.len());
        if let Some(value) = turn.and_then(|turn| self.authorizations.get(turn)) {
            request = request.header("authorization", value);
        }
        Ok(request.body(())?)
    }
}

/// Reads a response to its end; the status is in its trailers, or in its headers when there is nothing else.
async fn status(response: axum::http::Response<h2::RecvStream>) -> anyhow::Result<String> {
    let (head, mut body) = response.into_parts();
    while let Some(chunk) = body.data().await {
        let length = chunk?.len();
        body.flow_control().release_capacity(length)?;
    }
    let trailers = body.trailers().await?.unwrap_or_default();
    let of = |headers: &HeaderMap| {
        headers.get("grpc-status").and_then(|value| value.to_str().ok()).map(str::to_owned)
    };
    of(&trailers).or_else(|| of(&head.headers)).context("no grpc-status")
}
