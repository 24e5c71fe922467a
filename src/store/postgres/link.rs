//! The connections to the database, and the threads that serve them.
//!
//! sqlx's own pool is not used for them: it keeps on trying where a caller wants to hear at once that nobody listens, and it greets each connection
//! that comes back, for which a frozen server keeps it waiting without end.

use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use sqlx::postgres::PgConnection;
use sqlx::{ConnectOptions, Executor};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::address::Address;
use super::error::Problem;
use crate::store::Error;

/// How long it may take to connect, and to wait for a connection that others use.
const CONNECT: Duration = Duration::from_secs(5);
/// How long an answer of little work may take.
pub(super) const SHORT: Duration = Duration::from_secs(5);
/// How long an answer may take that grows with what is stored.
pub(super) const LONG: Duration = Duration::from_mins(1);

/// What each connection is set to. A commit is durable when it returns (promise 1), each statement sees what was committed before it (promise 4),
/// and the server soon gives up what a client that is gone or frozen began (not every system can look whether a client is gone).
const SESSION: &str = "SET client_min_messages = 'warning'; SET statement_timeout = '60s'; \
    SET lock_timeout = '3s'; SET idle_in_transaction_session_timeout = '5s'; \
    SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3; \
    SET default_transaction_isolation = 'read committed'; \
    DO $$ BEGIN SET client_connection_check_interval = '2s'; EXCEPTION WHEN OTHERS THEN NULL; END $$; \
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') IN ('off', 'local')";

/// What is done with a connection.
pub(super) type Work<'c, T> = BoxFuture<'c, Result<T, Problem>>;

/// The connections of one store.
pub(super) struct Link {
    address: Address,
    /// `None` only while it is dropped.
    runtime: Option<Runtime>,
    handle: Handle,
    idle: Mutex<Vec<PgConnection>>,
    permits: Semaphore,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Link {
    /// At most so many connections to an address; none is made yet.
    pub(super) fn new(address: Address, connections: u32) -> Result<Self, Error> {
        // the threads are the store's own: who calls it may block, or have a runtime that ends earlier
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("store-postgres")
            .enable_all()
            .build()
            .map_err(|error| Error::Unavailable(format!("no threads for it: {error}")))?;
        let permits = usize::try_from(connections.max(1)).unwrap_or(1);
        Ok(Self {
            address,
            handle: runtime.handle().clone(),
            runtime: Some(runtime),
            idle: Mutex::new(Vec::new()),
            permits: Semaphore::new(permits.min(Semaphore::MAX_PERMITS)),
        })
    }

    pub(super) const fn address(&self) -> &Address {
        &self.address
    }

    pub(super) const fn handle(&self) -> &Handle {
        &self.handle
    }

    /// A new connection for whoever keeps it.
    pub(super) async fn connect(&self) -> Result<PgConnection, Problem> {
        let connect = async {
            let mut connection = self.address.options.connect().await?;
            connection.execute(sqlx::raw_sql(SESSION)).await?;
            Ok(connection)
        };
        timeout(CONNECT, connect).await.unwrap_or_else(|_| Err(Problem::Hangs))
    }

    /// Runs `work` on the store's threads; it is finished also when the caller does not wait for it.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        self.handle.spawn(work).await.unwrap_or_else(|error| {
            Err(Error::Unavailable(format!("its work ended early: {error}")))
        })
    }

    /// Runs `work` and waits for it on this thread, whatever else the thread is for.
    pub(super) fn wait<T: Send>(
        &self,
        work: impl Future<Output = Result<T, Error>> + Send,
    ) -> Result<T, Error> {
        if Handle::try_current().is_err() {
            return self.handle.block_on(work);
        }
        // a thread that drives tasks cannot drive another runtime
        thread::scope(|scope| {
            let ended = scope.spawn(|| self.handle.block_on(work)).join();
            ended.unwrap_or_else(|_| Err(Error::Unavailable("its thread panicked".to_owned())))
        })
    }

    /// Does with one of the connections what may be done twice: once more with a new one, when an idle one turns out to be dead.
    pub(super) async fn with<T: Send>(
        &self,
        patience: Duration,
        work: impl for<'c> Fn(&'c mut PgConnection) -> Work<'c, T> + Send + Sync,
    ) -> Result<T, Error> {
        let permit = timeout(CONNECT, self.permits.acquire()).await;
        let Ok(Ok(_permit)) = permit else {
            return Err(Error::Unavailable("all its connections are busy".to_owned()));
        };
        let idle = self.idle.lock().pop();
        if let Some(connection) = idle {
            match self.attempt(connection, patience, &work).await {
                Err(Problem::Lost(_)) => {}
                result => return Ok(result?),
            }
        }
        let connection = self.connect().await?;
        Ok(self.attempt(connection, patience, &work).await?)
    }

    async fn attempt<T: Send>(
        &self,
        mut connection: PgConnection,
        patience: Duration,
        work: &(impl for<'c> Fn(&'c mut PgConnection) -> Work<'c, T> + Sync),
    ) -> Result<T, Problem> {
        let result = timeout(patience, work(&mut connection)).await;
        let result = result.unwrap_or_else(|_| Err(Problem::Hangs));
        if result.as_ref().is_err_and(Problem::is_lost) {
            // the others have most likely shared its fate
            self.idle.lock().clear();
        } else {
            self.idle.lock().push(connection);
        }
        result
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.idle.lock().clear();
        if let Some(runtime) = self.runtime.take() {
            // it may be dropped by a task, which must not wait
            runtime.shutdown_background();
        }
    }
}

/// A store's connections, shared.
pub(super) type Shared = Arc<Link>;
