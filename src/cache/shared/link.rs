//! The one way to Redis: there while it answers, away while it does not.

use std::fmt;
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwapOption;
use redis::{Cmd, ErrorKind, FromRedisValue, RedisError, ServerErrorKind};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::breaker::{Answer, Breaker};
use super::target::Connection;
use crate::telemetry::metrics::{self, CacheQuestion};

/// The one way to Redis. While it is away nobody asks; the keeper alone tries to find it again.
#[derive(Default)]
pub(super) struct Link {
    line: ArcSwapOption<Line>,
    fallen: Notify,
}

/// One connection, and how it did so far.
pub(super) struct Line {
    connection: Connection,
    breaker: Breaker,
    /// Why it fell.
    trouble: OnceLock<Trouble>,
}

/// Why there is no answer. What Redis itself said is not kept: it may repeat what it was sent, such as a password.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(super) enum Trouble {
    /// Nobody asks at the moment.
    #[error("Redis is away")]
    Away,
    /// The login, or the right to a command, was refused.
    #[error(
        "Redis refuses the login, or a command that dockpass needs (GETRANGE, SET, EVAL, EVALSHA)"
    )]
    Forbidden,
    /// The answer did not come in time.
    #[error("Redis does not answer in time")]
    Late,
    /// The connection cannot be made, or broke.
    #[error("Redis cannot be reached")]
    Lost,
    /// It is another kind of Redis than the URL says, it is starting, or it lost its leader.
    #[error("Redis is not ready to serve this")]
    Unfit,
    /// What stands there is of another type.
    #[error("a key on Redis has another type")]
    WrongType,
    /// It refuses this command now, such as a write when its memory is full.
    #[error("Redis refuses what it is asked")]
    Refused,
    /// A script is not known to it yet.
    #[error("Redis does not know the script")]
    UnknownScript,
}

impl Link {
    /// True while Redis answers.
    pub(super) fn is_up(&self) -> bool {
        self.line.load().is_some()
    }

    /// From now on all ask over this connection.
    pub(super) fn rise(&self, line: &Arc<Line>) {
        self.line.store(Some(Arc::clone(line)));
        metrics::cache_redis_up(true);
    }

    /// True while all ask over this connection.
    pub(super) fn holds(&self, line: &Arc<Line>) -> bool {
        self.line.load().as_ref().is_some_and(|current| Arc::ptr_eq(current, line))
    }

    /// Waits until nobody asks over a connection any more; may end before.
    pub(super) async fn fallen(&self) {
        self.fallen.notified().await;
    }

    /// Asks, and waits for the answer until `by`.
    pub(super) async fn ask<T: FromRedisValue>(
        &self,
        question: CacheQuestion,
        command: &Cmd,
        by: Instant,
    ) -> Result<T, Trouble> {
        let line = self.line.load_full().ok_or(Trouble::Away)?;
        let asked = Instant::now();
        let answer = line.ask(command, by).await;
        metrics::cache_asked(question, asked.elapsed());
        if let Err(trouble) = &answer {
            metrics::cache_trouble(trouble.word());
        }
        let trouble = answer.as_ref().err().copied().filter(|trouble| trouble.counts());
        let answered = if trouble.is_some() { Answer::Missing } else { Answer::InTime };
        let enough = line.breaker.note(answered) || trouble == Some(Trouble::Lost);
        if let Some(trouble) = trouble.filter(|_| enough) {
            self.fall(&line, trouble);
        }
        answer
    }

    /// Nobody asks over this connection any more.
    fn fall(&self, line: &Arc<Line>, trouble: Trouble) {
        line.trouble.get_or_init(|| trouble);
        let before = self.line.compare_and_swap(line, None);
        if before.as_ref().is_some_and(|before| Arc::ptr_eq(before, line)) {
            metrics::cache_redis_up(false);
            self.fallen.notify_one();
        }
    }
}

impl Line {
    pub(super) fn new(connection: Connection) -> Arc<Self> {
        Arc::new(Self { connection, breaker: Breaker::default(), trouble: OnceLock::new() })
    }

    /// Why nobody asks over it any more.
    pub(super) fn trouble(&self) -> Trouble {
        self.trouble.get().copied().unwrap_or(Trouble::Lost)
    }

    /// Asks, and waits for the answer until `by`; how it ends is not noted.
    pub(super) async fn ask<T: FromRedisValue>(
        &self,
        command: &Cmd,
        by: Instant,
    ) -> Result<T, Trouble> {
        let mut connection = self.connection.clone();
        match timeout_at(by, command.query_async(&mut connection)).await {
            Ok(answer) => answer.map_err(|error| Trouble::of(&error)),
            Err(_) => Err(Trouble::Late),
        }
    }
}

impl Trouble {
    /// What an error of the library comes to.
    pub(super) fn of(error: &RedisError) -> Self {
        if error.is_timeout() {
            return Self::Late;
        }
        match error.kind() {
            ErrorKind::AuthenticationFailed | ErrorKind::Server(ServerErrorKind::NoPerm) => {
                Self::Forbidden
            }
            ErrorKind::Server(ServerErrorKind::NoScript) => Self::UnknownScript,
            ErrorKind::Server(
                ServerErrorKind::BusyLoading
                | ServerErrorKind::Moved
                | ServerErrorKind::Ask
                | ServerErrorKind::TryAgain
                | ServerErrorKind::ClusterDown
                | ServerErrorKind::MasterDown
                | ServerErrorKind::ReadOnly,
            ) => Self::Unfit,
            ErrorKind::Server(_) | ErrorKind::UnexpectedReturnType => Self::Refused,
            ErrorKind::Extension => match error.code() {
                Some("WRONGTYPE") => Self::WrongType,
                Some("NOAUTH" | "WRONGPASS") => Self::Forbidden,
                _ => Self::Refused,
            },
            _ => Self::Lost,
        }
    }

    /// True when it speaks against asking again soon; a mere refusal comes at once and costs nobody anything.
    const fn counts(self) -> bool {
        match self {
            Self::Forbidden | Self::Late | Self::Lost | Self::Unfit => true,
            Self::Away | Self::WrongType | Self::Refused | Self::UnknownScript => false,
        }
    }

    /// The word in labels.
    const fn word(self) -> &'static str {
        match self {
            Self::Away => "away",
            Self::Forbidden => "forbidden",
            Self::Late => "late",
            Self::Lost => "lost",
            Self::Unfit => "unfit",
            Self::WrongType => "wrong_type",
            Self::Refused => "refused",
            Self::UnknownScript => "unknown_script",
        }
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("is_up", &self.is_up()).finish()
    }
}
