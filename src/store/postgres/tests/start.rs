//! Starting: migrations, and what is said when the database cannot be used.

use super::super::claim::{Encoding, Server, refuse_unsafe};
use super::super::migration::FILES;
use super::*;
use crate::store::for_test::Database;
use crate::store::{Config, Error, Url};

async fn open(url: String) -> Result<Store, Error> {
    let config = Config { url: Url::new(url), ..Config::default() };
    Store::open(&config, std::path::Path::new(".")).await
}

#[tokio::test]
async fn replicas_that_start_together_migrate_once() {
    let database = Database::new();
    let all = futures_util::future::join_all((0..6).map(|_| open(database.url()))).await;
    for store in all {
        assert_eq!(store.unwrap().policy_revision().await.unwrap(), 0);
    }
    let migrated = database.number("SELECT count(*) FROM _sqlx_migrations WHERE success");
    assert_eq!(usize::try_from(migrated).unwrap(), FILES.len());
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_refused() {
    let world = World::postgres().await;
    world.database().execute(
        "INSERT INTO _sqlx_migrations SELECT 99, 'newer', now(), true, checksum, 0 FROM _sqlx_migrations LIMIT 1",
    );
    let error = open(world.database().url()).await.unwrap_err().to_string();
    assert!(error.contains("version 99") && error.contains("newer program"), "{error}");
}

#[tokio::test]
async fn promise_9_what_is_wrong_is_said_with_the_host_and_without_the_password() {
    let database = Database::new();
    let url = database.url();
    let (login, server) = url.split_once('@').unwrap();
    let (host, _) = server.split_once('/').unwrap();
    let role = format!("nobody_{}", uuid::Uuid::new_v4().simple());
    database.execute(format!("CREATE ROLE {role} NOLOGIN"));
    for (url, wanted) in [
        (format!("postgres://{role}:canary@{server}"), "user or the password"),
        (format!("{login}@{host}/missing_{role}?application_name=canary"), "does not exist"),
        ("postgres://me:canary@127.0.0.1:1/db".to_owned(), "refuses connections"),
    ] {
        let error = open(url).await.unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, Error::Config(_)), "{error:?}");
        assert!(text.contains(wanted) && text.contains("127.0.0.1"), "{text}");
        assert!(!format!("{error:?}").contains("canary"), "{text}");
    }
    database.execute(format!("DROP ROLE {role}"));
}

#[test]
fn promise_1_a_server_that_is_not_durable_is_refused() {
    let durable = Server {
        fsync: true,
        full_page_writes: true,
        is_standby: false,
        encoding: Encoding::Utf8,
        version: 140_000,
    };
    refuse_unsafe(durable).unwrap();
    refuse_unsafe(Server { full_page_writes: false, ..durable }).unwrap();
    for (server, wanted) in [
        (Server { fsync: false, ..durable }, "fsync = off"),
        (Server { is_standby: true, ..durable }, "standby"),
        (Server { version: 130_015, ..durable }, "older than"),
        (Server { encoding: Encoding::Other, ..durable }, "UTF8"),
    ] {
        let error = refuse_unsafe(server).unwrap_err().to_string();
        assert!(error.contains(wanted), "{error}");
    }
}

#[tokio::test]
async fn promise_1_commits_wait_for_the_disk_whatever_the_database_is_set_to() {
    let world = World::postgres().await;
    world.database().execute(format!(
        "ALTER DATABASE {} SET synchronous_commit = off; ALTER DATABASE {} SET default_transaction_isolation = 'repeatable read'",
        world.database().name(),
        world.database().name()
    ));
    // what a trigger sees is what the appending connection is set to
    world.database().execute(
        "CREATE TABLE seen (setting TEXT); \
         CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         INSERT INTO seen SELECT current_setting(name) FROM unnest(ARRAY['synchronous_commit', 'transaction_isolation']) AS name; RETURN NULL; END $$; \
         CREATE TRIGGER see AFTER INSERT ON audit_event FOR EACH STATEMENT EXECUTE FUNCTION see()",
    );
    let store = world.again().await;
    crate::store::tests::sample::append(&mut store.journal().unwrap(), 1);
    let good = "SELECT count(*) FROM seen WHERE setting IN ('on', 'read committed')";
    assert_eq!(world.database().number(good), 2);
    assert_eq!(world.database().number("SELECT count(*) FROM seen"), 2);
}

#[tokio::test]
async fn the_clock_of_the_server_can_be_asked() {
    use crate::model::Clock;
    let world = World::postgres().await;
    let time = world.store.time().await.unwrap().unwrap();
    let apart = crate::model::SystemClock.now().duration_since(time).abs();
    assert!(apart < jiff::SignedDuration::from_mins(1), "{apart}");
}
