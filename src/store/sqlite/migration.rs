//! Brings a file to the present schema: numbered SQL files, each once, under `PRAGMA user_version`.

use rusqlite::{Connection, TransactionBehavior};

use crate::store::Error;

/// The files in their order; the first makes version 1.
pub(super) const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_initial.sql"),
    include_str!("migrations/0002_token_scope_map.sql"),
    include_str!("migrations/0003_used_token.sql"),
];

/// Runs what is missing in one transaction.
///
/// # Errors
/// The file was written by a newer program.
pub(super) fn migrate(connection: &mut Connection, migrations: &[&str]) -> Result<(), Error> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: u32 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let version = usize::try_from(version).unwrap_or(usize::MAX);
    let newest = migrations.len();
    if version > newest {
        return Err(Error::Config(format!(
            "the store has schema version {version}, this program knows versions up to {newest}: use the newer program, or a backup"
        )));
    }
    for migration in migrations.iter().skip(version) {
        transaction.execute_batch(migration)?;
    }
    if version < newest {
        transaction.pragma_update(
            None,
            "user_version",
            u32::try_from(newest).unwrap_or(u32::MAX),
        )?;
    }
    Ok(transaction.commit()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_migration_runs_once() {
        let mut connection = Connection::open_in_memory().unwrap();
        let first = ["CREATE TABLE a (x)"];
        migrate(&mut connection, &first).unwrap();
        migrate(&mut connection, &first).unwrap();
        migrate(&mut connection, &["CREATE TABLE a (x)", "CREATE TABLE b (x)"]).unwrap();
        connection.execute_batch("SELECT x FROM a; SELECT x FROM b").unwrap();
    }

    #[test]
    fn a_migration_that_fails_leaves_nothing() {
        let mut connection = Connection::open_in_memory().unwrap();
        assert!(migrate(&mut connection, &["CREATE TABLE a (x)", "rubbish"]).is_err());
        let version: u32 =
            connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
        assert_eq!(version, 0);
        assert!(connection.execute_batch("SELECT x FROM a").is_err());
    }

    #[test]
    fn a_file_of_a_newer_program_is_refused() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "user_version", 7).unwrap();
        let error = migrate(&mut connection, MIGRATIONS).unwrap_err().to_string();
        assert!(error.contains("version 7") && error.contains("newer program"), "{error}");
    }
}
