//! gRPC calls by bare HTTP/2. A connection is one caller's, as with real clients. h2 keeps no `authorization` in the table of HPACK, as some
//! other clients do: the server decodes it with each call.

use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use axum::http::{HeaderMap, HeaderValue, Request, Response, Uri};
use bytes::{BufMut, Bytes, BytesMut};
use h2::client::SendRequest;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;

use super::counts::Answer;
use super::job::{Expected, Protocol};
use super::{Shared, connect};

type Lanes = JoinSet<anyhow::Result<()>>;

/// One connection, and what is asked on it.
#[derive(Clone)]
struct Caller {
    connection: usize,
    client: SendRequest<Bytes>,
    prepared: Arc<Prepared>,
    shared: Arc<Shared>,
}

/// What is needed for each request, made once.
struct Prepared {
    uri: Uri,
    message: Bytes,
    authorizations: Vec<HeaderValue>,
    expected: Expected,
}

/// Opens the connections, and starts what asks on them.
pub(super) async fn open(shared: &Arc<Shared>, lanes: &mut Lanes) -> anyhow::Result<()> {
    let prepared = Arc::new(prepare(shared)?);
    let connector = connect::connector(&shared.job)?;
    for connection in 0..shared.job.lanes.connections {
        let stream = connect::tcp(&shared.job).await?;
        let client = match &connector {
            None => handshake(stream, lanes).await?,
            Some(connector) => handshake(connect::tls(connector, stream).await?, lanes).await?,
        };
        let (prepared, shared) = (Arc::clone(&prepared), Arc::clone(shared));
        let caller = Caller { connection, client, prepared, shared };
        for _ in 0..caller.shared.job.lanes.streams {
            lanes.spawn(caller.clone().lane());
        }
    }
    Ok(())
}

async fn handshake<IO>(stream: IO, lanes: &mut Lanes) -> anyhow::Result<SendRequest<Bytes>>
where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (client, connection) = h2::client::Builder::new()
        .initial_window_size(1 << 20)
        .initial_connection_window_size(1 << 24)
        .handshake(stream)
        .await?;
    // ends when the last lane lets go of its client
    lanes.spawn(async move { Ok(connection.await?) });
    Ok(client)
}

fn prepare(shared: &Shared) -> anyhow::Result<Prepared> {
    let Protocol::Grpc { path, message, expected } = &shared.job.protocol else {
        anyhow::bail!("not gRPC");
    };
    let mut framed = BytesMut::with_capacity(message.len() + 5);
    framed.put_u8(0);
    framed.put_u32(u32::try_from(message.len())?);
    framed.put_slice(message);
    let scheme = if shared.job.certificate.is_some() { "https" } else { "http" };
    let values = shared.job.authorizations.iter().map(|value| HeaderValue::from_str(value));
    Ok(Prepared {
        uri: format!("{scheme}://localhost:{}{path}", shared.job.target.port()).parse()?,
        message: framed.freeze(),
        authorizations: values.collect::<Result<_, _>>()?,
        expected: expected.clone(),
    })
}

impl Caller {
    /// One request after another.
    async fn lane(mut self) -> anyhow::Result<()> {
        while let Some(caller) = self.shared.next_caller(self.connection) {
            self.ask(caller).await?;
        }
        Ok(())
    }

    async fn ask(&mut self, caller: usize) -> anyhow::Result<()> {
        let request = self.prepared.request(caller)?;
        let begun = Instant::now();
        std::future::poll_fn(|context| self.client.poll_ready(context)).await?;
        let (response, mut body) = self.client.send_request(request, false)?;
        body.send_data(self.prepared.message.clone(), true)?;
        let status = status(response.await?).await?;
        let answer = self.prepared.expected.judge(&status)?;
        let pause = answer.pause();
        self.shared.answered(begun, answer);
        if let Some(pause) = pause {
            self.shared.pause(pause).await;
        }
        Ok(())
    }
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

impl Expected {
    /// `end` has the status: trailers, or the headers when there is nothing else.
    fn judge(&self, end: &HeaderMap) -> anyhow::Result<Answer> {
        let status = end.get("grpc-status").context("no grpc-status")?.to_str()?;
        if status == self.status {
            return Ok(Answer::Expected);
        }
        let refused = self.refusal.as_ref().is_some_and(|refusal| refusal == status);
        match tonic::Status::from_header_map(end).filter(|_| refused) {
            Some(status) => Ok(Answer::Refused(status)),
            None => Ok(Answer::Wrong(format!("grpc-status {status}"))),
        }
    }
}

/// Reads a response to its end, and returns where its status stands.
async fn status(response: Response<h2::RecvStream>) -> anyhow::Result<HeaderMap> {
    let (head, mut body) = response.into_parts();
    while let Some(chunk) = body.data().await {
        let length = chunk?.len();
        body.flow_control().release_capacity(length)?;
    }
    Ok(body.trailers().await?.unwrap_or(head.headers))
}
