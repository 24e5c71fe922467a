//! The goals of performance.md that a load can tell.

use std::io::{Seek, Write};
use std::time::Instant;

use crate::turns::Measured;

/// A goal with what was measured; the bounds are a minimum or a maximum, as `better` says.
pub(crate) struct Goal {
    pub(crate) what: &'static str,
    pub(crate) must: f64,
    pub(crate) aim: f64,
    pub(crate) better: Better,
    pub(crate) measured: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Better {
    More,
    Less,
}

impl Goal {
    /// How far it is reached.
    pub(crate) fn verdict(&self) -> &'static str {
        let reaches = |bound: f64| match self.better {
            Better::More => self.measured >= bound,
            Better::Less => self.measured <= bound,
        };
        match (reaches(self.aim), reaches(self.must)) {
            (true, _) => "aim",
            (false, true) => "must",
            (false, false) => "MISSED",
        }
    }
}

/// The goals whose scenarios were measured.
pub(crate) fn reached(all: &[Measured]) -> Vec<Goal> {
    let of = |name: &str| all.iter().find(|measured| measured.scenario.name == name);
    let ratio = |name| of(name).map(Measured::throughput_ratio);
    let rate = |name| of(name).map(|measured| measured.server(|tally| tally.per_second));
    let cpu = |name| of(name).map(|measured| measured.server(|tally| tally.server_cpu));
    let over = |a: Option<f64>, b: Option<f64>| Some(a? / b?);
    let rows = [
        (Better::More, "IssueAccessToken, throughput over echo", 0.33, 0.45, ratio("issue")),
        (
            Better::Less,
            "the same, server CPU over echo",
            2.9,
            2.2,
            of("issue").map(Measured::cpu_ratio),
        ),
        (Better::More, "with_bearer_token, throughput over echo", 0.18, 0.24, ratio("bearer")),
        (
            Better::More,
            "/token exchange, throughput over a bare reply",
            0.18,
            0.25,
            ratio("exchange"),
        ),
        (Better::More, "cold identity, throughput over echo", 0.09, 0.12, ratio("cold")),
        (
            Better::More,
            "store on disk over store in memory",
            0.70,
            0.85,
            over(rate("issue"), rate("issue-memory")),
        ),
        (
            Better::Less,
            "p99 at 256 in flight over echo's",
            2.5,
            1.7,
            of("issue").map(Measured::p99_ratio),
        ),
        (
            Better::Less,
            "one in flight: p50 beyond echo's, in fdatasync",
            2.5,
            1.75,
            of("issue-1").map(beyond_echo),
        ),
        (
            Better::Less,
            "CPU per request, 100,000 tokens over 10",
            1.3,
            1.1,
            over(cpu("issue-100000-tokens"), cpu("issue-10-tokens")),
        ),
    ];
    rows.into_iter()
        .filter_map(|(better, what, must, aim, measured)| {
            Some(Goal { what, must, aim, better, measured: measured? })
        })
        .collect()
}

/// How much longer one request takes than the echo's, in times that the disk takes for one `fdatasync`.
fn beyond_echo(measured: &Measured) -> f64 {
    let longer =
        measured.server(|tally| micros(tally.p50)) - measured.echo(|tally| micros(tally.p50));
    longer / fdatasync().unwrap_or(f64::NAN)
}

fn micros(value: u64) -> f64 {
    u32::try_from(value).map_or(f64::INFINITY, f64::from)
}

/// The median microseconds of a page written and made durable.
pub(crate) fn fdatasync() -> std::io::Result<f64> {
    let mut file = tempfile::tempfile_in(env!("CARGO_TARGET_TMPDIR"))?;
    file.set_len(1 << 16)?;
    file.sync_all()?;
    let mut took = Vec::new();
    for _ in 0..200 {
        let begun = Instant::now();
        file.rewind()?;
        file.write_all(&[1; 4096])?;
        file.sync_data()?;
        took.push(begun.elapsed().as_secs_f64() * 1e6);
    }
    Ok(crate::report::median(took))
}
