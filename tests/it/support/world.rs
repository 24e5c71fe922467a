//! Where the stores of the tests are: in files, or, with `DOCKPASS_TEST_WORLD=shared`, on PostgreSQL and Redis. The same tests hold for both.

use std::thread;

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tokio::runtime::Builder;

/// The store and the cache of a site.
pub(crate) enum World {
    /// Of one process, in its folder.
    Embedded,
    /// Of any number of them.
    Shared(Database),
}

impl World {
    /// The one that this run is about.
    pub(crate) async fn of_this_run() -> Self {
        match std::env::var_os("DOCKPASS_TEST_WORLD") {
            None => Self::Embedded,
            Some(world) if world == "shared" => Self::shared().await,
            Some(other) => {
                panic!(
                    "DOCKPASS_TEST_WORLD is `{}`: write `shared`, or leave it away",
                    other.display()
                )
            }
        }
    }

    /// PostgreSQL and Redis, whatever the run is about.
    pub(crate) async fn shared() -> Self {
        Self::Shared(Database::new().await)
    }

    /// The lines of the configuration, which come before its first section.
    pub(crate) fn lines(&self) -> String {
        match self {
            Self::Embedded => String::new(),
            Self::Shared(database) => format!(
                "store.url = \"{}\"\ncache.url = \"{}\"\n",
                database.url(),
                variable("DOCKPASS_TEST_REDIS")
            ),
        }
    }
}

/// A database of a test's own on the server of the run; it is gone when this is dropped.
pub(crate) struct Database {
    name: String,
}

impl Database {
    async fn new() -> Self {
        let name = format!("it_{}", uuid::Uuid::new_v4().simple());
        run(format!("CREATE DATABASE {name}")).await;
        Self { name }
    }

    fn url(&self) -> String {
        let server = variable("DOCKPASS_TEST_POSTGRES");
        let (server, parameters) = server.split_once('?').unwrap_or((&server, ""));
        let (server, _) = server.rsplit_once('/').unwrap();
        format!("{server}/{}?{parameters}", self.name)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        // a runtime cannot be made inside of another
        let dropped = thread::spawn(move || {
            Builder::new_current_thread().enable_all().build().unwrap().block_on(run(drop));
        });
        assert!(dropped.join().is_ok() || thread::panicking(), "the database is left");
    }
}

async fn run(statement: String) {
    let mut server = PgConnection::connect(&variable("DOCKPASS_TEST_POSTGRES")).await.unwrap();
    server.execute(sqlx::query(AssertSqlSafe(statement))).await.unwrap();
}

fn variable(name: &str) -> String {
    let value = std::env::var_os(name).and_then(|value| value.into_string().ok());
    value.unwrap_or_else(|| panic!("{name} is not set: run these by `tests/run`"))
}
