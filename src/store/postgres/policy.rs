//! Reads the definitions, their history, and what was taken back.

use futures_util::TryStreamExt;
use jiff::Timestamp;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Executor, Row};

use super::error::Problem;
use super::row::bytes;
use crate::model::{AccessTokenId, DecisionId, Definitions, ScopeMap, ScopeMapName, Token};
use crate::store::column::{nanoseconds, signed, timestamp, unsigned};
use crate::store::definition::{Definition, Loading};
use crate::store::engine::PageOf;
use crate::store::history::{LastForms, RollBack};
use crate::store::page::{Filling, LARGEST, beyond};
use crate::store::used_token::UsedToken;
use crate::store::{Changes, Error, Page};

const REVISION: &str = "SELECT policy_revision FROM state";
const SCOPE_MAPS: &str =
    "SELECT name, body FROM scope_map WHERE registry = $1 AND name > $2 ORDER BY name LIMIT $3";
const TOKENS: &str =
    "SELECT name, body FROM token WHERE registry = $1 AND name > $2 ORDER BY name LIMIT $3";
const TIED_TOKENS: &str = "SELECT name, body FROM token WHERE registry = $1 AND name > $2 AND scope_map = $5 ORDER BY scope_map, name LIMIT $3";

/// The present revision.
pub(super) async fn revision(connection: &mut PgConnection) -> Result<u64, Problem> {
    let revision: i64 = sqlx::query_scalar(REVISION).fetch_one(connection).await?;
    Ok(unsigned(revision))
}

/// The clock of the server.
pub(super) async fn time(connection: &mut PgConnection) -> Result<Timestamp, Problem> {
    let sql = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";
    let microseconds: i64 = sqlx::query_scalar(sql).fetch_one(connection).await?;
    Ok(Timestamp::from_microsecond(microseconds).unwrap_or(Timestamp::MAX))
}

/// Uses a token up: true for the first use.
pub(super) async fn use_up(
    connection: &mut PgConnection,
    token: UsedToken,
) -> Result<bool, Problem> {
    let use_up = sqlx::query_scalar("SELECT use_up_token($1, $2, $3)")
        .bind(token.hash.to_vec())
        .bind(nanoseconds(token.expire_time))
        .bind(nanoseconds(token.ended()));
    Ok(use_up.fetch_one(connection).await?)
}

/// All definitions, as of one moment.
pub(super) async fn definitions(connection: &mut PgConnection) -> Result<Definitions, Problem> {
    let mut snapshot = connection.begin_with(SNAPSHOT).await?;
    let definitions = load(&mut snapshot).await?;
    snapshot.rollback().await?;
    Ok(definitions)
}

/// All its statements see the same.
const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

async fn load(snapshot: &mut PgConnection) -> Result<Definitions, Problem> {
    Ok(Definitions {
        revision: revision(snapshot).await?,
        scope_maps: load_all(snapshot).await?,
        tokens: load_all(snapshot).await?,
    })
}

async fn load_all<T: Definition>(snapshot: &mut PgConnection) -> Result<Vec<T>, Problem> {
    let sql = format!("SELECT count(*) FROM {}", T::TABLE);
    let count: i64 = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut *snapshot).await?;
    let sql = format!("SELECT body FROM {} ORDER BY registry, name", T::TABLE);
    let mut rows = snapshot.fetch(sqlx::query(AssertSqlSafe(sql)));
    let mut all = Loading::of(count);
    while let Some(row) = rows.try_next().await? {
        all.add(row.try_get(0)?)?;
    }
    Ok(all.end())
}

/// What happened after a revision: it costs as much as changed.
pub(super) async fn changes_since(
    connection: &mut PgConnection,
    after: u64,
) -> Result<Changes, Problem> {
    // one statement, so that the revision is that of the changes
    let mut rows = connection.fetch(
        sqlx::query(
            "SELECT state.policy_revision, kind, registry, name, after FROM state \
             LEFT JOIN policy_change ON policy_change.revision > $1 ORDER BY policy_change.revision",
        )
        .bind(signed(after)),
    );
    let (mut newest, mut last) = (0, LastForms::default());
    while let Some(row) = rows.try_next().await? {
        newest = unsigned(row.try_get(0)?);
        if let Some(kind) = row.try_get(1)? {
            last.add((kind, row.try_get(2)?, row.try_get(3)?), row.try_get(4)?);
        }
    }
    if after > newest {
        return Err(Error::UnknownRevision(after, newest).into());
    }
    Ok(last.changes(newest)?)
}

