//! Serves a router over HTTP/1.1, with a limit on everything that a caller can draw out.

use std::convert::Infallible;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::http::Request;
use futures_util::{FutureExt, StreamExt};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service;

use super::{Connection, Listener, Placed};

/// The limits on an HTTP connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct HttpLimits {
    /// How long the head of a request may take to arrive; a connection that idles for as long is closed.
    pub head: Duration,
    /// The age at which a connection is closed after the request that it works on.
    pub age: Duration,
    /// How long that request may still take, and every request after the shutdown began.
    pub drain: Duration,
}

impl Default for HttpLimits {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { head: seconds(30), age: seconds(300), drain: seconds(30) }
    }
}

/// The largest head of a request: an identity token of 16 KiB in base64, and a query with a hundred scopes.
const MAX_HEAD: usize = 64 << 10;

/// The most header fields of a request.
const MAX_FIELDS: usize = 64;

/// How long a connection that has asked nothing yet may still do so after the shutdown began: its request may be on
/// its way, and a client does not repeat one that a new connection lost.
const FIRST_REQUEST: Duration = Duration::from_secs(1);

/// Serves the router until `shutdown` ends; then accepts no more, finishes what was begun within
/// [`HttpLimits::drain`], and returns. Each request carries a [`super::PeerAddress`] as extension.
pub async fn serve_http(
    listener: Listener,
    router: Router,
    limits: HttpLimits,
    shutdown: impl Future<Output = ()> + Send,
) {
    let stopping = CancellationToken::new();
    let connections = TaskTracker::new();
    let stop = stopping.clone();
    let shutdown = shutdown.map(move |()| stop.cancel());
    let mut incoming = pin!(listener.incoming(shutdown));
    while let Some(Ok(connection)) = incoming.next().await {
        let core = connection.runtime();
        connections.spawn_on(serve(connection, router.clone(), limits, stopping.clone()), &core);
    }
    connections.close();
    connections.wait().await;
}

async fn serve(
    connection: Connection,
    router: Router,
    limits: HttpLimits,
    stopping: CancellationToken,
) {
    let peer = connection.peer();
    let asked = CancellationToken::new();
    let asks = asked.clone();
    let service = service_fn(move |mut request: Request<Incoming>| {
        asks.cancel();
        request.extensions_mut().insert(peer);
        answer(router.clone(), request)
    });
    let mut served = pin!(builder(limits).serve_connection(TokioIo::new(connection), service));
    tokio::select! {
        result = &mut served => return ended(result),
        () = stopping.cancelled() => {}
        () = tokio::time::sleep(limits.age) => {}
    }
    tokio::select! {
        result = &mut served => return ended(result),
        () = asked.cancelled() => {}
        () = tokio::time::sleep(FIRST_REQUEST.min(limits.drain)) => {}
    }
    served.as_mut().graceful_shutdown();
    // what still hangs after that is dropped: nobody reads the answer
    if let Ok(result) = tokio::time::timeout(limits.drain, served).await {
        ended(result);
    }
}

fn builder(limits: HttpLimits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(MAX_HEAD)
        .max_headers(MAX_FIELDS);
    builder
}

/// A router is always ready, so `poll_ready` is not called.
async fn answer(
    mut router: Router,
    request: Request<Incoming>,
) -> Result<axum::response::Response, Infallible> {
    router.call(request).await
}

/// Callers that hang up or write nonsense are no fault of ours.
fn ended(result: hyper::Result<()>) {
    if let Err(error) = result {
        tracing::debug!(%error, "HTTP connection ended");
    }
}
