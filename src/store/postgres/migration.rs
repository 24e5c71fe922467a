//! Brings a database to the present schema: numbered SQL files, each once, under an advisory lock, so that replicas may start together.

use std::time::Duration;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::postgres::PgConnection;
use sqlx::{Executor, SqlSafeStr};
use tokio::time::timeout;

use super::error::Problem;
use crate::store::Error;

/// The files in their order.
pub(super) const FILES: [(i64, &str, &str); 3] = [
    (1, "initial", include_str!("migrations/0001_initial.sql")),
    (2, "functions", include_str!("migrations/0002_functions.sql")),
    (3, "used_token", include_str!("migrations/0003_used_token.sql")),
];

/// How long it may take: a large table is not changed in a minute.
const PATIENCE: Duration = Duration::from_mins(10);

/// Runs what is missing, after whoever else does.
///
/// # Errors
/// The database was migrated by a newer program, or may not be changed.
pub(super) async fn migrate(connection: &mut PgConnection) -> Result<(), Error> {
    let run = async {
        connection
            .execute("SET statement_timeout = 0; SET lock_timeout = '1min'")
            .await
            .map_err(Problem::from)?;
        migrator(&FILES).run_direct(None, connection, false).await.map_err(explain)
    };
    timeout(PATIENCE, run).await.unwrap_or_else(|_| Err(Problem::Hangs.into()))
}

fn migrator(files: &[(i64, &'static str, &'static str)]) -> Migrator {
    let migration = |(version, name, sql): &(i64, &'static str, &'static str)| {
        Migration::new(
            *version,
            (*name).into(),
            MigrationType::Simple,
            (*sql).into_sql_str(),
            false,
        )
    };
    Migrator::with_migrations(files.iter().map(migration).collect())
}

fn explain(error: MigrateError) -> Error {
    match error {
        MigrateError::VersionMissing(version) => Error::Config(format!(
            "the database has schema version {version}, this program knows versions up to {}: use the newer program, or a backup",
            FILES.len()
        )),
        MigrateError::VersionMismatch(version) => Error::Config(format!(
            "the database was brought to schema version {version} by another program than this: use that one"
        )),
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
            Problem::from(error).into()
        }
        other => Error::Unavailable(format!("its schema cannot be brought up to date: {other}")),
    }
}
