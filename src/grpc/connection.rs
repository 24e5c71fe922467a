//! Connections: HTTP/2 with limits on everything that a peer could make grow (guarantees.md, H3).
//!
//! Not tonic's own server, for two of its habits: it answers CANCELLED by itself when a call's `grpc-timeout` is over,
//! before the broker's answer with its decision id can be sent; and it waits for ever for a peer that never says hello.

use std::any::Any;
use std::convert::Infallible;
use std::fmt::Display;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use hyper::body::Incoming;
use hyper::rt::Executor;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::codegen::http::{Request, Response};
use tonic::transport::server::Connected;

use super::call::peer;
use super::intake::Arrivals;
use super::presented::LastBearer;
use super::reply::Reply;
use crate::broker::{LocalUser, Peer};
use crate::listen::Placed;

/// Requests at once on one connection.
const MAX_STREAMS: u32 = 256;
/// All headers of one request; an `authorization` of 16 KiB fits, so that its refusal is ours.
const MAX_HEADERS: u32 = 32 * 1024;
/// Streams that a peer opened and reset before they were looked at (rapid reset, CVE-2023-44487).
const MAX_PENDING_RESETS: usize = 20;
/// Streams that we reset because the peer broke the protocol.
const MAX_ERROR_RESETS: usize = 100;
/// What may be under way to us, per request and per connection: a message has at most 64 KiB. What [`Arrivals`] does not let
/// in yet waits here, and at the peer.
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;
/// A peer is asked for a sign of life this often, and has this long to give it.
const PING_EVERY: Duration = Duration::from_secs(30);
const PING_WITHIN: Duration = Duration::from_secs(10);
/// A peer that has not even sent its preface is given this long when its connection closes.
const HANDSHAKE_GRACE: Duration = Duration::from_secs(1);

/// What connections may cost when nothing is asked on them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// The first request, with the TLS and HTTP/2 handshakes before it, comes within this time.
    first_request: Duration,
    /// A connection without a new request for this long is closed; a channel of gRPC opens another when it needs one.
    idle: Duration,
    /// What is still asked on a connection that is to close may take this long: longer than the broker's own deadline.
    drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            first_request: Duration::from_secs(30),
            idle: Duration::from_mins(5),
            drain: Duration::from_secs(30),
        }
    }
}

/// Answers the requests of connections.
pub(super) trait Answers: Clone + Send + Sync + 'static {
    fn answer(
        &self,
        request: Request<Incoming>,
        caller: &Caller,
    ) -> impl Future<Output = Response<Reply>> + Send;
}

/// Who asks on a connection.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) peer: Peer,
    /// Of a Unix socket: the user who connected.
    pub(super) local_user: Option<LocalUser>,
    pub(super) arrivals: Arrivals,
    pub(super) last_bearer: LastBearer,
    activity: Activity,
}

/// Serves each connection of `incoming` on a task of its own, until `shutdown`; returns when all have ended.
pub(super) async fn serve<A, I, IO, E>(
    answers: &A,
    limits: Limits,
    incoming: I,
    shutdown: impl Future<Output = ()>,
) where
    A: Answers,
    I: Stream<Item = Result<IO, E>>,
    IO: AsyncRead + AsyncWrite + Connected + Placed + Unpin + Send + 'static,
    E: Display,
{
    let server = Server {
        answers: answers.clone(),
        limits,
        tasks: TaskTracker::new(),
        closing: CancellationToken::new(),
    };
    accept(incoming, shutdown, |io| {
        let core = io.runtime();
        server.tasks.spawn_on(server.clone().connection(io), &core);
    })
    .await;
    server.closing.cancel();
    server.tasks.close();
    server.tasks.wait().await;
}

/// Hands each connection on; those that failed (a TLS handshake, say) are only logged.
async fn accept<IO, E: Display>(
    incoming: impl Stream<Item = Result<IO, E>>,
    shutdown: impl Future<Output = ()>,
    mut open: impl FnMut(IO),
) {
    let mut incoming = pin!(incoming.take_until(shutdown));
    while let Some(accepted) = incoming.next().await {
        match accepted {
            Ok(io) => open(io),
            Err(error) => tracing::debug!(%error, "a connection failed before its first request"),
        }
    }
}

/// What every connection shares.
#[derive(Clone)]
struct Server<A> {
    answers: A,
    limits: Limits,
    tasks: TaskTracker,
    closing: CancellationToken,
}

impl<A: Answers> Server<A> {
    /// One connection, from its preface to its end.
    async fn connection<IO>(self, io: IO)
    where
        IO: AsyncRead + AsyncWrite + Connected + Placed + Unpin + Send + 'static,
    {
        let connect_info = io.connect_info();
        let caller = Arc::new(Caller {
            peer: peer(&connect_info),
            local_user: (&connect_info as &dyn Any).downcast_ref::<LocalUser>().cloned(),
            arrivals: Arrivals::default(),
            last_bearer: LastBearer::default(),
            activity: Activity::default(),
        });
        let (asking, answers) = (Arc::clone(&caller), Arc::new(self.answers));
        let service = service_fn(move |request| {
            asking.activity.count();
            let (asking, answers) = (Arc::clone(&asking), Arc::clone(&answers));
            // boxed: hyper and tokio move what they are given several times
            Box::pin(async move { Ok::<_, Infallible>(answers.answer(request, &asking).await) })
        });
        let activity = &caller.activity;
        let mut served = pin!(builder(self.tasks).serve_connection(TokioIo::new(io), service));
        tokio::select! {
            ended = &mut served => return log_end(ended),
            () = self.closing.cancelled() => {}
            () = activity.ceased(self.limits) => {}
        }
        served.as_mut().graceful_shutdown();
        // before the handshake there is nothing to finish, and hyper would wait for it
        let within = if activity.any() { self.limits.drain } else { HANDSHAKE_GRACE };
        // a stream that its peer never ends, or whose answer it never reads, would keep the connection for ever
        if let Ok(ended) = tokio::time::timeout(within, served).await {
            log_end(ended);
        } else {
            tracing::debug!("a connection was cut off: it did not end when asked to");
        }
    }
}

fn builder(tasks: TaskTracker) -> http2::Builder<Tracked> {
    let mut builder = http2::Builder::new(Tracked(tasks));
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEADERS)
        .max_pending_accept_reset_streams(MAX_PENDING_RESETS)
        .max_local_error_reset_streams(MAX_ERROR_RESETS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_WITHIN);
    builder
}

fn log_end(ended: hyper::Result<()>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended in an error");
    }
}

/// Counts the requests of a connection.
#[derive(Debug, Default)]
struct Activity(AtomicU64);

impl Activity {
    fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn any(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }

    /// Waits until no new request has come for a while.
    async fn ceased(&self, limits: Limits) {
        tokio::time::sleep(limits.first_request).await;
        let mut seen = 0;
        loop {
            let now = self.0.load(Ordering::Relaxed);
            if now == seen {
                return;
            }
            seen = now;
            tokio::time::sleep(limits.idle).await;
        }
    }
}

/// Runs the requests of a connection where shutdown waits for them.
#[derive(Clone)]
struct Tracked(TaskTracker);

impl<F> Executor<F> for Tracked
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, request: F) {
        self.0.spawn(request);
    }
}

#[cfg(test)]
mod tests;
