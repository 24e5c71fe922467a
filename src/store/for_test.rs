//! Stores for tests, of both engines.

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Executor};
use tempfile::TempDir;

use super::{Config, Store, Url};

/// A store that goes when the test ends.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) store: Store,
    config: Config,
    folder: TempDir,
    /// Last, so that the store has closed its connections.
    database: Option<Database>,
}

impl World {
    /// An embedded one.
    pub(crate) async fn sqlite() -> Self {
        Self::open(Config::default(), None).await
    }

    /// One in a PostgreSQL database of its own.
    pub(crate) async fn postgres() -> Self {
        let database = Database::new();
        let config = Config { url: Url::new(database.url()), ..Config::default() };
        Self::open(config, Some(database)).await
    }

    async fn open(config: Config, database: Option<Database>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&config, folder.path()).await.unwrap();
        Self { store, config, folder, database }
    }

    /// The same store once more, as another process opens it.
    pub(crate) async fn again(&self) -> Store {
        Store::open(&self.config, self.folder.path()).await.unwrap()
    }

    /// True when it is in files.
    pub(crate) const fn is_embedded(&self) -> bool {
        self.database.is_none()
    }

    /// The database; there is one.
    pub(crate) fn database(&self) -> &Database {
        self.database.as_ref().unwrap()
    }
}

/// A database that is dropped with this.
#[derive(Debug)]
pub(crate) struct Database {
    name: String,
}

impl Database {
    /// A new one.
    pub(crate) fn new() -> Self {
        let name = format!("dockpass_{}", uuid::Uuid::new_v4().simple());
        execute(server(), format!("CREATE DATABASE {name}"));
        Self { name }
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Its URL.
    pub(crate) fn url(&self) -> String {
        let server = server();
        let (server, parameters) = server.split_once('?').unwrap_or((&server, ""));
        let (host, _) = server.rsplit_once('/').unwrap();
        format!("{host}/{}?{parameters}", self.name)
    }

    /// Runs some statements in it.
    pub(crate) fn execute(&self, sql: impl Into<String>) {
        execute(self.url(), sql.into());
    }

    /// Reads one number from it.
    pub(crate) fn number(&self, sql: &'static str) -> i64 {
        let url = self.url();
        on_a_thread(async move {
            let mut connection = PgConnection::connect(&url).await.unwrap();
            sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap()
        })
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        execute(server(), format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

fn execute(url: String, sql: String) {
    on_a_thread(async move {
        let mut connection = PgConnection::connect(&url).await.unwrap();
        connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await.unwrap();
    });
}

/// The URL of the server that all tests share.
fn server() -> String {
    #[expect(clippy::disallowed_methods, reason = "tests/run tells where its server is")]
    let url = std::env::var("DOCKPASS_TEST_POSTGRES");
    url.expect("DOCKPASS_TEST_POSTGRES is not set: run the tests by tests/run, which starts a PostgreSQL server, or give the URL of a superuser")
}

/// Tests have a runtime already, which another cannot be entered in.
fn on_a_thread<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    let thread = std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(work)
    });
    thread.join().unwrap()
}
