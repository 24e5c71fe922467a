//! The goals of performance.md.

use std::io::{Seek, Write};
use std::time::Instant;

use serde::Serialize;

use crate::overload::Round;
use crate::report::{Result, median, micros};
use crate::turns::Measured;
use crate::{figures, replicas};

/// A goal with what was measured; the bounds are a minimum or a maximum, as `better` says.
#[derive(Clone, Serialize)]
pub(crate) struct Goal {
    #[serde(rename = "goal")]
    pub(crate) what: &'static str,
    pub(crate) better: Better,
    pub(crate) must: f64,
    pub(crate) aim: f64,
    /// Absent when it was not measured with this build.
    pub(crate) measured: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Better {
    More,
    Less,
}

impl Goal {
    /// How far it is reached.
    pub(crate) fn verdict(&self) -> &'static str {
        let Some(measured) = self.measured else { return "not measured" };
        let reaches = |bound: f64| match self.better {
            Better::More => measured >= bound,
            Better::Less => measured <= bound,
        };
        match (reaches(self.aim), reaches(self.must)) {
            (true, _) => "aim",
            (false, true) => "must",
            (false, false) => "MISSED",
        }
    }
}

/// All goals.
pub(crate) fn all(result: &Result) -> Vec<Goal> {
    [requests(result), decisions(result), growth(result)].concat()
}

/// What a request may cost beside the bare transport.
fn requests(result: &Result) -> Vec<Goal> {
    let of = |name| result.of(name);
    let ratio = |name| of(name).map(Measured::throughput_ratio);
    let durable = over(result.rate("issue"), result.rate("issue-without-audit"));
    vec![
        least("IssueAccessToken, throughput over echo", 0.33, 0.45, ratio("issue")),
        most("the same, server CPU over echo", 2.9, 2.2, of("issue").map(Measured::cpu_ratio)),
        least(
            "from clients that keep the token in HPACK's table, throughput",
            0.33,
            0.45,
            ratio("issue-kept"),
        ),
        most("the same, server CPU", 2.9, 2.2, of("issue-kept").map(Measured::cpu_ratio)),
        least("with_bearer_token, throughput over echo", 0.18, 0.24, ratio("bearer")),
        least("/token exchange, throughput over a bare reply", 0.18, 0.25, ratio("exchange")),
        least("cold identity, throughput over echo", 0.09, 0.12, ratio("cold")),
        least("durable over the same without audit, throughput", 0.70, 0.85, durable),
        most("p99 at 256 in flight over echo's", 2.5, 1.7, of("issue").map(Measured::p99_ratio)),
        most(
            "one in flight: p50 beyond echo's, in fdatasync",
            2.5,
            1.75,
            of("issue-1").and_then(beyond_echo),
        ),
    ]
}

/// What policy may cost, in time and memory.
fn decisions(result: &Result) -> Vec<Goal> {
    let criterion = figures::criterion;
    vec![
        most(
            "one decision, 10,000 credentials, ns",
            300.0,
            160.0,
            criterion("decide/allowed/10000"),
        ),
        most(
            "one decision, 100,000 credentials, ns",
            700.0,
            390.0,
            criterion("decide/allowed/100000"),
        ),
        most(
            "a change of one scope map among 100,000 tokens, visible, ms",
            50.0,
            5.0,
            result.update,
        ),
        most(
            "resident memory with 100,000 tokens, MiB",
            150.0,
            80.0,
            figures::footprint("memoryMib"),
        ),
        most("start with 100,000 tokens, ms", 2_000.0, 500.0, figures::footprint("startMs")),
    ]
}

/// What may become of it where there is more of everything.
fn growth(result: &Result) -> Vec<Goal> {
    let p999 = |name: &str| {
        result.of(name).map(|measured| measured.server(|tally| micros(tally.p999)) / 1e3)
    };
    let beyond = |a: Option<f64>, b: Option<f64>| Some(a? - b?);
    vec![
        least(
            "PostgreSQL instead of SQLite, throughput",
            0.5,
            0.8,
            result.replicas.as_deref().and_then(replicas::ratio),
        ),
        most(
            "CPU a request, 100,000 tokens over 10",
            1.3,
            1.0,
            over(result.cpu("issue-100000-tokens"), result.cpu("issue-10-tokens")),
        ),
        most(
            "CPU a request, 5 million audit events over none",
            1.3,
            1.0,
            over(result.cpu("issue-5000000-events"), result.cpu("issue")),
        ),
        most(
            "p999 with ten policy changes a second beyond the same without, ms",
            20.0,
            5.0,
            beyond(p999("issue-policy-changes"), p999("issue-100000-tokens")),
        ),
        most(
            "p99 of accepted requests at three times the capacity over that at capacity",
            3.0,
            2.0,
            result.overload.as_ref().map(|overload| overload.median(Round::p99_ratio)),
        ),
    ]
}

impl Result {
    /// Requests a second of a scenario.
    fn rate(&self, name: &str) -> Option<f64> {
        Some(self.of(name)?.server(|tally| tally.per_second))
    }

    /// CPU seconds of the server for 100,000 requests of a scenario.
    fn cpu(&self, name: &str) -> Option<f64> {
        Some(self.of(name)?.server(|tally| tally.server_cpu))
    }
}

fn over(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    Some(a? / b?)
}

const fn least(what: &'static str, must: f64, aim: f64, measured: Option<f64>) -> Goal {
    goal(Better::More, what, must, aim, measured)
}

const fn most(what: &'static str, must: f64, aim: f64, measured: Option<f64>) -> Goal {
    goal(Better::Less, what, must, aim, measured)
}

const fn goal(
    better: Better,
    what: &'static str,
    must: f64,
    aim: f64,
    measured: Option<f64>,
) -> Goal {
    Goal { what, better, must, aim, measured }
}

/// How much longer one request takes than the echo's, in times that the disk takes for one `fdatasync`.
fn beyond_echo(measured: &Measured) -> Option<f64> {
    let longer =
        measured.server(|tally| micros(tally.p50)) - measured.echo(|tally| micros(tally.p50));
    Some(longer / fdatasync().ok()?)
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
    Ok(median(took))
}
