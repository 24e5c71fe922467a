//! A caller that follows the conventions of gRPC, as the libraries of other languages do by themselves:
//!
//! - it goes round the replicas that accept connections (`round_robin`);
//! - what a replica did not look at, because it was about to go (GOAWAY, a refused stream or connection), is sent to another one;
//! - what was answered with `UNAVAILABLE`, or lost with its connection, is tried once more, after the time that the answer asks for.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// The deadline of a request, with everything that is tried.
const DEADLINE: Duration = Duration::from_secs(20);
/// A replica of this machine accepts a connection within this time, or is not there.
const CONNECT: Duration = Duration::from_secs(1);
/// How long nobody is there before all are asked again.
const PAUSE: Duration = Duration::from_millis(20);

/// A request that failed for good.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    /// The reason of the answer; else what happened to the connection.
    pub(crate) reason: String,
    /// The code of the answer; `None` when there was none.
    pub(crate) code: Option<Code>,
    /// When to try again, as the answer says.
    pub(crate) retry_after: Option<Duration>,
}

/// What a request came to.
#[derive(Debug)]
pub(crate) struct Outcome<T> {
    pub(crate) result: Result<T, Failure>,
    /// It took a second attempt.
    pub(crate) retried: bool,
}

/// A caller with a connection to each replica.
pub(crate) struct Caller {
    replicas: Arc<[Endpoint]>,
    connections: Vec<Option<Channel>>,
    next: usize,
}

impl Caller {
    /// A caller of the replicas at these URLs, who starts with the one at `first`.
    pub(crate) fn of(urls: &[String], first: usize) -> Self {
        let endpoint = |url: &String| {
            Endpoint::from_shared(url.clone()).unwrap().connect_timeout(CONNECT).timeout(DEADLINE)
        };
        let replicas: Arc<[_]> = urls.iter().map(endpoint).collect();
        Self { connections: vec![None; replicas.len()], replicas, next: first }
    }

    /// Asks a replica; `ask` may be called more than once, each time with a connection to another one.
    pub(crate) async fn call<T, F>(&mut self, mut ask: impl FnMut(Channel) -> F) -> Outcome<T>
    where
        F: Future<Output = Result<T, Status>>,
    {
        let until = Instant::now() + DEADLINE;
        let mut retried = false;
        loop {
            let Some((replica, channel)) = self.ready(until).await else {
                let failure =
                    Failure { reason: "NO_REPLICA".to_owned(), code: None, retry_after: None };
                return Outcome { result: Err(failure), retried };
            };
            let status = match ask(channel).await {
                Ok(answer) => return Outcome { result: Ok(answer), retried },
                Err(status) => status,
            };
            let ended = Ended::of(&status);
            if !matches!(ended, Ended::Answered) {
                self.connections[replica] = None;
            }
            match ended {
                Ended::NotSent if Instant::now() < until => {}
                Ended::Lost if !retried => retried = true,
                Ended::Answered if !retried && status.code() == Code::Unavailable => {
                    retried = true;
                    let details = status.get_error_details();
                    let pause = details.retry_info().and_then(|info| info.retry_delay);
                    tokio::time::sleep(pause.unwrap_or_default()).await;
                }
                ended => return Outcome { result: Err(Failure::of(ended, &status)), retried },
            }
        }
    }

    /// A connection to the next replica that accepts one.
    async fn ready(&mut self, until: Instant) -> Option<(usize, Channel)> {
        while Instant::now() < until {
            for _ in 0..self.replicas.len() {
                let replica = self.next % self.replicas.len();
                self.next = replica + 1;
                if self.connections[replica].is_none() {
                    self.connections[replica] = self.replicas[replica].connect().await.ok();
                }
                if let Some(channel) = &self.connections[replica] {
                    return Some((replica, channel.clone()));
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
        None
    }
}

/// How an attempt that brought nothing ended.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Ended {
    /// A replica answered.
    Answered,
    /// No replica looked at it.
    NotSent,
    /// Nobody knows how far it came.
    Lost,
    /// There was no answer in time.
    TimedOut,
}

impl Ended {
    fn of(status: &Status) -> Self {
        let mut cause = status.source();
        let mut ended = if cause.is_some() { Self::Lost } else { Self::Answered };
        while let Some(error) = cause {
            if was_not_sent(error) {
                return Self::NotSent;
            }
            if error.is::<tonic::TimeoutExpired>() {
                ended = Self::TimedOut;
            }
            cause = error.source();
        }
        ended
    }
}

/// A connection that is refused, or closed before the request was written; a stream beyond the last one of a GOAWAY; a refused stream.
fn was_not_sent(error: &(dyn Error + 'static)) -> bool {
    if let Some(error) = error.downcast_ref::<io::Error>() {
        return error.kind() == io::ErrorKind::ConnectionRefused;
    }
    if let Some(error) = error.downcast_ref::<h2::Error>() {
        let went_away = error.is_go_away() && error.is_remote();
        return (went_away && error.reason() == Some(h2::Reason::NO_ERROR))
            || error.reason() == Some(h2::Reason::REFUSED_STREAM);
    }
    error.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_canceled)
}

impl Failure {
    /// A connection that ended before the answer.
    pub(super) fn lost() -> Self {
        Self { reason: "CONNECTION_LOST".to_owned(), code: None, retry_after: None }
    }

    /// Whether the next attempt may succeed.
    pub(super) fn is_passing(&self) -> bool {
        self.code.is_none() || self.code == Some(Code::Unavailable)
    }

    fn of(ended: Ended, status: &Status) -> Self {
        let details = status.get_error_details();
        let reason = match ended {
            Ended::Answered => details
                .error_info()
                .map_or_else(|| format!("{:?}", status.code()), |info| info.reason.clone()),
            Ended::NotSent => "REFUSED".to_owned(),
            Ended::Lost => "CONNECTION_LOST".to_owned(),
            Ended::TimedOut => "NO_ANSWER".to_owned(),
        };
        Self {
            reason,
            code: (ended == Ended::Answered).then(|| status.code()),
            retry_after: details.retry_info().and_then(|info| info.retry_delay),
        }
    }
}
