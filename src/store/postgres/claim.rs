//! Claims a chain for a connection.

use aws_lc_rs::rand;
use sqlx::Row;
use sqlx::postgres::PgConnection;

use super::batch::number_of;
use super::error::Problem;
use super::row::{bytes, chain_of};
use crate::store::column::unsigned;
use crate::store::{Chain, ChainHead, Error};

/// Who holds a chain: made anew by each claim.
pub(super) type Owner = [u8; 16];

/// A chain that is held, and where it stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Claim {
    pub(super) chain: Chain,
    pub(super) owner: Owner,
    pub(super) head: ChainHead,
}

impl Claim {
    /// Claims the chain that was held last, if nobody else has it by now, or one that nobody holds, or a new one.
    pub(super) async fn make(
        connection: &mut PgConnection,
        last: Option<(Chain, Owner)>,
    ) -> Result<Self, Problem> {
        refuse_unsafe(Server::ask(connection).await?)?;
        let mut owner = Owner::default();
        rand::fill(&mut owner)
            .map_err(|_| Error::Unavailable("the random number generator failed".to_owned()))?;
        let row = sqlx::query("SELECT chain, sequence, hash FROM claim_chain($1, $2, $3)")
            .bind(last.map(|(chain, _)| number_of(chain)))
            .bind(last.as_ref().map(|(_, owner)| owner.as_slice()))
            .bind(owner.as_slice())
            .fetch_one(connection)
            .await?;
        let head = ChainHead { sequence: unsigned(row.try_get(1)?), hash: bytes(&row, 2)? };
        Ok(Self { chain: chain_of(row.try_get(0)?), owner, head })
    }
}

/// The oldest version that has all that is used, such as ending a connection and waiting for its end.
const OLDEST: i32 = 140_000;

/// How a database keeps text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Encoding {
    Utf8,
    Other,
}

/// What a server says of itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Server {
    pub(super) fsync: bool,
    pub(super) full_page_writes: bool,
    pub(super) is_standby: bool,
    pub(super) encoding: Encoding,
    /// 140003 is version 14.3.
    pub(super) version: i32,
}

impl Server {
    pub(super) async fn ask(connection: &mut PgConnection) -> Result<Self, Problem> {
        let (fsync, full_page_writes, is_standby, version, is_utf8) = sqlx::query_as(
            "SELECT current_setting('fsync')::boolean, current_setting('full_page_writes')::boolean, pg_is_in_recovery(), \
             current_setting('server_version_num')::integer, current_setting('server_encoding') = 'UTF8'",
        )
        .fetch_one(connection)
        .await?;
        let encoding = if is_utf8 { Encoding::Utf8 } else { Encoding::Other };
        Ok(Self { fsync, full_page_writes, is_standby, encoding, version })
    }
}

/// What a server answers is durable only when it says so (promise 1).
pub(super) fn refuse_unsafe(server: Server) -> Result<(), Error> {
    if !server.fsync {
        return Err(Error::Config(
            "the database runs with fsync = off: events that were answered for would be lost with its machine; turn it on".to_owned(),
        ));
    }
    if server.is_standby {
        return Err(Error::Config(
            "the database is a standby: store.url must name the primary server".to_owned(),
        ));
    }
    if server.version < OLDEST {
        return Err(Error::Config("the database is older than PostgreSQL 14".to_owned()));
    }
    if server.encoding != Encoding::Utf8 {
        return Err(Error::Config(
            "the database has another encoding than UTF8, which cannot hold every name: create it with ENCODING 'UTF8' TEMPLATE template0".to_owned(),
        ));
    }
    if !server.full_page_writes {
        tracing::warn!(
            "the database runs with full_page_writes = off: unless its file system never tears a page, a crash of its machine damages the store"
        );
    }
    Ok(())
}
