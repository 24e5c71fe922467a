//! The sites in turns, so that whatever else the machine does meets all of them.

use std::path::Path;
use std::thread;

use anyhow::Context;
use tempfile::TempDir;

use super::cost::cpu_seconds;
use super::databases::{Postgres, Redis};
use super::replica::{Replica, Shared};
use crate::generate::{Hpack, Job, Lanes, Supply, Tally, measure};
use crate::issuer::Issuer;
use crate::report::micros;
use crate::requests::{self, Ask};

/// Milliseconds.
const WARM_UP: u64 = 500;
/// Milliseconds.
const MEASURED: u64 = 2_000;
/// On connections of their own, spread over the replicas.
const IN_FLIGHT: usize = 256;
/// Connections to each replica.
const CONNECTIONS: usize = 4;

/// What is measured.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Site {
    /// One process on SQLite.
    Embedded,
    /// So many on PostgreSQL and Redis.
    Replicas(usize),
}

/// One turn of a site; what is used is for 100,000 answers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn {
    pub(crate) per_second: f64,
    /// Milliseconds, of the slowest replica.
    pub(crate) p99: f64,
    pub(crate) replica_cpu: f64,
    pub(crate) postgres_cpu: f64,
    pub(crate) redis_cpu: f64,
    /// Bytes for one answer.
    pub(crate) log_bytes: f64,
    /// Bytes for one answer.
    pub(crate) stored_bytes: f64,
}

/// A site and its turns.
pub(crate) struct Measured {
    pub(crate) site: Site,
    pub(crate) turns: Vec<Turn>,
}

/// All that is needed to measure.
pub(crate) struct Sites<'a> {
    program: &'a Path,
    issuer: &'a Issuer,
    postgres: Postgres,
    redis: Redis,
    keys: TempDir,
}

impl<'a> Sites<'a> {
    /// Starts the databases.
    pub(crate) fn new(program: &'a Path, issuer: &'a Issuer) -> anyhow::Result<Self> {
        let keys = tempfile::tempdir()?;
        Ok(Self { program, issuer, postgres: Postgres::start()?, redis: Redis::start()?, keys })
    }

    /// Measures every site once a round.
    pub(crate) fn measure(&self, sites: &[Site], rounds: usize) -> anyhow::Result<Vec<Measured>> {
        let none = |site: &Site| Measured { site: *site, turns: Vec::new() };
        let mut all: Vec<Measured> = sites.iter().map(none).collect();
        for _ in 0..rounds {
            for measured in &mut all {
                let turn = self.turn(measured.site);
                measured.turns.push(turn.with_context(|| format!("{:?}", measured.site))?);
            }
        }
        Ok(all)
    }

    fn turn(&self, site: Site) -> anyhow::Result<Turn> {
        let (count, shared) = match site {
            Site::Embedded => (1, Shared::nothing()),
            Site::Replicas(count) => {
                let keys = self.keys.path();
                (count, Shared::new(&self.postgres.url(), &self.redis.url(), keys))
            }
        };
        let start = |_| Replica::start(self.program, self.issuer, &shared);
        let replicas: Vec<Replica> = (0..count).map(start).collect::<Result<_, _>>()?;
        // the first answers fill caches, and are not of interest
        self.load(&replicas, WARM_UP)?;
        let (cpu, bytes) = (self.cpu()?, self.postgres.bytes()?);
        let tallies = self.load(&replicas, MEASURED)?;
        let (cpu_after, bytes_after) = (self.cpu()?, self.postgres.bytes()?);
        let completed: f64 = tallies.iter().map(|tally| micros(tally.completed)).sum();
        let slowest = tallies.iter().map(|tally| tally.p99).max().context("no replica")?;
        let cpu_of = |before: f64, after: f64| (after - before) / completed * 1e5;
        let by_share = |tally: &Tally| tally.server_cpu * micros(tally.completed) / completed;
        Ok(Turn {
            per_second: tallies.iter().map(|tally| tally.per_second).sum(),
            p99: micros(slowest) / 1e3,
            replica_cpu: tallies.iter().map(by_share).sum(),
            postgres_cpu: cpu_of(cpu.0, cpu_after.0),
            redis_cpu: cpu_of(cpu.1, cpu_after.1),
            log_bytes: (bytes_after.log - bytes.log) / completed,
            stored_bytes: (bytes_after.database - bytes.database) / completed,
        })
    }

    /// The CPU seconds of both databases.
    fn cpu(&self) -> anyhow::Result<(f64, f64)> {
        Ok((cpu_seconds(self.postgres.id())?, cpu_seconds(self.redis.id())?))
    }

    /// Loads all replicas at the same time, each by a generator of its own.
    fn load(&self, replicas: &[Replica], measured_ms: u64) -> anyhow::Result<Vec<Tally>> {
        let jobs = replicas.iter().map(|replica| self.job(replica, replicas.len(), measured_ms));
        let jobs: Vec<Job> = jobs.collect::<Result<_, _>>()?;
        thread::scope(|scope| {
            let mut generators = Vec::new();
            for job in &jobs {
                generators.push(scope.spawn(move || measure(job)));
            }
            let tallies = generators.into_iter().map(|generator| {
                let tally = generator.join().ok().context("a generator panicked")??;
                anyhow::ensure!(tally.failed == 0, "{} failed: {:?}", tally.failed, tally.failure);
                Ok(tally)
            });
            tallies.collect()
        })
    }

    fn job(&self, replica: &Replica, of: usize, measured_ms: u64) -> anyhow::Result<Job> {
        Ok(Job {
            target: replica.grpc,
            certificate: None,
            server: replica.id(),
            protocol: requests::protocol(Ask::Issue, Hpack::Huffman),
            authorizations: requests::authorizations(Ask::Issue, 0, self.issuer, replica.grpc)?,
            supply: Supply::Endless,
            lanes: Lanes { connections: CONNECTIONS, streams: IN_FLIGHT / CONNECTIONS / of },
            // after the databases were looked at, nothing may be left out
            warm_up_ms: 0,
            measured_ms,
        })
    }
}