/// The definitions at a revision: the present, and what happened since taken back.
pub(super) async fn definitions_at(
    connection: &mut PgConnection,
    at: u64,
) -> Result<Definitions, Problem> {
    let mut snapshot = connection.begin_with(SNAPSHOT).await?;
    let present = load(&mut snapshot).await?;
    if at > present.revision {
        snapshot.rollback().await?;
        return Err(Error::UnknownRevision(at, present.revision).into());
    }
    let past = Definitions {
        revision: at,
        scope_maps: roll_back(&mut snapshot, at, present.scope_maps).await?,
        tokens: roll_back(&mut snapshot, at, present.tokens).await?,
    };
    snapshot.rollback().await?;
    Ok(past)
}

async fn roll_back<T: Definition>(
    snapshot: &mut PgConnection,
    at: u64,
    present: Vec<T>,
) -> Result<Vec<T>, Problem> {
    let mut past = RollBack::from(present);
    let mut rows = snapshot.fetch(
        sqlx::query(
            "SELECT registry, name, before FROM policy_change WHERE revision > $1 AND kind = $2 ORDER BY revision DESC",
        )
        .bind(signed(at))
        .bind(T::TABLE),
    );
    while let Some(row) = rows.try_next().await? {
        past.undo((row.try_get(0)?, row.try_get(1)?), row.try_get(2)?)?;
    }
    Ok(past.into_past())
}

/// The access tokens that are taken back and have not ended at `now`.
pub(super) async fn revocations(
    connection: &mut PgConnection,
    now: Timestamp,
) -> Result<Vec<(AccessTokenId, Timestamp)>, Problem> {
    let sql = "SELECT id, expire_time FROM revocation WHERE expire_time > $1";
    let rows = connection.fetch_all(sqlx::query(sql).bind(nanoseconds(now))).await?;
    let revocation = |row| {
        let id = DecisionId::from_bytes(bytes(&row, 0)?);
        Ok((AccessTokenId::from(id), timestamp(row.try_get(1)?)))
    };
    rows.into_iter().map(revocation).collect()
}

/// Scope maps of a registry.
pub(super) async fn scope_maps(
    connection: &mut PgConnection,
    of: &PageOf,
) -> Result<Page<ScopeMap>, Problem> {
    page(connection, SCOPE_MAPS, of, None).await
}

/// Tokens of a registry; only those tied to a scope map, if one is named.
pub(super) async fn tokens(
    connection: &mut PgConnection,
    of: &PageOf,
    tied_to: Option<&ScopeMapName>,
) -> Result<Page<Token>, Problem> {
    page(connection, if tied_to.is_some() { TIED_TOKENS } else { TOKENS }, of, tied_to).await
}

async fn page<T: Definition>(
    connection: &mut PgConnection,
    sql: &str,
    of: &PageOf,
    tied_to: Option<&ScopeMapName>,
) -> Result<Page<T>, Problem> {
    // no more comes over the network than fits on the page, and one definition that shows that there are more
    let sql = format!(
        "SELECT body FROM (SELECT name, body, sum(octet_length(body)) OVER \
         (ORDER BY name ROWS BETWEEN UNBOUNDED PRECEDING AND 2 PRECEDING) AS before FROM ({sql}) AS page) AS sized \
         WHERE coalesce(before, 0) <= $4 ORDER BY name"
    );
    let query = sqlx::query(AssertSqlSafe(sql))
        .bind(of.registry.as_str())
        .bind(&of.after)
        .bind(beyond(of.limit))
        .bind(i64::try_from(LARGEST).unwrap_or(i64::MAX));
    let query = match tied_to {
        Some(map) => query.bind(map.as_str()),
        None => query,
    };
    let mut page = Filling::new(of.limit);
    for row in connection.fetch_all(query).await? {
        if page.is_full() {
            return Ok(page.end(true));
        }
        page.add(row.try_get(0)?)?;
    }
    Ok(page.end(false))
}
