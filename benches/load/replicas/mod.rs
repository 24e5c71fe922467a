//! Several replicas on PostgreSQL and Redis beside one process on SQLite.
//!
//! Throughput, tail and what each part costs for a request: CPU seconds of the replicas, of PostgreSQL and of Redis, and bytes that PostgreSQL
//! writes. All of it, the load generators too, runs on this machine: what grows is the cost, not the hardware.

mod cost;
mod databases;
mod replica;
mod report;
mod turn;

use self::databases::{Postgres, Redis};
use self::turn::{Site, Sites};
use crate::scenario::Build;
use crate::turns::Bench;

pub(crate) use self::report::{json, print, ratio};
pub(crate) use self::turn::Measured;

/// What the arguments call it.
pub(crate) const NAME: &str = "replicas";

/// One process, as embedded; then so many on PostgreSQL.
const SITES: [Site; 4] = [Site::Embedded, Site::Replicas(1), Site::Replicas(2), Site::Replicas(3)];

/// Measures them in turns; `None` where PostgreSQL or Redis is not installed.
pub(crate) fn measure(bench: &Bench) -> anyhow::Result<Option<Vec<Measured>>> {
    if !Postgres::is_installed() || !Redis::is_installed() {
        println!(
            "Left out: replicas, which need PostgreSQL and Redis (Debian: postgresql, redis-server)."
        );
        return Ok(None);
    }
    let sites = Sites::new(bench.programs.of(Build::Shipped)?, &bench.issuer)?;
    Ok(Some(sites.measure(&SITES, bench.effort.pairs.min(ROUNDS))?))
}

/// Each of them starts and fills every site anew.
const ROUNDS: usize = 3;
